"""Local weeks of every zone, around each change of its offset, and days of odd lengths."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise

import pytest

from domain.calendar import IsoWeek, WeekLayout, week_at, week_layout, zone_info, zone_names
from domain.recount import TICK_MS
from domain.units import HOUR_MS, QUARTER_MS
from tests.domain.cases import ms
from tests.domain.weeks import cells_of, label, offset_s, only, tallied

HOURS_NEAR = 27  # a day, and the farthest that a zone ever moved
DAY_S = 86_400
FIRST_S = ms("2007-01-01T00:00:00+00:00") // 1000
LAST_S = ms("2028-01-01T00:00:00+00:00") // 1000


def files_with_names() -> dict[bytes, str]:
    """Read every zone's file; of zones with the same file only the first name stays."""
    root = files("tzdata").joinpath("zoneinfo")
    content = {name: root.joinpath(*name.split("/")).read_bytes() for name in zone_names()}
    return {content[name]: name for name in sorted(content, reverse=True)}


DISTINCT_ZONES = sorted(files_with_names().values())


@cache
def changes_of(
    name: str, first_s: int = FIRST_S, last_s: int = LAST_S, step_s: int = DAY_S
) -> list[int]:
    """Find each second at which a zone's offset changed; two within a step may hide each other."""
    offsets = [(at_s, offset_s(name, at_s)) for at_s in range(first_s, last_s, step_s)]
    return [
        begin + 1 + bisect_left(range(begin + 1, end), 1, key=lambda at: offset_s(name, at) != old)
        for (begin, old), (end, new) in pairwise(offsets)
        if old != new
    ]


def iso(name: str, quarter: int) -> str:
    return datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone_info(name)).isoformat()


def three_weeks(name: str, at_s: int) -> list[tuple[IsoWeek, WeekLayout]]:
    week = week_at(only(name), at_s * 1000)
    around = (week.previous(), week, week.next())
    return [(one, week_layout(only(name), one)) for one in around]


@pytest.fixture(scope="module", params=DISTINCT_ZONES)  # module: one zone's layouts are used thrice
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_around_each_change_weeks_hold_every_quarter_hour_once(name: str) -> None:
    for change_s in changes_of(name):
        weeks = [cells_of(layout) for _, layout in three_weeks(name, change_s)]

        held = Counter(quarter for cells in weeks for quarter in cells)
        assert sorted(held) == list(range(min(held), max(held) + 1))
        assert set(held.values()) == {1}


def test_around_each_change_cells_are_the_local_time_at_the_start(name: str) -> None:
    for change_s in changes_of(name):
        near = range(change_s // 900 - HOURS_NEAR * 4, change_s // 900 + HOURS_NEAR * 4)
        weeks = [(week, cells_of(layout)) for week, layout in three_weeks(name, change_s)]

        seen = {at: (week, cells[at]) for week, cells in weeks for at in near if at in cells}

        assert seen == {at: label(name, at) for at in near}


def test_around_each_change_weeks_begin_and_end_with_monday(name: str) -> None:
    for change_s in changes_of(name):
        for week, layout in three_weeks(name, change_s):
            first, after = layout.first_quarter, layout.last_quarter + 1

            around = [label(name, at)[0] for at in (first - 1, first, after - 1, after)]

            assert around == [week.previous(), week, week, week.next()]
            assert (layout.from_iso, layout.to_iso) == (iso(name, first), iso(name, after))


# Most of them changed at 00:01 of local time; in UTC, and without other names of the same zone.
NOT_AT_A_QUARTER_HOUR = {
    "America/Goose_Bay": [
        "2007-03-11 04:01",
        "2007-11-04 03:01",
        "2008-03-09 04:01",
        "2008-11-02 03:01",
        "2009-03-08 04:01",
        "2009-11-01 03:01",
        "2010-03-14 04:01",
        "2010-11-07 03:01",
        "2011-03-13 04:01",
    ],
    "America/St_Johns": [
        "2007-03-11 03:31",
        "2007-11-04 02:31",
        "2008-03-09 03:31",
        "2008-11-02 02:31",
        "2009-03-08 03:31",
        "2009-11-01 02:31",
        "2010-03-14 03:31",
        "2010-11-07 02:31",
        "2011-03-13 03:31",
    ],
    "Antarctica/Casey": ["2020-10-03 16:01", "2021-10-02 16:01", "2022-10-01 16:01"],
    "Asia/Gaza": ["2010-03-26 22:01", "2011-03-31 22:01"],
    "Asia/Hebron": ["2011-03-31 22:01"],
}


def test_these_changes_were_not_at_a_quarter_hour() -> None:
    odd = {
        name: [f"{datetime.fromtimestamp(at_s, UTC):%F %R}" for at_s in changes if at_s % 900]
        for name, changes in [(name, changes_of(name)) for name in DISTINCT_ZONES]
        if any(at_s % 900 for at_s in changes)
    }

    assert odd == NOT_AT_A_QUARTER_HOUR


def test_no_offset_changed_between_two_ticks_of_the_oracle() -> None:
    weekly = {name: changes_of(name, 0, FIRST_S, 7 * DAY_S) for name in DISTINCT_ZONES}

    odd = {name for name, changes in weekly.items() if any(at * 1000 % TICK_MS for at in changes)}

    assert odd == set()


# Days that are not 24 hours long, and midnights that are not there.


def hours_of(zone: str, day: str) -> dict[int, float]:
    """Tell how many hours long each hour of a local day is; the whole day was listened to."""
    year, week, weekday = date.fromisoformat(day).isocalendar()
    layout = week_layout(only(zone), IsoWeek(year, week))
    quarters = dict.fromkeys(range(layout.first_quarter, layout.last_quarter + 1), QUARTER_MS)
    (_, _, hours) = tallied(layout, quarters).days[weekday - 1]
    return {hour: listened_ms / HOUR_MS for hour, listened_ms in hours.items()}


@pytest.mark.parametrize(
    ("zone", "day", "odd_hours"),
    [
        pytest.param("Europe/Berlin", "2026-03-29", {2: None}, id="berlin-23-hours"),
        pytest.param("Europe/Berlin", "2026-10-25", {2: 2}, id="berlin-25-hours"),
        pytest.param("Australia/Lord_Howe", "2026-10-04", {2: 0.5}, id="lord-howe-23-and-a-half"),
        pytest.param("Australia/Lord_Howe", "2026-04-05", {1: 1.5}, id="lord-howe-24-and-a-half"),
        pytest.param("Antarctica/Troll", "2026-03-29", {1: None, 2: None}, id="troll-22-hours"),
        pytest.param("Antarctica/Troll", "2026-10-25", {1: 2, 2: 2}, id="troll-26-hours"),
        pytest.param("America/Sao_Paulo", "2018-11-04", {0: None}, id="sao-paulo-no-midnight"),
        pytest.param("America/Sao_Paulo", "2018-02-17", {23: 2}, id="sao-paulo-two-evenings"),
        pytest.param("Asia/Beirut", "2026-03-29", {0: None}, id="beirut-no-midnight"),
        pytest.param("Africa/Cairo", "2026-04-24", {0: None}, id="cairo-no-midnight"),
        pytest.param("Africa/Cairo", "2026-10-29", {23: 2}, id="cairo-two-evenings"),
        pytest.param("Asia/Kolkata", "2026-11-16", {}, id="kolkata"),
        pytest.param("Asia/Kathmandu", "2026-11-16", {}, id="kathmandu"),
        pytest.param(
            "Pacific/Apia", "2011-12-30", dict.fromkeys(range(24)), id="apia-skipped-a-friday"
        ),
        pytest.param("Pacific/Apia", "2011-12-31", {}, id="apia-after-the-skip"),
        # A whole quarter-hour is of the offset at its start, so 00:00 to 00:01 takes 14 min along.
        pytest.param("America/St_Johns", "2010-11-06", {23: 1.75}, id="st-johns-at-a-minute-past"),
    ],
)
def test_a_day_is_as_long_as_its_zone_says(
    zone: str, day: str, odd_hours: Mapping[int, float | None]
) -> None:
    expected = {**dict.fromkeys(range(24), 1), **odd_hours}

    assert hours_of(zone, day) == {hour: long for hour, long in expected.items() if long}


@pytest.mark.parametrize(
    ("zone", "week", "begin", "end"),
    [
        pytest.param(
            "Asia/Kolkata",
            "2026-W47",
            "2026-11-16T00:00:00+05:30",
            "2026-11-23T00:00:00+05:30",
            id="the-contracts-example",
        ),
        pytest.param(
            "UTC",
            "2026-W47",
            "2026-11-16T00:00:00+00:00",
            "2026-11-23T00:00:00+00:00",
            id="utc",
        ),
        pytest.param(
            "Europe/Berlin",
            "2026-W43",
            "2026-10-19T00:00:00+02:00",
            "2026-10-26T00:00:00+01:00",
            id="summer-time-ends",
        ),
        pytest.param(
            "Asia/Tehran",
            "2021-W12",
            "2021-03-22T01:00:00+04:30",
            "2021-03-29T00:00:00+04:30",
            id="a-monday-without-midnight-begins-at-one",
        ),
        pytest.param(
            "Asia/Tehran",
            "2021-W11",
            "2021-03-15T00:00:00+03:30",
            "2021-03-22T01:00:00+04:30",
            id="and-the-week-before-ends-there",
        ),
        pytest.param(
            "Asia/Tehran",
            "2020-W39",
            "2020-09-21T00:00:00+03:30",
            "2020-09-28T00:00:00+03:30",
            id="a-sunday-evening-twice",
        ),
        pytest.param(
            "Pacific/Apia",
            "2011-W52",
            "2011-12-26T00:00:00-10:00",
            "2012-01-02T00:00:00+14:00",
            id="a-week-of-six-days",
        ),
    ],
)
def test_a_week_goes_from_its_first_instant_to_the_next_weeks(
    zone: str, week: str, begin: str, end: str
) -> None:
    layout = week_layout(only(zone), IsoWeek.parse(week))

    assert (layout.from_iso, layout.to_iso) == (begin, end)
    assert ms(begin) == layout.first_quarter * QUARTER_MS
    assert ms(end) == (layout.last_quarter + 1) * QUARTER_MS


def test_a_week_has_all_seven_dates_also_where_one_was_skipped() -> None:
    layout = week_layout(only("Pacific/Apia"), IsoWeek.parse("2011-W52"))

    assert layout.dates == tuple(str(date(2011, 12, 26) + timedelta(day)) for day in range(7))
