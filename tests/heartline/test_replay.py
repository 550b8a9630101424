import argparse
import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import recount
from domain.calendar import IsoWeek, Zone, week_layout
from domain.catalogue import Album, Track
from domain.heartbeats import KINDS, Heartbeat, invalid_field
from domain.units import DAY_MS, WEEK_MS
from heartline import replay
from heartline.catalogues import changing
from heartline.histories import plays_of
from heartline.history_rows import Play, track_id_of
from heartline.poster import Beat, Poster, ServerAway
from heartline.replay import Outcome, Replay
from heartline.replayed_plays import (
    beats_of,
    heartbeats_in,
    identified,
    in_time_order,
    started_ms,
    weeks_to_now,
)
from heartline.replayed_titles import Titles
from heartline.settings import Settings
from heartline.terminal import Failure
from stores.catalogue import Catalogue
from stores.sqlite_tables import SqliteTables
from tests.domain.weeks import tallied
from tests.end_to_end import history_oracle

NOW_MS = 1_795_000_000_000
EXPORT = Path(__file__).parents[2].parent / "shared" / "data" / "spotify_export"
SCHEDULE = [("start", 0), ("beat", 30_000), ("beat", 60_000)]

plays = st.builds(
    Play,
    ended_ms=st.integers(10**12, 10**12 + DAY_MS),
    ms_played=st.none() | st.integers(0, 400_000) | st.sampled_from([30_000, 60_000, 60_001]),
    artist=st.sampled_from("ab"),
    title=st.sampled_from("xy"),
    track_id=st.sampled_from("tu"),
    source=st.just("test"),
)


def play(ended_ms: int = NOW_MS, ms_played: int | None = 0, title: str = "x") -> Play:
    return Play(ended_ms, ms_played, "artist", title, title, "test")


def heartbeat(beat: Beat) -> Heartbeat:
    return Heartbeat(
        id=beat.id,
        listener_id="somebody",
        track_id=beat.track_id,
        kind=KINDS[beat.kind],
        at=beat.at,
        play_id=beat.play_id,
        position_ms=beat.position_ms,
    )


def sent(history: Sequence[Play], shift_ms: int = 0) -> list[Heartbeat]:
    beats = (beat for one in identified(history, shift_ms) for beat in beats_of(*one))
    return [heartbeat(beat) for beat in beats]


@pytest.mark.parametrize(
    ("ms_played", "kinds"),
    [
        pytest.param(None, [("start", 0)], id="no-duration"),
        pytest.param(0, [("start", 0)], id="nothing-played"),
        pytest.param(1, [("start", 0), ("stop", 1)], id="an-instant"),
        pytest.param(29_999, [("start", 0), ("stop", 29_999)], id="below-a-beat"),
        pytest.param(30_000, [("start", 0), ("stop", 30_000)], id="a-beat"),
        pytest.param(30_001, [*SCHEDULE[:2], ("stop", 30_001)], id="above-a-beat"),
        pytest.param(75_000, [*SCHEDULE, ("stop", 75_000)], id="some-beats"),
    ],
)
def test_a_play_is_a_start_a_beat_each_half_minute_and_a_stop(
    ms_played: int | None, kinds: list[tuple[str, int]]
) -> None:
    beats = list(beats_of("p", play(ms_played=ms_played)))

    start = NOW_MS - (ms_played or 0)
    assert [(beat.kind, beat.at - start) for beat in beats] == kinds
    assert [beat.position_ms for beat in beats] == [position for _, position in kinds]


@given(plays)
def test_a_play_counts_as_exactly_what_was_played_of_it(one: Play) -> None:
    beats = sent([one])

    assert len(beats) == heartbeats_in(one)
    assert all(invalid_field(beat) is None for beat in beats)
    assert recount.measure(recount.listened(beats)) == (one.ms_played or 0)


@given(st.lists(plays))
def test_what_was_listened_is_the_union_of_the_plays(history: list[Play]) -> None:
    intervals = [(started_ms(one), one.ended_ms) for one in history]

    assert recount.listened(sent(history)) == history_oracle.united(intervals)


@given(st.lists(plays))
def test_every_row_is_a_play_of_its_own_also_when_it_equals_another(history: list[Play]) -> None:
    counts = recount.plays(sent(history))

    assert Counter(count.ms_played for count in counts.values()) == Counter(
        one.ms_played or 0 for one in history
    )


@given(st.lists(plays), st.randoms())
def test_the_same_rows_in_another_order_are_the_same_heartbeats(
    history: list[Play], rng: Any
) -> None:
    shuffled = list(history)
    rng.shuffle(shuffled)

    assert {beat.id for beat in sent(shuffled)} == {beat.id for beat in sent(history)}
    assert len({beat.id for beat in sent(history)}) == len(sent(history))


def test_moved_by_other_weeks_it_is_another_play() -> None:
    here, there = sent([play()]), sent([play()], WEEK_MS)

    assert here[0].play_id != there[0].play_id
    assert here[0].at + WEEK_MS == there[0].at


@given(st.integers(0, 2**42), st.integers(0, 2**42))
def test_the_newest_end_is_moved_to_the_past_week(newest_ms: int, now_ms: int) -> None:
    weeks = weeks_to_now(newest_ms, now_ms)

    assert 0 <= now_ms - (newest_ms + weeks * WEEK_MS) < WEEK_MS


@given(st.lists(plays))
def test_in_time_order_it_is_the_same_heartbeats_by_their_instants(history: list[Play]) -> None:
    ordered = [heartbeat(beat) for beat in in_time_order(identified(history, 0))]

    assert [beat.at for beat in ordered] == sorted(beat.at for beat in sent(history))
    assert {beat.id for beat in ordered} == {beat.id for beat in sent(history)}


@pytest.mark.skipif(not EXPORT.is_dir(), reason="the real history is not there")
def test_a_real_year_recounts_to_what_its_file_says() -> None:
    files = sorted(EXPORT.glob("StreamingHistory*.json"))
    intervals = history_oracle.read(files)
    weeks = history_oracle.weeks_to(intervals, NOW_MS)

    quarters = recount.quarters([beat for file in files for beat in _sent_of(file, weeks)])

    assert _weeks(quarters, "Asia/Kolkata") == _expected(intervals, weeks, "Asia/Kolkata")
    assert _weeks(quarters, "America/New_York") == _expected(intervals, weeks, "America/New_York")


def _sent_of(file: Path, weeks: int) -> list[Heartbeat]:
    return sent(list(plays_of(file)), weeks * WEEK_MS)


def _expected(
    intervals: Sequence[tuple[int, int]], weeks: int, zone: str
) -> dict[str, dict[str, dict[str, int]]]:
    found = history_oracle.weeks(history_oracle.hours(history_oracle.moved(intervals, weeks), zone))
    assert len(found) == 53
    return found


def _weeks(quarters: dict[int, int], zone: str) -> dict[str, dict[str, dict[str, int]]]:
    found, week = {}, IsoWeek.parse("2025-W40")
    while week < IsoWeek.parse("2027-W01"):
        told = tallied(week_layout((Zone(0, zone),), week), quarters)
        if told.listened_ms:
            found[str(week)] = {
                day.date: {str(hour): ms for hour, ms in sorted(day.hours.items())}
                for day in told.days
            }
        week = week.next()
    return found


class Ingest(httpx.AsyncBaseTransport):
    """A server that takes heartbeats, or does what it was told to instead."""

    def __init__(self, *troubles: httpx.Response | Exception) -> None:
        self.troubles = list(troubles)
        self.posts: list[list[dict[str, Any]]] = []
        self.tokens: list[str] = []
        self.oldest_ms = 0
        self.on_post: Callable[[], None] = lambda: None
        self.silent = False  # takes what it is sent, and never answers

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200)
        self.tokens.append(request.headers["authorization"])
        if self.troubles:
            trouble = self.troubles.pop(0)
            if isinstance(trouble, Exception):
                raise trouble
            return trouble
        beats = json.loads(await request.aread())["heartbeats"]
        self.posts.append(beats)
        self.on_post()
        if self.silent:
            await asyncio.Event().wait()
        old = [number for number, beat in enumerate(beats) if beat["at"] < self.oldest_ms]
        refused = [
            {"index": number, "id": "x", "field": "at", "reason": "too_old", "message": "old"}
            for number in old
        ]
        answer = {"accepted": len(beats) - len(old), "rejected": refused}
        return httpx.Response(202, json=answer)

    def ids(self) -> Counter[str]:
        return Counter(beat["id"] for beats in self.posts for beat in beats)


class Naps:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def clock_s(self) -> float:
        return self.now_s

    async def sleep(self, wait_s: float) -> None:
        self.now_s += wait_s


@pytest.fixture
def history(tmp_path: Path) -> Path:
    rows = [
        {
            "endTime": f"2020-01-{day:02} 12:00",
            "artistName": "a",
            "trackName": f"t{day}",
            "msPlayed": 3_600_000,
        }
        for day in range(1, 31)
    ]
    path = tmp_path / "history.json"
    path.write_text(json.dumps(rows))
    return path


def command(
    ingest: httpx.AsyncBaseTransport,
    *words: str,
    data: Path | None = None,
    token: Any = lambda: "t",
) -> int:
    parser = argparse.ArgumentParser()
    replay.add_arguments(parser)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args([*words, "--as", "somebody"])
    args.data, args.url = data, None if data else "http://here"
    return replay.run(args, url="http://here", token=token, now_ms=lambda: NOW_MS, transport=ingest)


def test_at_once_everything_arrives_in_posts_of_a_thousand(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest = Ingest()

    status = command(ingest, str(history), "--at-once", "--json")

    assert status == 0
    assert json.loads(capsys.readouterr().out) == {
        "plays": 30,
        "heartbeats": 3_630,
        "accepted": 3_630,
        "rejected": {},
        "shift_weeks": 354,
    }
    assert sorted(map(len, ingest.posts)) == [630, 1_000, 1_000, 1_000]
    assert sum(ingest.ids().values()) == 3_630
    newest_ms = max(beat["at"] for beats in ingest.posts for beat in beats)
    assert 0 <= NOW_MS - newest_ms < WEEK_MS


def test_the_same_file_twice_is_the_same_heartbeats(history: Path) -> None:
    ingest = Ingest()

    command(ingest, str(history), str(history), "--at-once")

    assert set(ingest.ids().values()) == {2}


async def shown(data: Path, *track_ids: str) -> list[tuple[str, list[str], str]]:
    """Tell titles, artists and album of tracks."""
    tables = SqliteTables.open(data / "store.db", now_ms=lambda: NOW_MS)
    catalogue, told = Catalogue(tables), []
    tracks = await catalogue.tracks(track_ids)
    for track in (tracks[each] for each in track_ids):
        artists = await catalogue.artists(track.artists)
        albums = await catalogue.albums([track.album])
        names = [artists[each].name for each in track.artists]
        told.append((track.name, names, "".join(album.name for album in albums.values())))
    await tables.close()
    return told


def test_a_server_on_this_machine_learns_the_titles_that_it_does_not_know(
    history: Path, tmp_path: Path
) -> None:
    known, unknown = track_id_of("a", "t1"), track_id_of("a", "t2")

    async def already() -> None:
        tables = SqliteTables.open(tmp_path / "store.db", now_ms=lambda: NOW_MS)
        async with changing(Settings(tmp_path), tables, still_s=0.0) as change:
            await change.publish([Track(known, "its real title")])
        await tables.close()

    asyncio.run(already())
    for _ in range(2):
        command(Ingest(), str(history), "--at-once", data=tmp_path)

    assert asyncio.run(shown(tmp_path, known, unknown)) == [
        ("its real title", [], ""),
        ("t2", ["a"], ""),
    ]


def test_titles_that_nobody_could_show_are_left_out() -> None:
    seen = Titles()
    for title in ("", " ", "\x00", "\ud800", "fine", "x" * 2_000):
        seen.add(play(title=title))

    assert [entity.name for entity in seen.entities()] == ["artist", "fine"]


@pytest.mark.parametrize("album", ["", " ", "\x00", "x" * 2_000])
def test_an_album_that_nobody_could_show_is_none(album: str) -> None:
    seen = Titles()
    seen.add(Play(NOW_MS, 0, "artist", "title", "t", "test", album))

    (_artist, track) = seen.entities()

    assert isinstance(track, Track)
    assert track.album == ""


def test_tracks_of_one_album_and_artist_share_them() -> None:
    seen = Titles()
    for number, artist in enumerate(["Nina", "NINA", "nina "]):
        seen.add(Play(NOW_MS, 0, artist, f"title {number}", f"t{number}", "test", "Blues"))
    seen.add(Play(NOW_MS, 0, "", "nobody's", "t4", "test", "Blues"))

    nina, album, *tracks = seen.entities()

    assert (nina.name, album.name) == ("Nina", "Blues")
    assert isinstance(album, Album)
    assert album.artists == (nina.id,)
    assert [(track.artists, track.album) for track in tracks if isinstance(track, Track)] == [
        *[((nina.id,), album.id)] * 3,
        ((), ""),
    ]


def test_what_the_server_refuses_is_counted_by_reason(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest = Ingest()
    ingest.oldest_ms = NOW_MS

    status = command(ingest, str(history), "--at-once", "--shift-weeks", "0")

    assert status == 0
    told = capsys.readouterr()
    assert "0 accepted" in told.out
    assert "3630 refused: too_old, older than the server's late limit" in told.out
    assert "left where they are" in told.err


def test_a_damaged_file_among_others_sends_nothing(history: Path, tmp_path: Path) -> None:
    ingest = Ingest()
    (tmp_path / "cut.json").write_text(history.read_text()[:-50])

    with pytest.raises(Failure) as caught:
        command(ingest, str(history), str(tmp_path / "cut.json"), "--at-once")

    assert caught.value.status == 2
    assert "cut.json: ends in the middle" in caught.value.line
    assert ingest.posts == []


class Nobody(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")


def test_without_a_server_it_says_what_to_do_at_once(history: Path) -> None:
    with pytest.raises(Failure) as caught:
        command(Nobody(), str(history), "--at-once")

    assert caught.value.status == 1
    assert "no Heartline answers at http://here" in caught.value.line
    assert "heartline up" in caught.value.line


def test_a_refusal_of_the_whole_post_ends_it_with_the_servers_words(history: Path) -> None:
    refusal = httpx.Response(403, json={"error": {"status": 403, "message": "no", "reason": "x"}})

    with pytest.raises(Failure, match="answered 403: no"):
        command(Ingest(refusal), str(history), "--at-once")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT as in a terminal: what a shell starts in the background is deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interrupted_it_tells_how_far_it_got_and_how_to_go_on(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest = Ingest()
    ingest.silent = True
    ingest.on_post = lambda: os.kill(os.getpid(), signal.SIGINT) if len(ingest.posts) == 1 else None

    status = command(ingest, str(history), "--at-once", "--json")

    told = capsys.readouterr()
    assert status == 1
    assert json.loads(told.out)["shift_weeks"] == 354
    assert "--shift-weeks 354 goes on" in told.err


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--speed", "0"], id="speed-0"),
        pytest.param(["--speed", "nan"], id="speed-nan"),
        pytest.param(["--speed", "2", "--at-once"], id="two-paces"),
        pytest.param(["--shift-weeks", "1.5"], id="half-weeks"),
        pytest.param(["--shift-weeks", "99999999"], id="too-many-weeks"),
    ],
)
def test_wrong_usage_ends_with_status_2(history: Path, words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command(Ingest(), str(history), *words)

    assert caught.value.code == 2


def poster(ingest: Ingest, naps: Naps, token: Any = lambda: "t", patience_s: float = 60) -> Poster:
    client = httpx.AsyncClient(base_url="http://here", transport=ingest)
    return Poster(client, token, patience_s=patience_s, sleep=naps.sleep)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(httpx.Response(503), id="away"),
        pytest.param(httpx.Response(404), id="starting"),
        pytest.param(httpx.ConnectError("refused"), id="not-there"),
        pytest.param(httpx.ReadTimeout("slow"), id="silent"),
        pytest.param(httpx.RemoteProtocolError("cut"), id="cut-off"),
    ],
)
async def test_a_passing_trouble_is_waited_for(trouble: httpx.Response | Exception) -> None:
    ingest, naps = Ingest(trouble, trouble), Naps()

    answer = await poster(ingest, naps).post(list(beats_of("p", play())))

    assert answer.accepted == 1
    assert naps.now_s > 100


async def test_a_server_that_says_when_to_come_back_is_heard() -> None:
    ingest, naps = Ingest(httpx.Response(429, headers={"retry-after": "7"})), Naps()

    await poster(ingest, naps).post(list(beats_of("p", play())))

    assert naps.now_s == 107


async def test_patience_ends() -> None:
    ingest, naps = Ingest(*[httpx.Response(503)] * 1_000), Naps()

    with pytest.raises(ServerAway, match="status 503"):
        await poster(ingest, naps).post(list(beats_of("p", play())))

    assert 160 <= naps.now_s < 170


async def test_a_token_that_ran_out_is_made_anew_once() -> None:
    tokens = iter(["old", "new", "newer"])
    ingest = Ingest(httpx.Response(401))

    await poster(ingest, Naps(), token=lambda: next(tokens)).post(list(beats_of("p", play())))

    assert ingest.tokens == ["Bearer old", "Bearer new"]


async def test_a_paced_replay_posts_each_heartbeat_when_its_turn_comes(history: Path) -> None:
    ingest, naps, late_ms = Ingest(), Naps(), list[float]()

    def note_lateness() -> None:
        beats = ingest.posts[-1]
        turn_ms = [first_ms + (naps.now_s - 100) * 1000 * 3600 - beat["at"] for beat in beats]
        late_ms.extend(turn_ms)

    first_ms = min(started_ms(one) for one in plays_of(history))
    ingest.on_post = note_lateness
    outcome = Outcome(shift_weeks=0)

    replaying = Replay([history], poster(ingest, naps), outcome, lambda _: None)
    await replaying.paced(3600, clock_s=naps.clock_s, sleep=naps.sleep)

    assert outcome.accepted == 3_630
    assert min(late_ms) > -1
    assert max(late_ms) <= 3600 * 1000 * replay.PACED_WAIT_S + 1
    assert naps.now_s - 100 == pytest.approx(29 * 24 + 1, abs=1)
