import json
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from domain import recount
from domain.heartbeats import KINDS, Heartbeat, invalid_field
from domain.ids import is_id
from domain.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from heartline import demo
from heartline.catalogues import changing
from heartline.crowd import Crowd, Listener
from heartline.demo_catalogue import demo_catalogue
from heartline.poster import Beat, Poster
from heartline.settings import Settings
from stores.accounts import Accounts, Scope
from stores.catalogue import Catalogue
from stores.passwords import Passwords
from stores.sqlite_tables import SqliteTables

NOW_MS = 1_795_000_000_000
TRACKS = demo_catalogue("a seed").tracks
CROWD = [Listener(f"listener-{number}", f"habits {number}", "Asia/Kolkata") for number in range(8)]
LIVE = Listener("live", "live", "Europe/Berlin", live_ms=NOW_MS)


def heartbeats(beats: list[Beat]) -> list[Heartbeat]:
    return [
        Heartbeat(
            id=beat.id,
            listener_id=str(beat.listener_id),
            track_id=beat.track_id,
            kind=KINDS[beat.kind],
            at=beat.at,
            play_id=beat.play_id,
            position_ms=beat.position_ms,
            device_id=str(beat.device_id),
            context=str(beat.context),
        )
        for beat in beats
    ]


def test_the_catalogue_is_a_few_hundred_tracks_with_ids_of_their_own() -> None:
    ids = {track.id for track in TRACKS}

    assert 200 <= len(TRACKS) == len(ids) <= 600
    assert all(len(each) == 22 and is_id(each) for each in ids)
    assert demo_catalogue("a seed") == demo_catalogue("a seed") != demo_catalogue("another")


@given(st.lists(st.integers(0, 3 * HOUR_MS), max_size=6))
def test_cut_anywhere_the_crowd_says_the_same(cuts: list[int]) -> None:
    marks = [NOW_MS, *(NOW_MS + cut for cut in sorted(cuts)), NOW_MS + 3 * HOUR_MS]

    pieces = [
        beat.id
        for after_ms, until_ms in pairwise(marks)
        for beat in Crowd(CROWD, TRACKS).beats(after_ms, until_ms)
    ]

    assert sorted(pieces) == sorted(
        beat.id for beat in Crowd(CROWD, TRACKS).beats(marks[0], marks[-1])
    )
    assert len(pieces) == len(set(pieces))


def test_all_that_the_crowd_says_can_be_taken() -> None:
    beats = list(Crowd(CROWD, TRACKS).beats(NOW_MS - DAY_MS, NOW_MS))

    assert len(beats) > 1_000
    assert [beat for beat in heartbeats(beats) if invalid_field(beat)] == []


def test_a_listener_of_the_crowd_never_plays_two_tracks_at_once() -> None:
    crowd = Crowd(CROWD, TRACKS)

    beats = heartbeats(list(crowd.beats_of(CROWD[0], NOW_MS - 7 * DAY_MS, NOW_MS)))

    played_ms = sum(count.ms_played for count in recount.plays(beats).values())
    assert played_ms == recount.measure(recount.listened(beats)) > HOUR_MS


def test_the_crowd_sleeps_at_night() -> None:
    crowd, begin_ms = Crowd(CROWD, TRACKS), NOW_MS // DAY_MS * DAY_MS - 28 * DAY_MS

    hours = [
        (beat.at // HOUR_MS * 2 + 11) // 2 % 24 for beat in crowd.beats(begin_ms, NOW_MS)
    ]  # of Kolkata, 5:30 ahead, roughly

    night = sum(1 for hour in hours if hour in (2, 3, 4))
    evening = sum(1 for hour in hours if hour in (18, 19, 20))
    assert night * 4 < evening


def test_the_one_who_listens_live_does_so_without_a_pause_every_few_seconds() -> None:
    beats = list(Crowd([LIVE], TRACKS).beats(NOW_MS, NOW_MS + 3 * HOUR_MS))

    gaps = [after.at - before.at for before, after in pairwise(beats)]
    listened_ms = recount.measure(recount.listened(heartbeats(beats)))
    assert max(gaps) <= 5 * SECOND_MS
    assert listened_ms > 0.98 * 3 * HOUR_MS


class Ingest(httpx.AsyncBaseTransport):
    """A server that takes heartbeats, and is away for the first *away* posts."""

    def __init__(self, away: int = 0) -> None:
        self.away = away
        self.beats: list[dict[str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            self.away -= 1
            raise httpx.ConnectError("refused")
        beats = json.loads(await request.aread())["heartbeats"]
        assert len(beats) <= 1_000
        self.beats += beats
        return httpx.Response(202, json={"accepted": len(beats), "rejected": []})

    def poster(self, sleep: Any) -> Poster:
        client = httpx.AsyncClient(base_url="http://here", transport=self)
        return Poster(client, lambda: "t", patience_s=None, sleep=sleep)


class Enough(Exception):
    """The test has seen what it wanted."""


class Naps:
    """A clock that sleeping moves; after *until_ms* nobody wakes up."""

    def __init__(self, at_ms: int, until_ms: int) -> None:
        self.at_ms, self.until_ms = at_ms, until_ms

    def now_ms(self) -> int:
        return self.at_ms

    async def sleep(self, wait_s: float) -> None:
        self.at_ms += int(wait_s * 1000)
        if self.at_ms > self.until_ms:
            raise Enough


@pytest.fixture
async def tables(tmp_path: Path) -> AsyncIterator[SqliteTables]:
    opened = SqliteTables.open(tmp_path / "store.db", now_ms=lambda: NOW_MS)
    yield opened
    await opened.close()


def accounts_of(tables: SqliteTables) -> Accounts:
    ids = iter(f"id-{number}" for number in range(10**6))
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return Accounts(tables, passwords, now_ms=lambda: NOW_MS, new_id=lambda: next(ids))


async def prepared(data: Path, accounts: Accounts, now: int) -> demo.Demo:
    passwords = iter([f"a password of {now}"])
    return await demo.prepare(
        data,
        accounts,
        now_ms=lambda: now,
        new_password=lambda: next(passwords),
        zone="Asia/Kolkata",
        tracks=TRACKS[:40],
        size=3,
    )


async def test_prepared_there_are_a_listener_a_gateway_and_a_crowd(
    tmp_path: Path, tables: SqliteTables
) -> None:
    accounts = accounts_of(tables)

    ready = await prepared(tmp_path, accounts, NOW_MS)

    listener = await accounts.authenticate(ready.name, ready.password)
    gateway = await accounts.by_id(ready.gateway_id)
    assert (ready.name, ready.password) == ("demo", f"a password of {NOW_MS}")
    assert listener is not None
    assert listener.time_zone == "Asia/Kolkata"
    assert listener.listener_id == ready.listener.listener_id
    assert gateway is not None
    assert gateway.scopes == {Scope.INGEST}
    assert await accounts.by_name("crowd.002") is not None
    assert (tmp_path / "secrets" / "demo.json").stat().st_mode & 0o077 == 0


async def test_the_crowds_tracks_are_in_the_catalogue_once(
    tmp_path: Path, tables: SqliteTables
) -> None:
    made, catalogue, settings = demo_catalogue("a seed"), Catalogue(tables), Settings(tmp_path)

    for _ in range(2):
        async with changing(settings, tables, still_s=0.0) as change:
            await demo.fill(change, made)

    tracks = await catalogue.tracks([track.id for track in made.tracks])
    assert list(tracks.values()) == sorted(made.tracks, key=lambda track: track.id)
    (beat, *_) = Crowd(CROWD, made.tracks).beats(NOW_MS, NOW_MS + HOUR_MS)
    album = (await catalogue.albums([tracks[beat.track_id].album])).popitem()[1]
    assert beat.context == f"heartline:album:{album.id}"
    assert tracks[beat.track_id] in await catalogue.album_tracks(album.id)
    assert await catalogue.artists(album.artists)
    assert await catalogue.position() == 1


async def test_prepared_again_everything_is_as_it_was(tmp_path: Path, tables: SqliteTables) -> None:
    accounts = accounts_of(tables)
    first = await prepared(tmp_path, accounts, NOW_MS)

    second = await prepared(tmp_path, accounts, NOW_MS + DAY_MS)

    assert second.listener == first.listener
    assert (second.password, second.gateway_id) == (first.password, first.gateway_id)


async def test_somebody_who_is_named_demo_stays_alone(tmp_path: Path, tables: SqliteTables) -> None:
    accounts = accounts_of(tables)
    await accounts.create("Demo", password="their own password", time_zone="UTC")

    ready = await prepared(tmp_path, accounts, NOW_MS)

    assert ready.name == "demo-2"


async def test_two_weeks_are_posted_once(tmp_path: Path, tables: SqliteTables) -> None:
    ready = await prepared(tmp_path, accounts_of(tables), NOW_MS)
    ingest, naps = Ingest(away=2), Naps(NOW_MS, NOW_MS + HOUR_MS)

    await demo.post_past(ready, ingest.poster(naps.sleep))
    posted = len(ingest.beats)
    await demo.post_past(ready, ingest.poster(naps.sleep))

    days = {beat["at"] // DAY_MS for beat in ingest.beats}
    assert len(days) >= 10
    assert {beat["listener_id"] for beat in ingest.beats} == {ready.listener.listener_id}
    assert NOW_MS - 14 * DAY_MS < min(beat["at"] for beat in ingest.beats)
    assert max(beat["at"] for beat in ingest.beats) < NOW_MS
    assert len(ingest.beats) == posted


async def presented(ready: demo.Demo, ingest: Ingest, from_ms: int, until_ms: int) -> list[str]:
    naps = Naps(from_ms, until_ms)
    with pytest.raises(Enough):
        await demo.post_present(
            ready, ingest.poster(naps.sleep), now_ms=naps.now_ms, sleep=naps.sleep
        )
    return [beat["id"] for beat in ingest.beats]


async def test_what_is_listened_now_arrives_within_seconds_and_once(
    tmp_path: Path, tables: SqliteTables
) -> None:
    ready = await prepared(tmp_path, accounts_of(tables), NOW_MS)
    ingest = Ingest()

    ids = await presented(ready, ingest, NOW_MS, NOW_MS + 5 * MINUTE_MS)

    own = [beat for beat in ingest.beats if beat["listener_id"] == ready.listener.listener_id]
    assert len(ids) == len(set(ids))
    assert own[0]["at"] == NOW_MS
    assert len(own) >= 5 * 12


async def test_a_server_that_was_away_gets_what_it_missed(
    tmp_path: Path, tables: SqliteTables
) -> None:
    ready = await prepared(tmp_path, accounts_of(tables), NOW_MS)

    missed = await presented(ready, Ingest(away=12), NOW_MS, NOW_MS + 5 * MINUTE_MS)

    whole = await presented(ready, Ingest(), NOW_MS, NOW_MS + 5 * MINUTE_MS)
    assert len(missed) == len(set(missed))
    assert set(whole) - set(missed) <= set(whole[-5:])


async def test_started_again_soon_nothing_is_missing_and_nothing_new_is_made_up(
    tmp_path: Path, tables: SqliteTables
) -> None:
    ready = await prepared(tmp_path, accounts_of(tables), NOW_MS)
    later_ms = NOW_MS + 4 * MINUTE_MS
    before = await presented(ready, Ingest(), NOW_MS, NOW_MS + MINUTE_MS)

    after = await presented(ready, Ingest(), later_ms, later_ms + MINUTE_MS)

    whole = await presented(ready, Ingest(), NOW_MS, later_ms + MINUTE_MS)
    assert set(before) | set(after) == set(whole)


async def test_a_long_pause_was_not_listened_through(tmp_path: Path, tables: SqliteTables) -> None:
    ready = await prepared(tmp_path, accounts_of(tables), NOW_MS)
    later_ms = NOW_MS + 5 * DAY_MS
    ingest = Ingest()

    await presented(ready, ingest, later_ms, later_ms + MINUTE_MS)

    assert min(beat["at"] for beat in ingest.beats) > later_ms - 10 * MINUTE_MS
