import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from domain.batches import SCHEMA, heartbeats_of
from domain.columns import decode
from domain.errors import Unavailable
from serve import appender, ingest, inputs
from serve.appender import LogEnd
from serve.arrow_streams import ARROW
from serve.auth import Caller, bearer_token, unauthorized
from serve.ingest import MOST_JSON_BYTES, build_ingest
from stores.accounts import Scope
from stores.sqlite_log import SqliteLog
from tests.serve.bodies import LATE_LIMIT_DAYS, NOW_MS, batch_of, beat, json_of, stream_of
from tests.serve.recording_log import RecordingLog

CALLERS = {
    "ann": Caller("ann", frozenset({Scope.LISTENER})),
    "bob": Caller("bob", frozenset({Scope.LISTENER})),
    "gateway": Caller("gw", frozenset({Scope.INGEST})),
    "both": Caller("ann", frozenset({Scope.LISTENER, Scope.INGEST})),
    "operator": Caller("op", frozenset({Scope.OPERATOR})),
}
JSON_OF_ANN = {"Authorization": "Bearer ann", "Content-Type": "application/json"}
ARROW_OF_GATEWAY = {"Authorization": "Bearer gateway", "Content-Type": ARROW}
PATH = "/v1/heartbeats"


async def authenticate(request: Request) -> Caller:
    caller = CALLERS.get(bearer_token(request))
    if caller is None:
        raise unauthorized("unknown")
    return caller


@asynccontextmanager
async def client_of(log: LogEnd, *, linger_ms: float = 0) -> AsyncIterator[httpx.AsyncClient]:
    app = build_ingest(
        log=log,
        authenticate=authenticate,
        late_limit_days=LATE_LIMIT_DAYS,
        now_ms=lambda: NOW_MS,
        linger_ms=linger_ms,
    )
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://h", headers=JSON_OF_ANN) as client,
    ):
        yield client


async def post(body: bytes, log: RecordingLog | None = None, **headers: str) -> httpx.Response:
    async with client_of(log or RecordingLog()) as client:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.post(PATH, content=body, headers=sent)


def error_of(answer: httpx.Response) -> tuple[int, str]:
    error = answer.json()["error"]
    assert error["status"] == answer.status_code
    assert isinstance(error["message"], str)
    return answer.status_code, error["reason"]


async def test_what_is_accepted_is_in_the_log() -> None:
    log = RecordingLog()

    answer = await post(json_of([beat(id="h1"), beat(id="h2", play_id="p")]), log)

    assert answer.status_code == 202
    assert answer.content == b'{"accepted":2,"rejected":[]}'
    assert answer.headers["content-type"] == "application/json"
    assert [(one.listener_id, one.id, one.play_id) for one in log.heartbeats()] == [
        ("ann", "h1", ""),
        ("ann", "h2", "p"),
    ]


async def test_bad_items_are_listed_and_good_ones_are_in_the_log() -> None:
    log = RecordingLog()

    answer = await post(json_of([beat(), beat(id="h2", at=1), beat(id="h3", at="x"), 7]), log)

    refused = [
        {
            "index": 1,
            "id": "h2",
            "field": "at",
            "reason": "too_old",
            "message": "at is more than 30 days ago",
        },
        {
            "index": 2,
            "id": "h3",
            "field": "at",
            "reason": "invalid",
            "message": "at must be an integer, milliseconds since the epoch",
        },
        {
            "index": 3,
            "id": None,
            "field": None,
            "reason": "invalid",
            "message": "a heartbeat must be an object",
        },
    ]
    assert answer.status_code == 202
    assert answer.json() == {"accepted": 1, "rejected": refused}
    assert [one.id for one in log.heartbeats()] == ["h1"]


async def test_when_nothing_is_accepted_nothing_is_appended() -> None:
    log = RecordingLog()

    answer = await post(json_of([{}]), log)

    assert (answer.status_code, answer.json()["accepted"]) == (202, 0)
    assert log.appends == []


async def test_a_retry_is_accepted_again_and_says_the_same() -> None:
    log = RecordingLog()
    body = json_of([beat(id="h1"), beat(id="h2")])

    answers = [await post(body, log) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    first, second = log.heartbeats()[:2], log.heartbeats()[2:]
    assert first == second


async def test_requests_at_once_share_a_record() -> None:
    log = RecordingLog()
    async with client_of(log, linger_ms=50) as client:
        answers = await asyncio.gather(
            *(client.post(PATH, content=json_of([beat(id=f"h{n}")])) for n in range(50))
        )

    assert {answer.status_code for answer in answers} == {202}
    assert len(log.appends) <= 5
    assert {one.id for one in log.heartbeats()} == {f"h{n}" for n in range(50)}


async def test_a_token_says_whose_heartbeats_they_are() -> None:
    log = RecordingLog()
    body = json_of([beat(id="mine"), beat(id="theirs", listener_id="ann")])

    answer = await post(body, log, Authorization="Bearer bob")

    (refused,) = answer.json()["rejected"]
    assert (refused["index"], refused["field"], refused["reason"]) == (1, "listener_id", "invalid")
    assert [(one.listener_id, one.id) for one in log.heartbeats()] == [("bob", "mine")]


@pytest.mark.parametrize("token", ["gateway", "both"])
async def test_a_gateway_posts_for_many(token: str) -> None:
    log = RecordingLog()
    body = json_of([*(beat(listener_id=f"l{n}") for n in range(20)), beat()])

    answer = await post(body, log, Authorization=f"Bearer {token}")

    assert answer.json()["accepted"] == 20
    assert [(one["index"], one["field"]) for one in answer.json()["rejected"]] == [
        (20, "listener_id")
    ]
    assert {one.listener_id for one in log.heartbeats()} == {f"l{n}" for n in range(20)}


@pytest.mark.parametrize("count", [3, 5_000])
async def test_a_gateway_may_send_an_arrow_stream(count: int) -> None:
    log = RecordingLog()
    good = [beat(listener_id=f"l{n}", id=f"h{n}") for n in range(count)]

    answer = await post(
        stream_of(batch_of([*good, beat(listener_id="late", at=1)])), log, **ARROW_OF_GATEWAY
    )

    assert answer.status_code == 202
    assert answer.json()["accepted"] == count
    assert [(one["index"], one["reason"]) for one in answer.json()["rejected"]] == [
        (count, "too_old")
    ]
    assert {one.id for one in log.heartbeats()} == {f"h{n}" for n in range(count)}


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        pytest.param(b"", {}, 400, "malformed", id="empty"),
        pytest.param(b"{", {}, 400, "malformed", id="truncated"),
        pytest.param(b"[]", {}, 400, "malformed", id="a-list"),
        pytest.param(b'{"heartbeats":[]}', {}, 400, "malformed", id="no-item"),
        pytest.param(b"\xff", {}, 400, "malformed", id="not-utf-8"),
        pytest.param(b"[" * 500_000, {}, 400, "malformed", id="deep"),
        pytest.param(json_of([beat()] * 1_001), {}, 400, "malformed", id="1001-items"),
        pytest.param(b" " * (MOST_JSON_BYTES + 1), {}, 413, "too_large", id="huge"),
        pytest.param(
            json_of([beat()]),
            {"Content-Type": "text/plain"},
            415,
            "unsupported_media_type",
            id="text",
        ),
        pytest.param(
            json_of([beat()]),
            {"Content-Type": "application/x-www-form-urlencoded"},
            415,
            "unsupported_media_type",
            id="form",
        ),
        pytest.param(
            json_of([beat()]),
            {"Content-Encoding": "gzip"},
            415,
            "unsupported_media_type",
            id="compressed",
        ),
        pytest.param(
            json_of([beat()]), {"Authorization": "Bearer x"}, 401, "invalid_token", id="forged"
        ),
        pytest.param(
            json_of([beat()]), {"Authorization": "Basic x"}, 401, "token_missing", id="basic"
        ),
        pytest.param(
            json_of([beat()]),
            {"Authorization": "Bearer operator"},
            403,
            "insufficient_scope",
            id="operator",
        ),
        pytest.param(
            stream_of(batch_of([beat(listener_id="ann")])),
            {"Content-Type": ARROW},
            403,
            "insufficient_scope",
            id="arrow-of-a-listener",
        ),
        pytest.param(b"x", ARROW_OF_GATEWAY, 400, "malformed", id="not-arrow"),
        pytest.param(
            stream_of(batch_of([])), ARROW_OF_GATEWAY, 400, "empty", id="arrow-without-rows"
        ),
        pytest.param(
            stream_of(batch_of([beat()]).drop_columns(["at"])),
            ARROW_OF_GATEWAY,
            400,
            "invalid_column",
            id="arrow-without-at",
        ),
        pytest.param(json_of([beat()]), ARROW_OF_GATEWAY, 400, "malformed", id="json-called-arrow"),
        pytest.param(stream_of(batch_of([beat()])), {}, 400, "malformed", id="arrow-called-json"),
    ],
)
async def test_a_request_that_cannot_be_taken_is_answered_with_its_reason(
    body: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    log = RecordingLog()

    answer = await post(body, log, **headers)

    assert error_of(answer) == (status, reason)
    assert log.appends == []


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/hb+json"]
)
async def test_json_may_be_called_so(content_type: str) -> None:
    assert (await post(json_of([beat()]), Content_Type=content_type)).status_code == 202


async def test_a_body_without_a_type_is_json() -> None:
    async with client_of(RecordingLog()) as client:
        del client.headers["Content-Type"]

        assert (await client.post(PATH, content=json_of([beat()]))).status_code == 202


async def test_a_slash_at_the_end_is_as_good() -> None:
    async with client_of(RecordingLog()) as client:
        assert (await client.post(f"{PATH}/", content=json_of([beat()]))).status_code == 202


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_there_is_nothing_but_post(method: str) -> None:
    async with client_of(RecordingLog()) as client:
        answer = await client.request(method, PATH)

    assert error_of(answer) == (405, "method_not_allowed")


async def test_a_body_that_comes_in_pieces_is_cut_off_at_the_limit() -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1 << 16
            yield b" " * (1 << 16)

    async with client_of(RecordingLog()) as client:
        answer = await client.post(PATH, content=endless())

    assert error_of(answer) == (413, "too_large")
    assert taken <= MOST_JSON_BYTES + (1 << 17)


async def test_a_body_that_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "BODY_TIMEOUT_S", 0.01)

    async def stalling() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with client_of(RecordingLog()) as client:
        answer = await client.post(PATH, content=stalling())

    assert error_of(answer) == (408, "request_timeout")


@pytest.mark.parametrize("failure", [Unavailable("disk full at /secret"), TimeoutError()])
async def test_what_the_log_does_not_take_is_not_acknowledged(failure: Exception) -> None:
    log = RecordingLog()
    log.failures.append(failure)

    answer = await post(json_of([beat()]), log)

    assert error_of(answer) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert "secret" not in answer.text


async def test_when_too_much_waits_more_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appender, "MOST_WAITING_ROWS", 5)
    log = RecordingLog()
    log.open.clear()
    async with client_of(log) as client:
        first = asyncio.create_task(client.post(PATH, content=json_of([beat()] * 5)))
        async with asyncio.timeout(5):
            await log.asked.wait()
        answer = await client.post(PATH, content=json_of([beat()]))
        log.open.set()

        assert error_of(answer) == (503, "overloaded")
        assert int(answer.headers["retry-after"]) >= 1
        assert (await first).status_code == 202


async def test_bodies_on_their_way_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    body = json_of([beat()])
    monkeypatch.setattr(ingest, "MOST_HELD_BYTES", 2 * len(body) - 1)
    log = RecordingLog()
    log.open.clear()
    async with client_of(log) as client:
        first = asyncio.create_task(client.post(PATH, content=body))
        async with asyncio.timeout(5):
            await log.asked.wait()
        turned_away = await client.post(PATH, content=body)
        log.open.set()

        assert error_of(turned_away) == (503, "overloaded")
        assert (await first).status_code == 202
        assert (await client.post(PATH, content=body)).status_code == 202


async def test_what_was_announced_but_does_not_come_takes_no_room_from_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = json_of([beat()])
    monkeypatch.setattr(ingest, "MOST_HELD_BYTES", 2 * len(body) - 1)
    comes = asyncio.Event()

    async def trickle() -> AsyncIterator[bytes]:
        yield body[:1]
        await comes.wait()
        yield body[1:]

    async with client_of(RecordingLog()) as client:
        headers = {"content-length": str(len(body)), "content-type": "application/json"}
        slow = asyncio.create_task(client.post(PATH, content=trickle(), headers=headers))
        await asyncio.sleep(0)

        assert (await client.post(PATH, content=body)).status_code == 202
        assert not slow.done()
        comes.set()
        assert (await slow).status_code == 202


async def test_a_client_that_goes_away_takes_nothing_with_it() -> None:
    log = RecordingLog()
    log.open.clear()
    async with client_of(log) as client:
        gone = asyncio.create_task(client.post(PATH, content=json_of([beat(id="gone")])))
        stays = asyncio.create_task(client.post(PATH, content=json_of([beat(id="stays")])))
        async with asyncio.timeout(5):
            await log.asked.wait()
        gone.cancel()
        await asyncio.wait([gone])
        log.open.set()

        assert (await stays).status_code == 202
        assert (await client.post(PATH, content=json_of([beat(id="next")]))).status_code == 202
    assert {"stays", "next"} <= {one.id for one in log.heartbeats()}


async def test_the_application_ends_when_everything_is_in_the_log() -> None:
    log = RecordingLog()
    log.open.clear()
    async with client_of(log) as client:
        request = asyncio.create_task(client.post(PATH, content=json_of([beat()])))
        async with asyncio.timeout(5):
            await log.asked.wait()
        asyncio.get_running_loop().call_soon(log.open.set)

    assert len(log.heartbeats()) == 1
    assert (await request).status_code == 202


async def test_a_real_log_has_what_was_accepted_when_it_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    log = SqliteLog.open(path, partitions=3, now_ms=lambda: NOW_MS)
    bodies = [[beat(id=f"{n}-{m}", listener_id=f"l{m}") for m in range(5)] for n in range(20)]
    async with client_of(log) as client:
        answers = await asyncio.gather(
            *(
                client.post(
                    PATH, content=json_of(items), headers={"Authorization": "Bearer gateway"}
                )
                for items in bodies
            )
        )
    await log.close()

    assert {answer.status_code for answer in answers} == {202}
    again = SqliteLog.open(path, partitions=3, now_ms=lambda: NOW_MS)
    found = await everything_in(again)
    await again.close()
    assert sorted(found) == sorted(f"{n}-{m}" for n in range(20) for m in range(5))


async def everything_in(log: SqliteLog) -> list[str]:
    generation = await log.generation()
    return [
        one.id
        for partition in range(generation.partitions)
        for record in await log.read(generation, partition, 0, most_bytes=1 << 20)
        for one in heartbeats_of(decode(record.payload))
    ]


CONTENT_TYPES = st.sampled_from(["application/json", ARROW, "", "text/plain", ";", "\x7f"])


@given(st.binary() | st.text().map(str.encode), CONTENT_TYPES, st.sampled_from(sorted(CALLERS)))
async def test_no_body_is_a_fault_of_ours(body: bytes, content_type: str, token: str) -> None:
    answer = await post(body, Content_Type=content_type, Authorization=f"Bearer {token}")

    assert error_of(answer)[0] in {400, 403, 415}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda values: st.lists(values) | st.dictionaries(st.sampled_from(SCHEMA.names), values),
        max_leaves=20,
    )
)
async def test_no_json_is_a_fault_of_ours(value: Any) -> None:
    whole = await post(msgspec.json.encode(value))
    inside = await post(msgspec.json.encode({"heartbeats": value}))
    item = await post(msgspec.json.encode({"heartbeats": [value]}))

    assert whole.status_code == 400
    assert inside.status_code in {202, 400}
    assert item.status_code == 202


async def test_a_small_body_that_grows_takes_the_room_of_what_it_became() -> None:
    log = RecordingLog()
    log.open.clear()
    many = [beat(listener_id="ann", id="x" * 128, track_id="y" * 128, context="z" * 256)]
    rows = batch_of(many).take(pa.array(np.zeros(100_000, np.int64)))
    body = stream_of(rows, compression="zstd")
    assert 2 * len(body) < appender.MOST_WAITING_BYTES < 2 * rows.nbytes

    async with client_of(log) as client:
        waiting = [
            asyncio.create_task(client.post(PATH, content=body, headers=ARROW_OF_GATEWAY))
            for _ in range(2)
        ]
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        log.open.set()
        answers = await asyncio.gather(*waiting)

    assert {answer.status_code for answer in answers} == {202, 503}
    assert {one.result().status_code for one in done} == {503}
