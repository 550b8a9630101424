"""Whatever is sent, it is answered with 4xx in the shape of errors, and the field where there is one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from serve import inputs
from serve.account_bodies import NewAccount
from serve.app import DESCRIBED
from serve.errors import ApiError
from serve.inputs import MOST_BODY_BYTES, decode
from stores.accounts import Scope
from tests.serve.world import World

GOOD = b'{"name": "ada", "password": "correct horse"}'


async def sign_up(world: World, content: Any, content_type: str | None) -> httpx.Response:
    headers = {"Content-Type": content_type} if content_type else {}
    async with world.client() as client:
        return await client.post("/v1/accounts", content=content, headers=headers)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"", 400, id="empty"),
        pytest.param(b"{", 400, id="truncated"),
        pytest.param(GOOD[:-1], 400, id="truncated-at-the-end"),
        pytest.param(b'{"name": 1, "pass', 400, id="truncated-after-a-wrong-type"),
        pytest.param(GOOD + b"x", 400, id="trailing"),
        pytest.param(b"\xef\xbb\xbf" + GOOD, 400, id="byte-order-mark"),
        pytest.param(b'{"name": "\xff"}', 400, id="not-utf-8"),
        pytest.param(b'{"name": 1, "password": "\xff"}', 400, id="not-utf-8-after-a-wrong-type"),
        pytest.param(b'{"name": "\xed\xa0\x80"}', 400, id="surrogate-in-utf-8"),
        pytest.param(b'{"name": "\\ud800"}', 400, id="lone-surrogate"),
        pytest.param(b'{"name": "a\x00"}', 400, id="raw-nul"),
        pytest.param(b'{"name": NaN}', 400, id="nan"),
        pytest.param(b"[" * 500_000, 400, id="deep"),
        pytest.param(b"[" * 500_000 + b"]" * 500_000, 400, id="deep-and-closed"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400, id="deep-objects"),
        pytest.param(b"null", 422, id="null"),
        pytest.param(b"[]", 422, id="list"),
        pytest.param(b'"text"', 422, id="text"),
        pytest.param(b"1e999", 422, id="huge-number"),
        pytest.param(b'{"name": ' + b"9" * 5000 + b"}", 422, id="long-number"),
        pytest.param(b'{"name": 1e999, "password": "correct horse"}', 422, id="huge-float"),
        pytest.param(b'{"name": "a\\u0000", "password": "correct horse"}', 422, id="escaped-nul"),
        pytest.param(b" " * (MOST_BODY_BYTES + 1), 413, id="one-byte-too-many"),
    ],
)
async def test_a_bad_body_is_refused_in_the_shape_of_errors(
    world: World, body: bytes, status: int
) -> None:
    answer = await sign_up(world, body, "application/json")

    assert answer.status_code == answer.json()["error"]["status"] == status


async def test_a_body_without_a_length_is_cut_off_at_the_limit(world: World) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1 << 16
            yield b" " * (1 << 16)

    account = await world.account()
    messages = []
    chunks = endless()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": await anext(chunks), "more_body": True}

    async def send(message: Any) -> None:
        messages.append(message)

    token = world.bearer(account)["Authorization"].encode()
    headers = [(b"authorization", token), (b"transfer-encoding", b"chunked")]
    scope = {
        "type": "http", "method": "PUT", "path": "/v1/me", "query_string": b"", "headers": headers,
    }  # fmt: skip
    await world.main(scope, receive, send)

    assert messages[0]["status"] == 413
    assert sent <= MOST_BODY_BYTES + (2 << 16)


async def test_a_body_that_is_announced_too_long_is_not_read(world: World) -> None:
    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError
        yield b""

    async with world.client() as client:
        request = client.build_request(
            "POST", "/v1/accounts", content=unread(), headers={"Content-Length": "9" * 30}
        )
        answer = await client.send(request)

    assert answer.status_code == 413
    assert "Connection" not in answer.headers  # closing resets it, and nobody reads the answer


async def test_a_body_that_does_not_arrive_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "BODY_TIMEOUT_S", 0.01)

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    answer = await sign_up(world, slow(), "application/json")

    assert (answer.status_code, answer.headers["Connection"]) == (408, "close")


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "x", "json"],
)
async def test_a_body_of_another_type_is_415(world: World, content_type: str) -> None:
    async with world.client() as client:
        answer = await client.post(
            "/v1/accounts", content=GOOD, headers={"Content-Type": content_type}
        )

    assert answer.status_code == 415


async def test_a_compressed_body_is_415(world: World) -> None:
    async with world.client() as client:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        answer = await client.post("/v1/accounts", content=GOOD, headers=headers)

    assert answer.status_code == 415


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json", None],
)
async def test_json_may_call_itself_what_json_is_called(
    world: World, content_type: str | None
) -> None:
    assert (await sign_up(world, GOOD, content_type)).status_code == 201


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
documents = st.dictionaries(
    st.sampled_from(["name", "password", "time_zone", "display_name"]) | st.text(), json_values
)


@given(st.binary() | documents.map(msgspec.json.encode))
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    status = 200
    try:
        decode(body, msgspec.json.Decoder(NewAccount))
    except ApiError as error:
        status = error.status
    assert status in {200, 400, 422}


PATHS = sorted({endpoint.path for endpoint in DESCRIBED})


queries = st.binary(max_size=40) | st.builds(
    bytes.__add__,
    st.sampled_from(
        [b"week=", b"limit=", b"before=", b"after=", b"before=1&after=", b"limit=1&limit="]
    ),
    st.binary(max_size=20) | st.integers().map(lambda number: str(number).encode()),
)


class Hostile(NamedTuple):
    """A request as bytes; what ``token`` is None for comes with a good one."""

    path: str
    method: str
    query: bytes
    body: bytes
    token: bytes | None
    host: bytes


requests = st.builds(
    Hostile,
    st.sampled_from(PATHS),
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "OPTIONS", "TRACE", "X"]),
    queries,
    st.binary(max_size=60) | documents.map(msgspec.json.encode),
    st.none() | st.binary(max_size=40),
    st.binary(max_size=20) | st.just(b"music.example"),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests)
@example(Hostile("/v1/me/player/recently-played", "GET", b"x=\x80", b"", None, b"music.example"))
async def test_no_request_makes_a_500(world: World, request: Hostile) -> None:
    account = await world.accounts.by_name("ada") or await world.account("ada", *Scope)
    token = (
        world.bearer(account)["Authorization"].encode() if request.token is None else request.token
    )
    messages: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Any) -> None:
        messages.append(message)

    scope = {
        "type": "http", "method": request.method, "path": request.path, "scheme": "http",
        "query_string": request.query, "headers": [(b"authorization", token), (b"host", request.host)],
    }  # fmt: skip
    await world.main(scope, receive, send)
    await world.hot(scope, receive, send)

    statuses = [message["status"] for message in messages if "status" in message]
    assert len(statuses) == 2
    assert max(statuses) < 500
