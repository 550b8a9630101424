"""``/v1/search`` and ``/v1/suggest`` through the whole application, on a real index."""

import asyncio
from time import process_time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from msgspec.structs import replace

from domain.catalogue import Album, Artist, EntityKind, Removed, Track
from domain.errors import Unavailable
from domain.positions import NEVER
from domain.rows import Play
from domain.search import Candidate, Entry
from stores.tantivy_index import TantivyIndex
from stores.tantivy_writer import TantivyWriter
from stores.track_plays import TrackPlays
from streams.entry_maker import EntryMaker
from tests.serve.world import HOST, World

NINA = Artist("nina", "Nina Simone", genres=("jazz",), popularity=70)
MUSE = Artist("muse", "Muse", popularity=80)
BLUES = Album("blues", "Pastel Blues", ("nina",), released="1965-10")
ORIGIN = Album("origin", "Origin of Symmetry", ("muse",), released="2001-06-18", markets=("GB",))
SINNERMAN = Track("sin", "Sinnerman", ("nina",), "blues", 620_000, isrc="USPG16500001")
FEELING = Track("good", "Feeling Good", ("nina",), "", popularity=60)
COVER = Track("cover", "Feeling Good", ("muse",), "origin", popularity=75)
EVERYTHING = (NINA, MUSE, BLUES, ORIGIN, SINNERMAN, FEELING, COVER)
MOST_S = 0.2


async def index(world: World) -> None:
    """Bring the index up to the catalogue."""
    writer = TantivyWriter(world.directory / "search")
    entries = EntryMaker(world.catalogue, TrackPlays(world.tables))
    for kind in EntityKind:
        async for made in entries.all(kind):
            await writer.write(made)
    await writer.commit(0)
    await writer.close()


@pytest.fixture
async def shop(world: World) -> World:
    await world.describe(*EVERYTHING)
    await index(world)
    return world


async def ask(world: World, path: str, **asked: Any) -> httpx.Response:
    account = await world.accounts.by_name("ada") or await world.account()
    async with world.client(account) as client:
        return await client.get(path, params=asked)


async def search(world: World, text: str, **asked: Any) -> Any:
    answer = await ask(world, "/v1/search", q=text, **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(page: Any) -> list[str]:
    return [item["id"] for item in page["items"]]


async def test_each_type_has_a_page_of_its_objects(shop: World) -> None:
    found = await search(shop, "nina simone", type="track,album,artist,playlist")

    assert set(found) == {"tracks", "albums", "artists", "playlists", "did_you_mean"}
    assert (ids(found["artists"]), ids(found["albums"])) == (["nina"], ["blues"])
    assert set(ids(found["tracks"])) == {"sin", "good"}
    assert (found["playlists"]["items"], found["playlists"]["total"]) == ([], 0)
    assert found["artists"]["items"][0]["genres"] == ["jazz"]
    assert found["albums"]["items"][0]["release_date_precision"] == "month"


async def test_a_track_is_shown_whole(shop: World) -> None:
    (track,) = (await search(shop, "sinnerman", type="track"))["tracks"]["items"]

    assert (track["name"], track["uri"]) == ("Sinnerman", "heartline:track:sin")
    assert track["artists"][0]["name"] == "Nina Simone"
    assert (track["album"]["name"], track["external_ids"]) == (
        "Pastel Blues",
        {"isrc": "USPG16500001"},
    )


async def test_only_what_was_asked_for_is_there(shop: World) -> None:
    found = await search(shop, "nina", type="album")

    assert set(found) == {"albums", "did_you_mean"}


async def test_pages_lead_to_each_other(shop: World) -> None:
    first = (await search(shop, "feeling good", type="track", limit=1))["tracks"]
    account = await shop.accounts.by_name("ada")
    async with shop.client(account) as client:
        second = (await client.get(first["next"])).json()["tracks"]

    assert first["href"].startswith(f"{HOST}/v1/search?q=feeling")
    assert (first["total"], first["previous"]) == (2, None)
    assert [*ids(first), *ids(second)] == ["cover", "good"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("limit", "offset", "following"),
    [
        pytest.param(20, 80, 100, id="as-many-as-are-ordered-at-once"),
        pytest.param(50, 0, 50, id="of-the-first"),
        pytest.param(30, 970, 1_000, id="the-last-that-can-be-asked-for"),
        pytest.param(30, 990, None, id="nothing-farther-can"),
    ],
)
async def test_a_link_leads_to_what_follows(
    shop: World, monkeypatch: pytest.MonkeyPatch, limit: int, offset: int, following: int | None
) -> None:
    async def many(_self: object, _query: object, *_: object, limit: int, **__: object) -> object:
        entry = Entry(kind=EntityKind.TRACK, id="sin", name="Sinnerman")
        return [Candidate(replace(entry, id=f"{at}")) for at in range(limit)]

    monkeypatch.setattr(TantivyIndex, "propose", many)
    page = (await search(shop, "a", type="track", limit=limit, offset=offset))["tracks"]

    links = parse_qs(urlsplit(page["next"] or "").query)
    assert links.get("offset") == (None if following is None else [str(following)])


async def test_a_market_tells_what_is_playable(shop: World) -> None:
    tracks = (await search(shop, "feeling good", type="track", market="US"))["tracks"]["items"]

    assert {track["id"]: track["is_playable"] for track in tracks} == {"cover": False, "good": True}


async def test_filters_hold(shop: World) -> None:
    assert ids((await search(shop, "artist:muse", type="track"))["tracks"]) == ["cover"]
    assert ids((await search(shop, "year:1965", type="album"))["albums"]) == ["blues"]
    assert ids((await search(shop, "isrc:USPG16500001", type="track"))["tracks"]) == ["sin"]


async def test_who_listens_to_somebody_finds_them_first(shop: World) -> None:
    account = await shop.account("ada")
    before = ids((await search(shop, "feeling good", type="track"))["tracks"])
    plays = [
        Play(number, "sin", f"p{number}", number, number, 1, True, "", "", NEVER)
        for number in range(1, 20)
    ]
    shop.listening.history[account.listener_id] = plays
    same = ids((await search(shop, "feeling good", type="track"))["tracks"])
    shop.clock.advance(600_000)
    after = ids((await search(shop, "feeling good", type="track"))["tracks"])

    assert before == same == ["cover", "good"]
    assert after == ["good", "cover"]


async def test_what_has_gone_from_the_catalogue_is_not_shown(shop: World) -> None:
    await shop.describe(Removed(EntityKind.TRACK, "cover"))

    assert ids((await search(shop, "feeling good", type="track"))["tracks"]) == ["good"]


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("q", {}),
        ("q", {"q": ""}),
        ("q", {"q": "  "}),
        ("type", {"q": "a", "type": "song"}),
        ("type", {"q": "a", "type": "track,"}),
        ("limit", {"q": "a", "limit": "0"}),
        ("limit", {"q": "a", "limit": "51"}),
        ("limit", {"q": "a", "limit": "many"}),
        ("offset", {"q": "a", "offset": "1001"}),
        ("offset", {"q": "a", "offset": "-1"}),
        ("market", {"q": "a", "market": "XX"}),
    ],
)
async def test_what_is_wrong_is_refused_by_name(
    world: World, field: str, asked: dict[str, str]
) -> None:
    answer = await ask(world, "/v1/search", **asked)

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


HOSTILE = [
    '""""',
    "artist:",
    'artist:"nina',
    '"',
    "year:",
    "year:20000-1",
    "*" * 10_000,
    "\0",
    "a\0b",
    "nina " * 500,
    "sinermann " * 500,
    " ".join(f"word{number}" for number in range(500)),
    "(" * 5_000,
    "NOT " * 2_000,
    "name:x AND ~2",
    "a" * 10_000,
    "日本" * 1_000,
    "\U0001f600" * 1_000,
    "isrc:" * 1_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("path", ["/v1/search", "/v1/suggest"])
async def test_whatever_is_typed_is_answered_at_once(shop: World, path: str, text: str) -> None:
    await ask(shop, path, q="warm")
    began_s = process_time()  # others may have this machine
    answer = await ask(shop, path, q=text)

    assert answer.status_code in {200, 400}
    assert process_time() - began_s < MOST_S


# --- suggest -------------------------------------------------------------------------------------


async def suggested(world: World, text: str, **asked: Any) -> list[dict[str, Any]]:
    answer = await ask(world, "/v1/suggest", q=text, **asked)
    assert answer.status_code == 200, answer.text
    suggestions: list[dict[str, Any]] = answer.json()["suggestions"]
    return suggestions


async def test_names_are_suggested_as_one_types(shop: World) -> None:
    (suggestion,) = await suggested(shop, "sinn")

    assert suggestion == {
        "type": "track",
        "id": "sin",
        "name": "Sinnerman",
        "artists": ["Nina Simone"],
        "uri": "heartline:track:sin",
        "marks": [[0, 4]],
    }


async def test_as_many_are_suggested_as_asked(shop: World) -> None:
    assert [one["id"] for one in await suggested(shop, "feeling", limit=1)] == ["cover"]
    assert (await ask(shop, "/v1/suggest", q="a", limit=21)).json()["error"]["field"] == "limit"
    assert (await ask(shop, "/v1/suggest")).json()["error"]["field"] == "q"


# --- the engine away -----------------------------------------------------------------------------


async def test_an_engine_that_is_away_is_told_and_nothing_else_suffers(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> None:
        raise Unavailable("the index is on another disk")

    monkeypatch.setattr(shop.index, "propose", away)
    monkeypatch.setattr(shop.index, "complete", away)
    answers = [await ask(shop, path, q="nina") for path in ("/v1/search", "/v1/suggest")]
    track = await ask(shop, "/v1/tracks/sin")

    assert [answer.status_code for answer in answers] == [503, 503]
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    assert all("disk" not in answer.text for answer in answers)
    assert track.status_code == 200


async def test_many_search_at_once(shop: World) -> None:
    await ask(shop, "/v1/search", q="nina")
    answers = await asyncio.gather(*(ask(shop, "/v1/search", q="nina") for _ in range(50)))

    assert {answer.status_code for answer in answers} == {200}
