import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import httpx
import msgspec
import pyarrow as pa
import pytest

from domain.catalogue import EntityKind
from domain.catalogue_items import MOST_IMAGES
from domain.errors import Unavailable
from serve import catalogue_writes, labels, stale_claims
from serve.arrow_streams import ARROW
from serve.catalogue_items import MOST_ITEMS
from serve.catalogue_lines import MOST_LINE_BYTES, NDJSON
from stores.accounts import Scope
from tests.domain.catalogue import ALBUM, ARTIST, RIGHT, TRACK
from tests.serve.bodies import stream_of
from tests.serve.world import HOST, World

PATHS = {kind: f"/v1/catalogue/{kind}s" for kind in EntityKind}
ARTISTS, ALBUMS, TRACKS = PATHS.values()


def lines_of(items: Iterable[Any]) -> bytes:
    return b"\n".join(map(msgspec.json.encode, items))


def columns_of(items: Iterable[Mapping[str, Any]]) -> bytes:
    (batch,) = pa.Table.from_pylist(list(items)).to_batches()
    return stream_of(batch, compression="zstd")


async def ask(
    world: World, method: str, path: str, content: Any = b"", kind: str | None = None, **how: Any
) -> httpx.Response:
    name = "label"
    account = await world.accounts.by_name(name) or await world.account(name, Scope.LABEL)
    headers = {"Content-Type": kind} if kind else {}
    async with world.client(account) as client:
        return await client.request(method, path, content=content, headers=headers, **how)


async def post(world: World, path: str, *items: Any) -> Any:
    answer = await ask(world, "POST", path, lines_of(items), NDJSON)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def put(world: World, path: str, fields: Any) -> httpx.Response:
    return await ask(world, "PUT", path, msgspec.json.encode(fields))


async def everything(world: World) -> None:
    """Post an artist with an album with a track."""
    for path, item in ((ARTISTS, ARTIST), (ALBUMS, ALBUM), (TRACKS, TRACK)):
        assert await post(world, path, item) == {"accepted": 1, "rejected": []}


def track(number: int, **changes: Any) -> dict[str, Any]:
    return TRACK | {"id": f"t{number}", "isrc": f"GBAYE02{number:05}"} | changes


async def test_what_a_label_writes_is_read_at_once(world: World) -> None:
    await everything(world)

    shown = (await ask(world, "GET", f"/v1/tracks/{TRACK['id']}")).json()

    assert (shown["name"], shown["artists"][0]["name"]) == ("The Scientist", "Coldplay")
    assert shown["album"]["name"] == "A Rush of Blood to the Head"
    assert shown["external_ids"] == {"isrc": "GBAYE0200771"}


async def test_columns_are_read_as_lines_are(world: World) -> None:
    for kind, path in PATHS.items():
        answer = await ask(world, "POST", path, columns_of([RIGHT[kind]]), ARROW)
        assert answer.json() == {"accepted": 1, "rejected": []}, kind
    by_columns = [await world.catalogue.held(kind, [RIGHT[kind]["id"]]) for kind in EntityKind]

    await everything(world)
    by_lines = [await world.catalogue.held(kind, [RIGHT[kind]["id"]]) for kind in EntityKind]

    assert by_columns == by_lines
    assert all(by_lines)


async def test_each_item_is_taken_or_refused_by_itself(world: World) -> None:
    await post(world, ARTISTS, ARTIST)
    await post(world, ALBUMS, ALBUM)
    lines = [
        msgspec.json.encode(track(1)),
        b"",
        b"{",
        b'{"id": "t2", "name": "\xff"}',
        msgspec.json.encode(track(3, name=" ")),
        msgspec.json.encode(track(4, duration_ms=0)),
        msgspec.json.encode(track(5, artists=["nobody"])),
        msgspec.json.encode(track(6, album="none")),
        msgspec.json.encode(track(7, isrc=track(1)["isrc"])),
        msgspec.json.encode(track(8)),
        b"[" * 50_000,
        b" " * (MOST_LINE_BYTES + 1) + b"{}",
        b"7\r",
    ]

    answer = await ask(world, "POST", TRACKS, b"\n".join(lines), NDJSON)

    receipt = answer.json()
    assert (answer.status_code, receipt["accepted"]) == (200, 2)
    assert [(one["index"], one["id"], one["field"], one["reason"]) for one in receipt["rejected"]] == [
        (1, None, None, "invalid"),
        (2, None, None, "invalid"),
        (3, "t3", "name", "invalid"),
        (4, "t4", "duration_ms", "invalid"),
        (5, "t5", "artists", "unknown"),
        (6, "t6", "album", "unknown"),
        (7, "t7", "isrc", "taken"),
        (9, None, None, "invalid"),
        (10, None, None, "invalid"),
        (11, None, None, "invalid"),
    ]  # fmt: skip
    assert set(await world.catalogue.tracks(f"t{number}" for number in range(12))) == {"t1", "t8"}


async def test_the_same_again_changes_nothing(world: World) -> None:
    await everything(world)
    before = await world.catalogue.held(EntityKind.TRACK, [TRACK["id"]])

    world.clock.advance(1_000)
    await everything(world)

    assert await world.catalogue.held(EntityKind.TRACK, [TRACK["id"]]) == before


async def test_ten_thousand_are_taken_and_one_more_is_not(world: World) -> None:
    items = [{"id": f"a{number}", "name": "A"} for number in range(MOST_ITEMS)]

    assert await post(world, ARTISTS, *items) == {"accepted": MOST_ITEMS, "rejected": []}
    for body, kind in (
        (lines_of([*items, *items[:1]]), NDJSON),
        (columns_of([*items, *items[:1]]), ARROW),
        (b"\n" * (3 * MOST_ITEMS), NDJSON),
    ):
        answer = await ask(world, "POST", ARTISTS, body, kind)
        assert (answer.status_code, answer.json()["error"]["reason"]) == (400, "too_many")


@pytest.mark.parametrize(
    ("body", "kind", "status", "reason"),
    [
        pytest.param(b"", NDJSON, 400, "empty", id="no-lines"),
        pytest.param(b"\n \r\n", NDJSON, 400, "empty", id="blank-lines"),
        pytest.param(b"", ARROW, 400, "malformed", id="no-stream"),
        pytest.param(b"\x80\x04N.", ARROW, 400, "malformed", id="a-pickle"),
        pytest.param(columns_of([{"id": "1"}]), ARROW, 400, "invalid_column", id="no-name"),
        pytest.param(
            columns_of([{"id": 1, "name": "A"}]), ARROW, 400, "invalid_column", id="not-text"
        ),
        pytest.param(
            columns_of([{"id": "1", "name": "A", "nme": "A"}]),
            ARROW, 400, "invalid_column", id="misspelt",
        ),
        pytest.param(
            columns_of([{"id": "1", "name": "A", "genres": "pop"}]),
            ARROW, 400, "invalid_column", id="no-list",
        ),
        pytest.param(
            columns_of([{"id": "1", "name": "A", "images": [{"url": "x", "size": 1}]}]),
            ARROW, 400, "invalid_column", id="no-image",
        ),
        pytest.param(
            columns_of([{"id": "1", "name": "A", "genres": ["x"] * 513}]),
            ARROW, 400, "too_large", id="a-long-list",
        ),
        pytest.param(b"{}", "application/json", 415, "unsupported_media_type", id="json"),
        pytest.param(b" " * (labels.MOST_BODY_BYTES + 1), NDJSON, 413, "too_large", id="too-long"),
    ],
)  # fmt: skip
async def test_a_body_that_is_no_items_is_refused(
    world: World, body: bytes, kind: str, status: int, reason: str
) -> None:
    answer = await ask(world, "POST", ARTISTS, body, kind)

    assert (answer.status_code, answer.json()["error"]["reason"]) == (status, reason)


async def test_a_wrong_row_of_columns_is_refused_by_itself(world: World) -> None:
    good = {"id": "1", "name": "A", "images": [{"url": "https://x", "width": None}]}
    body = columns_of([good, good | {"id": None}, good | {"id": "2", "images": [good["images"][0]] * (MOST_IMAGES + 1)}])  # fmt: skip

    receipt = (await ask(world, "POST", ARTISTS, body, ARROW)).json()

    assert receipt["accepted"] == 1
    assert [(one["index"], one["id"], one["field"]) for one in receipt["rejected"]] == [
        (1, None, "id"),
        (2, "2", "images"),
    ]


async def test_one_is_put_and_read_where_it_says(world: World) -> None:
    answer = await put(world, f"{ARTISTS}/a1", {"name": "Air", "popularity": 70})

    assert (answer.status_code, answer.json()) == (
        200,
        {
            "href": f"{HOST}/v1/artists/a1",
            "id": "a1",
            "type": "artist",
            "uri": "heartline:artist:a1",
        },
    )
    shown = (await ask(world, "GET", answer.json()["href"])).json()
    assert (shown["name"], shown["popularity"]) == ("Air", 70)


@pytest.mark.parametrize(
    ("path", "fields", "status", "field"),
    [
        (f"{ARTISTS}/a-1", {"name": "A"}, 422, "id"),
        (f"{ARTISTS}/a1", {"name": "A", "id": "a2"}, 422, "id"),
        (f"{ARTISTS}/a1", {"name": "A", "id": ["a1"]}, 422, "id"),
        (f"{ARTISTS}/a1", {"name": ""}, 422, "name"),
        (f"{ARTISTS}/a1", {}, 422, "name"),
        (f"{ARTISTS}/a1", [], 422, None),
        (f"{ARTISTS}/a1", {"name": "A", "nam": "B"}, 422, "nam"),
        (f"{ALBUMS}/l1", {"name": "L", "artists": ["nobody"]}, 422, "artists"),
        (f"{TRACKS}/t1", TRACK | {"id": "t1"}, 409, "isrc"),
    ],
)
async def test_one_that_is_wrong_is_refused_by_name(
    world: World, path: str, fields: Any, status: int, field: str | None
) -> None:
    await everything(world)

    answer = await put(world, path, fields)

    assert (answer.status_code, answer.json()["error"].get("field")) == (status, field)


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 400), (b"{", 400), (b"\xff", 400), (b" " * 70_000, 413)]
)
async def test_one_that_is_no_json_is_refused(world: World, body: bytes, status: int) -> None:
    assert (await ask(world, "PUT", f"{ARTISTS}/a1", body)).status_code == status


async def test_what_is_removed_is_gone_and_may_be_removed_again(world: World) -> None:
    await everything(world)
    path = f"{TRACKS}/{TRACK['id']}"

    removed = [await ask(world, "DELETE", path) for _ in range(2)]

    assert [answer.status_code for answer in removed] == [204, 204]
    assert (await ask(world, "GET", f"/v1/tracks/{TRACK['id']}")).status_code == 404
    assert (await ask(world, "DELETE", f"{TRACKS}/none")).status_code == 204
    assert (await ask(world, "DELETE", f"{TRACKS}/%00")).status_code == 204


async def test_what_others_name_cannot_go_before_them(world: World) -> None:
    await everything(world)
    paths = [
        f"{ARTISTS}/{ARTIST['id']}",
        f"{ALBUMS}/{ALBUM['id']}",
        f"{TRACKS}/{TRACK['id']}",
    ]

    in_order = [(await ask(world, "DELETE", path)).status_code for path in paths]
    in_reverse = [(await ask(world, "DELETE", path)).status_code for path in reversed(paths)]

    assert in_order == [409, 409, 204]
    assert in_reverse == [204, 204, 204]


async def test_an_isrc_is_free_when_its_track_is_gone_or_has_another(world: World) -> None:
    await everything(world)
    other = track(1, isrc=TRACK["isrc"])

    refused = await put(world, f"{TRACKS}/t1", other)
    await put(world, f"{TRACKS}/{TRACK['id']}", TRACK | {"isrc": "GBAYE0200999"})
    after_change = await put(world, f"{TRACKS}/t1", other)
    await ask(world, "DELETE", f"{TRACKS}/t1")
    after_removal = await put(world, f"{TRACKS}/{TRACK['id']}", TRACK)

    answers = [refused, after_change, after_removal]
    assert [answer.status_code for answer in answers] == [409, 200, 200]


async def test_an_isrc_whose_track_never_came_is_free_after_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await everything(world)
    other = track(1, isrc="GBAYE0200999")
    await world.isrcs.claim({"GBAYE0200999": "dead", "GBAYE0200771": TRACK["id"]})

    at_first = await put(world, f"{TRACKS}/t1", other)
    monkeypatch.setattr(stale_claims, "SEEN_S", 0.0)
    later = await put(world, f"{TRACKS}/t1", other)
    of_a_living_one = await put(world, f"{TRACKS}/t1", other | {"isrc": TRACK["isrc"]})

    answers = [at_first, later, of_a_living_one]
    assert [answer.status_code for answer in answers] == [409, 200, 409]
    assert await world.isrcs.holders(["GBAYE0200999"]) == {"GBAYE0200999": "t1"}


async def test_of_two_labels_at_once_one_has_the_isrc(world: World) -> None:
    await post(world, ARTISTS, ARTIST)
    bodies = [track(number, isrc=TRACK["isrc"], album=None) for number in range(4)]

    answers = await asyncio.gather(*(put(world, f"{TRACKS}/{one['id']}", one) for one in bodies))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


async def test_what_the_store_lacks_still_is_202(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_writes, "APPLIED_TIMEOUT_S", 0.05)
    world.following.cancel()

    posted = await ask(world, "POST", ARTISTS, lines_of([ARTIST]), NDJSON)
    written = await put(world, f"{ARTISTS}/a1", {"name": "Air"})
    named = await ask(world, "POST", ALBUMS, lines_of([ALBUM]), NDJSON)
    await world.cataloguer.catch_up()

    answers = [posted, written]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert posted.json() == {"accepted": 1, "rejected": []}
    assert (named.status_code, named.headers["Retry-After"]) == (503, "2")
    assert set(await world.catalogue.artists([ARTIST["id"], "a1"])) == {ARTIST["id"], "a1"}


async def test_who_waits_for_the_store_keeps_nobody_from_writing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_writes, "APPLIED_TIMEOUT_S", 60.0)
    world.following.cancel()

    bodies = [lines_of([ARTIST | {"id": each}]) for each in ("a1", "a2")]
    await world.account("label", Scope.LABEL)
    writing = [asyncio.create_task(ask(world, "POST", ARTISTS, each, NDJSON)) for each in bodies]
    async with asyncio.timeout(20):
        while await world.changes.end() < len(bodies):
            await world.changes.wait(1.0)
    await world.cataloguer.catch_up()

    assert [(await each).status_code for each in writing] == [200, 200]


async def test_nothing_goes_while_the_store_cannot_tell_who_names_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post(world, ARTISTS, ARTIST)
    monkeypatch.setattr(catalogue_writes, "APPLIED_TIMEOUT_S", 0.05)
    world.following.cancel()
    await put(world, f"{ALBUMS}/{ALBUM['id']}", ALBUM)

    early = await ask(world, "DELETE", f"{ARTISTS}/{ARTIST['id']}")
    await world.cataloguer.catch_up()
    late = await ask(world, "DELETE", f"{ARTISTS}/{ARTIST['id']}")

    assert (early.status_code, early.headers["Retry-After"]) == (503, "2")
    assert late.status_code == 409
    assert await world.catalogue.artists([ARTIST["id"]])


async def test_what_is_removed_and_still_shown_is_202(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post(world, ARTISTS, ARTIST)
    monkeypatch.setattr(catalogue_writes, "APPLIED_TIMEOUT_S", 0.05)
    world.following.cancel()

    removed = await ask(world, "DELETE", f"{ARTISTS}/{ARTIST['id']}")
    await world.cataloguer.catch_up()

    assert removed.status_code == 202
    assert not await world.catalogue.artists([ARTIST["id"]])


async def test_a_log_that_is_away_is_503(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_changes: object) -> int:
        raise Unavailable("no brokers")

    monkeypatch.setattr(world.changes, "publish", away)

    answer = await put(world, f"{ARTISTS}/a1", {"name": "Air"})

    assert (answer.status_code, answer.json()["error"]["reason"]) == (503, "unavailable")


async def test_too_much_at_once_is_503(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "MOST_HELD_BYTES", 10)

    answer = await ask(world, "POST", ARTISTS, lines_of([ARTIST]), NDJSON)

    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
