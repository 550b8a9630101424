from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import recount
from domain.calendar import IsoWeek, Zone, week_at, week_layout
from domain.heartbeats import Heartbeat, Kind
from domain.recount import PlayOf
from domain.units import DAY_MS, HOUR_MS, JOIN_MS, MINUTE_MS, QUARTER_MS
from tests.domain.cases import NOON, beat, ms, sounding
from tests.domain.weeks import tallied
from tests.strategies import batches, deliveries, heartbeats_of_one, histories, zone_changes

MIDNIGHT = ms("2026-11-19T00:00:00+00:00")
DAY = MIDNIGHT // DAY_MS


def total(heartbeats: list[Heartbeat]) -> int:
    return sum(recount.quarters(heartbeats).values())


@given(st.data())
def test_order_and_repetition_change_nothing(data: st.DataObject) -> None:
    history = data.draw(histories(("ann",)))

    delivered = data.draw(deliveries(history))

    assert recount.quarters(delivered) == recount.quarters(history)
    assert recount.plays(delivered) == recount.plays(history)


@given(heartbeats_of_one(), st.data())
def test_no_number_goes_down_when_more_arrives(
    heartbeats: list[Heartbeat], data: st.DataObject
) -> None:
    first, *_ = data.draw(batches(heartbeats))

    before, after = recount.quarters(first), recount.quarters(heartbeats)

    assert all(listened <= after[quarter] for quarter, listened in before.items())
    before_plays, after_plays = recount.plays(first), recount.plays(heartbeats)
    assert all(one.ms_played <= after_plays[key].ms_played for key, one in before_plays.items())


@given(heartbeats_of_one())
def test_no_quarter_hour_holds_more_than_itself(heartbeats: list[Heartbeat]) -> None:
    assert all(0 < listened <= QUARTER_MS for listened in recount.quarters(heartbeats).values())


@given(st.sets(st.integers(0, 10 * JOIN_MS), max_size=12))
def test_runs_hold_the_short_gaps_and_nothing_else(instants: set[int]) -> None:
    found = recount.runs(instants)

    gaps = [after - before for before, after in pairwise(sorted(instants))]
    assert sum(end - start for start, end in found) == sum(gap for gap in gaps if gap <= JOIN_MS)
    assert all(after - end > JOIN_MS for (_, end), (after, _) in pairwise(found))
    assert all(any(start <= instant <= end for start, end in found) for instant in instants)


intervals = st.tuples(st.integers(0, 40), st.integers(0, 9)).map(lambda it: (it[0], it[0] + it[1]))


@given(st.lists(intervals, max_size=8))
def test_a_union_holds_every_instant_once(drawn: list[recount.Interval]) -> None:
    united = recount.union(drawn)

    held = [instant for start, end in united for instant in range(start, end)]
    assert held == sorted({instant for start, end in drawn for instant in range(start, end)})
    assert all(end < start for (_, end), (start, _) in pairwise(united))


@given(heartbeats_of_one(), st.data())
def test_what_was_listened_adds_up_over_any_cut(
    heartbeats: list[Heartbeat], data: st.DataObject
) -> None:
    first = min((one.at for one in heartbeats), default=0)
    last = max((one.at for one in heartbeats), default=0)
    cut = data.draw(st.integers(first, last))

    parts = [
        recount.listened_between(heartbeats, first, cut),
        recount.listened_between(heartbeats, cut, last),
    ]

    assert sum(parts) == total(heartbeats)
    assert total(heartbeats) <= last - first


@given(heartbeats_of_one())
def test_plays_are_at_least_the_whole_and_at_most_its_every_lane(
    heartbeats: list[Heartbeat],
) -> None:
    plays = recount.plays(heartbeats)

    assert sum(play.ms_played for play in plays.values()) >= total(heartbeats)
    assert all(play.ms_played <= total(heartbeats) for play in plays.values())
    assert all(play.ms_played <= play.last_ms - play.first_ms for play in plays.values())


@given(heartbeats_of_one())
def test_every_counted_heartbeat_is_within_its_play(heartbeats: list[Heartbeat]) -> None:
    plays = recount.plays(heartbeats)

    counted = [one for one in heartbeats if one.kind in recount.COUNTED]
    assert {recount.play_of(one) for one in counted} == set(plays)
    assert all(
        plays[recount.play_of(one)].first_ms <= one.at <= plays[recount.play_of(one)].last_ms
        for one in counted
    )


@given(heartbeats_of_one())
def test_positions_and_devices_do_not_count(heartbeats: list[Heartbeat]) -> None:
    bare = [
        beat(one.at, one.kind, play_id=one.play_id, track_id=one.track_id, stretch=one.stretch)
        for one in heartbeats
    ]

    assert recount.quarters(bare) == recount.quarters(heartbeats)


@given(heartbeats_of_one())
def test_without_seeks_and_skips_everything_is_the_same(heartbeats: list[Heartbeat]) -> None:
    kept = [one for one in heartbeats if one.kind not in (Kind.SEEK, Kind.SKIP)]

    assert recount.quarters(kept) == recount.quarters(heartbeats)
    assert recount.plays(kept) == recount.plays(heartbeats)


QUARTER_HOUR_ZONES = (
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Australia/Lord_Howe",
    "America/New_York",
    "Pacific/Kiritimati",
)


@given(heartbeats_of_one(), zone_changes(QUARTER_HOUR_ZONES))
def test_a_week_cut_at_local_hours_is_the_tally_of_its_quarter_hours(
    heartbeats: list[Heartbeat], zones: tuple[Zone, ...]
) -> None:
    quarters = recount.quarters(heartbeats)
    weeks = sorted({week_at(zones, quarter * QUARTER_MS) for quarter in quarters})

    tallies = [tallied(week_layout(zones, week), quarters) for week in weeks]

    assert [of_week.days for of_week in tallies] == [
        recount.week(heartbeats, zones, week) for week in weeks
    ]
    assert sum(of_week.listened_ms for of_week in tallies) == total(heartbeats)


def test_where_a_zone_changed_within_a_quarter_hour_the_oracle_is_the_exact_one() -> None:
    # St John's put its clocks back at 00:01 until 2011: Sunday 00:00 to 00:01, then Saturday 23:01.
    zones, week = (Zone(0, "America/St_Johns"),), IsoWeek.parse("2010-W44")
    heartbeats = sounding(ms("2010-11-07T00:00:00-02:30"), ms("2010-11-07T00:05:00-02:30"))

    exact = recount.week(heartbeats, zones, week)
    quarters = recount.quarters(heartbeats)
    by_quarters = tallied(week_layout(zones, week), quarters).days

    assert [day.listened_ms for day in exact[5:]] == [4 * MINUTE_MS, MINUTE_MS]
    assert [day.listened_ms for day in by_quarters[5:]] == [0, 5 * MINUTE_MS]


@pytest.mark.parametrize(
    ("listened_ms", "counted"),
    [
        pytest.param(29_999, False, id="below"),
        pytest.param(30_000, True, id="at"),
        pytest.param(30_001, True, id="above"),
    ],
)
def test_a_play_counts_from_thirty_seconds_on(listened_ms: int, counted: bool) -> None:
    (play,) = recount.plays([beat(NOON), beat(NOON + listened_ms)]).values()

    assert (play.ms_played, play.counted) == (listened_ms, counted)


def test_a_play_is_shown_from_its_first_instant_to_its_last() -> None:
    heartbeats = [beat(NOON + HOUR_MS, stretch=1), beat(NOON), beat(NOON + 30_000)]

    (play,) = recount.plays(heartbeats).values()

    assert (play.first_ms, play.last_ms, play.ms_played) == (NOON, NOON + HOUR_MS, 30_000)


def test_two_lanes_of_one_play_count_once() -> None:
    heartbeats = [*sounding(NOON, NOON + 40_000), *sounding(NOON, NOON + 40_000, stretch=1)]

    (play,) = recount.plays(heartbeats).values()

    assert play.ms_played == 40_000


def test_a_play_says_what_its_earliest_counted_heartbeat_said() -> None:
    said = [
        Heartbeat(
            id=context + device,
            listener_id="ann",
            track_id="t1",
            play_id="p1",
            kind=kind,
            at=at,
            context=context,
            device_id=device,
        )
        for kind, at, context, device in [
            (Kind.SEEK, NOON - 1, "a", "a"),
            (Kind.START, NOON, "b", "z"),
            (Kind.BEAT, NOON, "b", "d"),
            (Kind.BEAT, NOON, "c", "c"),
            (Kind.BEAT, NOON + 1, "a", "a"),
        ]
    ]

    (play,) = recount.plays(said).values()

    assert (play.context, play.device_id) == ("b", "d")


def test_over_midnight_a_play_without_a_play_id_begins_anew_at_midnight() -> None:
    heartbeats = sounding(MIDNIGHT - 40_000, MIDNIGHT + 35_000, play_id="")

    plays = recount.plays(heartbeats)

    before, after = plays[PlayOf("t1", "", DAY - 1)], plays[PlayOf("t1", "", DAY)]
    assert (before.first_ms, before.last_ms) == (MIDNIGHT - 40_000, MIDNIGHT)
    assert (after.first_ms, after.last_ms) == (MIDNIGHT, MIDNIGHT + 35_000)
    assert (before.ms_played, after.ms_played) == (40_000, 35_000)


def test_an_instant_at_midnight_is_of_the_day_that_begins() -> None:
    plays = recount.plays([beat(MIDNIGHT - 40_000, play_id=""), beat(MIDNIGHT, play_id="")])

    assert {play.utc_day: count.ms_played for play, count in plays.items()} == {
        DAY - 1: 40_000,
        DAY: 0,
    }


def test_a_gap_over_midnight_makes_no_play_of_the_day_it_skips() -> None:
    plays = recount.plays([beat(MIDNIGHT - 1, play_id=""), beat(MIDNIGHT + DAY_MS, play_id="")])

    assert {play.utc_day for play in plays} == {DAY - 1, DAY + 1}


def test_monrovias_odd_offset_is_cut_exactly() -> None:
    # Until 1972 Monrovia was 44 min 30 s behind: its hours began at 44:30 of the hour in UTC.
    zones = (Zone(0, "Africa/Monrovia"),)
    begin = ms("1971-06-01T12:44:00+00:00")

    heartbeats = [beat(begin), beat(begin + MINUTE_MS)]
    days = recount.week(heartbeats, zones, IsoWeek.parse("1971-W22"))

    assert days[1].hours == {11: 30_000, 12: 30_000}
