from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue import Album, Artist, Image, Track
from domain.ports import NowPlaying
from domain.rows import Play
from serve.history import FIRST_KEY, LAST_KEY, newer_page, older_page, parse_mark
from serve.playing import context_object, progress_ms
from stores.accounts import Account
from tests.clock import MONDAY_MS
from tests.serve.world import HOST, World, mark

PATH = "/v1/me/player/recently-played"


def play(key: int, at_ms: int = MONDAY_MS, **changes: Any) -> Play:
    usual = {
        "key": key,
        "track_id": f"track{key}",
        "play_id": f"play{key}",
        "played_at_ms": at_ms,
        "ended_at_ms": at_ms + 40_000,
        "ms_played": 40_000,
        "counted": True,
        "context": "",
        "device_id": "phone",
        "reached": 1,
    }
    return Play(**(usual | changes))  # type: ignore[arg-type]


async def read(
    world: World, account: Account, url: str = PATH, query: Mapping[str, object] | None = None
) -> httpx.Response:
    async with world.client(account) as client:
        return await client.get(url, params={k: str(v) for k, v in (query or {}).items()} or None)


async def follow(world: World, account: Account, **query: object) -> list[list[str]]:
    """Read every page that ``next`` leads to: the play ids of each."""
    page = (await read(world, account, query=query)).json()
    pages = [page]
    while pages[-1]["next"]:
        pages.append((await read(world, account, pages[-1]["next"])).json())
    return [[item["play_id"] for item in page["items"]] for page in pages]


def joined(pages: Iterable[list[str]]) -> list[str]:
    return list(chain.from_iterable(pages))


async def test_a_play_is_shown_in_spotifys_shape_with_what_was_listened_of_it(world: World) -> None:
    account = await world.account()
    await world.describe(
        Artist("u2", "U2"),
        Album("ab", "Achtung Baby", ("u2",), released="1991-11-18", images=(Image("u", 9, 9),)),
        Track("track1", "One", ("u2",), "ab", 276_000, track_number=3, isrc="IE-AAA-91-00001"),
    )
    world.listening.history[account.listener_id] = [
        play(1, MONDAY_MS + 7, context="heartline:playlist:37i9")
    ]

    answer = await read(world, account, query={"limit": 5})

    artist = {
        "external_urls": {},
        "href": f"{HOST}/v1/artists/u2",
        "id": "u2",
        "name": "U2",
        "type": "artist",
        "uri": "heartline:artist:u2",
    }
    album = {
        "album_type": "album",
        "artists": [artist],
        "external_urls": {},
        "href": f"{HOST}/v1/albums/ab",
        "id": "ab",
        "images": [{"url": "u", "width": 9, "height": 9}],
        "name": "Achtung Baby",
        "release_date": "1991-11-18",
        "release_date_precision": "day",
        "total_tracks": 1,
        "type": "album",
        "uri": "heartline:album:ab",
    }
    assert answer.status_code == 200
    assert answer.json() == {
        "href": f"{HOST}{PATH}?limit=5",
        "items": [
            {
                "track": {
                    "id": "track1",
                    "name": "One",
                    "href": f"{HOST}/v1/tracks/track1",
                    "uri": "heartline:track:track1",
                    "artists": [artist],
                    "album": album,
                    "disc_number": 1,
                    "duration_ms": 276_000,
                    "explicit": False,
                    "external_ids": {"isrc": "IE-AAA-91-00001"},
                    "external_urls": {},
                    "is_local": False,
                    "popularity": 0,
                    "preview_url": None,
                    "track_number": 3,
                    "type": "track",
                },
                "played_at": "2026-11-16T00:00:00.007Z",
                "context": {
                    "type": "playlist",
                    "uri": "heartline:playlist:37i9",
                    "href": f"{HOST}/v1/playlists/37i9",
                    "external_urls": {},
                },
                "ms_played": 40_000,
                "play_id": "play1",
                "counted": True,
            }
        ],
        "limit": 5,
        "next": None,
        "cursors": {"after": f"{MONDAY_MS + 7}", "before": f"{MONDAY_MS + 7}"},
    }


async def test_a_track_that_nobody_described_is_named_by_its_id(world: World) -> None:
    account = await world.account()
    world.listening.history[account.listener_id] = [play(1, track_id="a/b ?é")]

    item = (await read(world, account)).json()["items"][0]

    assert item["track"]["name"] == "a/b ?é"
    assert item["track"]["href"] == f"{HOST}/v1/tracks/a%2Fb%20%3F%C3%A9"
    assert item["track"]["artists"] == []
    assert item["context"] is None


async def test_nothing_played_is_an_empty_page(world: World) -> None:
    account = await world.account()

    page = (await read(world, account)).json()

    assert (page["items"], page["next"], page["cursors"]) == ([], None, None)


async def test_following_next_reads_every_play_once_newest_first(world: World) -> None:
    account = await world.account()
    plays = [play(number, MONDAY_MS + number) for number in range(12)]
    world.listening.history[account.listener_id] = plays

    pages = await follow(world, account, limit=5)

    assert [len(page) for page in pages] == [5, 5, 2]
    assert joined(pages) == [f"play{number}" for number in reversed(range(12))]


async def test_twenty_are_shown_when_nothing_is_said(world: World) -> None:
    account = await world.account()
    plays = [play(number, MONDAY_MS + number) for number in range(30)]
    world.listening.history[account.listener_id] = plays

    page = (await read(world, account)).json()

    assert (len(page["items"]), page["limit"]) == (20, 20)


async def test_plays_of_one_instant_are_neither_lost_nor_repeated(world: World) -> None:
    account = await world.account()
    keys = [FIRST_KEY, 1, 7, 8, 1 << 63, LAST_KEY]
    world.listening.history[account.listener_id] = [play(key) for key in keys]

    older = await follow(world, account, limit=2)
    newer = await follow(world, account, limit=2, after=MONDAY_MS - 1)

    assert joined(older) == [f"play{key}" for key in reversed(keys)]
    assert joined(page[::-1] for page in newer) == [f"play{key}" for key in keys]


async def test_after_leads_from_old_to_new_in_pages_that_are_newest_first(world: World) -> None:
    account = await world.account()
    plays = [play(number, MONDAY_MS + number) for number in range(5)]
    world.listening.history[account.listener_id] = plays

    pages = await follow(world, account, limit=2, after=MONDAY_MS)

    assert pages == [["play2", "play1"], ["play4", "play3"]]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        pytest.param({"before": MONDAY_MS + 1}, ["play0"], id="before-excludes-its-instant"),
        pytest.param({"before": MONDAY_MS}, [], id="before-the-first"),
        pytest.param({"after": MONDAY_MS + 1}, ["play2"], id="after-excludes-its-instant"),
        pytest.param({"after": MONDAY_MS + 2}, [], id="after-the-last"),
        pytest.param({"after": 0}, ["play2", "play1", "play0"], id="after-the-epoch"),
        pytest.param({"before": 0}, [], id="before-the-epoch"),
    ],
)
async def test_plain_numbers_are_taken_as_spotifys_clients_send_them(
    world: World, query: dict[str, int], shown: list[str]
) -> None:
    account = await world.account()
    plays = [play(number, MONDAY_MS + number) for number in range(3)]
    world.listening.history[account.listener_id] = plays

    page = (await read(world, account, query=query)).json()

    assert [item["play_id"] for item in page["items"]] == shown


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *[({"limit": limit}, "limit") for limit in ("abc", "0", "51", "-1", "", "1.0", "٣", "1e1")],
        ({"limit": "9" * 5000}, "limit"),
        *[
            ({"before": text}, "before")
            for text in ("", "x", "-1", "1.5", "1_", "_1", "1_x", "1__1")
        ],
        ({"before": "9" * 15}, "before"),
        ({"before": "9" * 4000}, "before"),
        ({"before": f"1_{LAST_KEY + 1}"}, "before"),
        ({"after": "1_-1"}, "after"),
        ({"after": "٣"}, "after"),
        ({"after": "1\x00"}, "after"),
        ({"before": "1", "after": "1"}, "after"),
    ],
    ids=lambda value: ascii(value)[:40],
)
async def test_what_is_no_limit_or_cursor_names_the_field(
    world: World, query: dict[str, str], field: str
) -> None:
    account = await world.account()

    answer = await read(world, account, query=query)

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


async def test_next_stays_on_the_host_that_the_client_used(world: World) -> None:
    account = await world.account()
    world.listening.history[account.listener_id] = [play(1), play(2)]
    async with world.client(account) as client:
        answer = await client.get(f"{PATH}/?limit=1", headers={"Host": "listen.example.org"})

    following = urlsplit(answer.json()["next"])
    assert (following.scheme, following.netloc, following.path) == (
        "http",
        "listen.example.org",
        PATH,
    )


marks = st.integers(0, 4)
histories = st.sets(st.tuples(marks, st.integers(0, 4)), max_size=20)


@given(histories, st.integers(1, 4))
def test_pages_in_both_directions_have_every_play_once(
    history: set[tuple[int, int]], limit: int
) -> None:
    plays = sorted((play(key, at_ms) for at_ms, key in history), key=mark)

    assert _all_older(plays, limit) == plays[::-1]
    assert _all_newer(plays, limit) == plays


def _all_older(plays: Sequence[Play], limit: int) -> list[Play]:
    read: list[Play] = []
    before, more = None, True
    while more:
        left = [each for each in plays if before is None or mark(each) < before][::-1]
        page = older_page(left[: limit + 1], before, limit)
        read += page.plays
        before = parse_mark("before", page.following.get("before"), FIRST_KEY)
        more = bool(page.following)
    return read


def _all_newer(plays: Sequence[Play], limit: int) -> list[Play]:
    read: list[Play] = []
    after, more = (-1, 0), True
    while more:
        left = [each for each in plays if mark(each) > after][: limit + 1][::-1]
        page = newer_page(left, after, limit)
        read += page.plays[::-1]
        after = parse_mark("after", page.following.get("after"), LAST_KEY) or after
        more = bool(page.following)
    return read


@given(histories, st.integers(1, 4))
def test_from_any_page_the_way_back_leads_to_what_came_before(
    history: set[tuple[int, int]], limit: int
) -> None:
    plays = sorted((play(key, at_ms) for at_ms, key in history), key=mark)
    first = older_page(plays[::-1][: limit + 1], None, limit)
    before = parse_mark("before", first.following.get("before"), FIRST_KEY)
    left = [each for each in plays if before and mark(each) < before][::-1]
    second = older_page(left[: limit + 1], before, limit)

    after = parse_mark("after", second.cursors.after, LAST_KEY) if second.cursors else None
    back = [each for each in plays if after and mark(each) > after][:limit][::-1]

    assert back == (list(first.plays) if second.cursors else [])


@pytest.mark.parametrize("path", ["/v1/me/player", "/v1/me/player/currently-playing"])
async def test_silence_is_204(world: World, path: str) -> None:
    account = await world.account()

    answer = await read(world, account, path)

    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("path", ["/v1/me/player", "/v1/me/player/currently-playing"])
async def test_what_plays_now_is_shown_with_its_position(world: World, path: str) -> None:
    account = await world.account()
    await world.describe(Track("track1", "One", duration_ms=276_000))
    world.presence.playing[account.listener_id] = NowPlaying(
        "track1", MONDAY_MS - 5_000, 60_000, is_playing=True, device_id="phone", context="radio"
    )

    playing = (await read(world, account, path)).json()

    assert (playing["timestamp"], playing["progress_ms"]) == (MONDAY_MS, 65_000)
    assert playing["is_playing"] is True
    assert playing["item"]["name"] == "One"
    assert playing["currently_playing_type"] == "track"
    assert playing["device"]["id"] == "phone"
    assert playing["context"]["uri"] == "radio"


@pytest.mark.parametrize(
    ("position_ms", "is_playing", "duration_ms", "expected"),
    [
        pytest.param(-1, True, 0, None, id="not-said"),
        pytest.param(10, True, 0, 1_010, id="moves-while-it-plays"),
        pytest.param(10, False, 0, 10, id="stands-while-paused"),
        pytest.param(10, True, 500, 500, id="stops-at-the-end"),
    ],
)
def test_the_position_is_estimated_from_the_newest_heartbeat(
    position_ms: int, duration_ms: int, expected: int | None, *, is_playing: bool
) -> None:
    playing = NowPlaying("t", 0, position_ms, is_playing=is_playing, device_id="", context="")

    assert progress_ms(playing, Track("t", "T", duration_ms=duration_ms), 1_000) == expected


@pytest.mark.parametrize(
    ("context", "kind", "href"),
    [
        ("spotify:album:1", "album", "/v1/albums/1"),
        ("spotify:user:ada:playlist:1", "unknown", None),
        ("radio", "unknown", None),
        ("::", "unknown", None),
        ("a:b:", "unknown", None),
        ("http://x", "unknown", None),
    ],
)
def test_a_context_is_shown_as_far_as_its_uri_tells(
    context: str, kind: str, href: str | None
) -> None:
    shown = context_object(context, "")

    assert shown is not None
    assert (shown.type, shown.uri, shown.href) == (kind, context, href)
