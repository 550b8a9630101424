import zoneinfo
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import (
    OUTSIDE,
    IsoWeek,
    WeekLayout,
    Zone,
    change_zone,
    check_zone,
    tally,
    week_at,
    week_layout,
    zone_at,
    zone_info,
    zone_names,
)
from domain.errors import InvalidWeek, UnknownZone
from domain.recount import TICK_MS
from domain.units import DAY_MS, HOUR_MS, QUARTER_MS
from tests.domain.cases import ms
from tests.strategies import instants, zone_changes

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


def offset_s(name: str, at_s: int) -> int:
    offset = datetime.fromtimestamp(at_s, zone_info(name)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


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


def only(name: str) -> tuple[Zone, ...]:
    return (Zone(0, name),)


def cells_of(layout: WeekLayout) -> dict[int, int]:
    return {
        quarter: cell
        for quarter, cell in enumerate(layout.cells, layout.first_quarter)
        if cell != OUTSIDE
    }


def label(name: str, quarter: int) -> tuple[IsoWeek, int]:
    """Tell a quarter-hour's week and cell by nothing but the local time at its start."""
    local = datetime.fromtimestamp(quarter * QUARTER_MS // 1000, UTC).astimezone(zone_info(name))
    year, week, weekday = local.isocalendar()
    return IsoWeek(year, week), (weekday - 1) * 24 + local.hour


def iso(name: str, quarter: int) -> str:
    return datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone_info(name)).isoformat()


def three_weeks(name: str, at_s: int) -> list[tuple[IsoWeek, WeekLayout]]:
    week = week_at(only(name), at_s * 1000)
    around = (week.previous(), week, week.next())
    return [(one, week_layout(only(name), one)) for one in around]


# Every zone, around each of its changes.


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
    (_, _, hours) = tally(layout, quarters).days[weekday - 1]
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


@pytest.mark.parametrize(
    ("instant", "zone", "week"),
    [
        pytest.param("2027-01-01T00:00:00+00:00", "UTC", "2026-W53", id="new-year-2027"),
        pytest.param("2027-01-03T23:59:59+00:00", "UTC", "2026-W53", id="its-last-second"),
        pytest.param("2027-01-04T00:00:00+00:00", "UTC", "2027-W01", id="and-the-next"),
        pytest.param("2021-01-03T12:00:00+00:00", "UTC", "2020-W53", id="2020-had-53"),
        pytest.param("2024-12-30T00:00:00+00:00", "UTC", "2025-W01", id="december-of-next-year"),
        pytest.param("2026-11-15T18:30:00+00:00", "Asia/Kolkata", "2026-W47", id="monday-there"),
        pytest.param("2026-11-15T18:29:59.999+00:00", "Asia/Kolkata", "2026-W46", id="not-yet"),
        pytest.param("1970-01-01T00:00:00+00:00", "UTC", "1970-W01", id="the-epoch"),
        pytest.param("2200-12-31T23:00:00+00:00", "UTC", "2201-W01", id="the-last-year"),
    ],
)
def test_an_instant_is_of_the_local_week(instant: str, zone: str, week: str) -> None:
    assert str(week_at(only(zone), ms(instant))) == week


@pytest.mark.parametrize("at_ms", [-1, ms("2201-01-01T00:00:00+00:00"), 1 << 63, -(1 << 63)])
def test_an_absurd_instant_has_no_week(at_ms: int) -> None:
    with pytest.raises(InvalidWeek):
        week_at(only("UTC"), at_ms)


# Weeks as text.


@pytest.mark.parametrize(
    "text", ["2026-W47", "2026-W01", "2026-W53", "2020-W53", "1970-W01", "2200-W52"]
)
def test_a_week_is_written_as_it_was_read(text: str) -> None:
    assert str(IsoWeek.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "current",
        "2026-W00",
        "2026-W54",
        "2026-W99",
        "2025-W53",
        "2026-w47",
        "2026W47",
        "2026-47",
        "2026-W4",
        "2026-W047",
        "2026-W47-1",
        " 2026-W47",
        "2026-W47 ",
        "2026-W47\n",
        "2026-W47\0",
        "-026-W47",
        "+2026-W47",
        "2026-W+7",
        "\u0662\u0660\u0662\u0666-W\u0664\u0667",
        "\uff12026-W47",
        "1969-W52",
        "2201-W01",
        "0000-W01",
        "9999-W52",
        "2026-W47" * 10_000,
        "9" * 100_000,
    ],
    ids=lambda text: repr(text)[:24].encode("ascii", "backslashreplace").decode(),
)
def test_any_other_text_is_no_week(text: str) -> None:
    with pytest.raises(InvalidWeek):
        IsoWeek.parse(text)


@given(st.text(max_size=12))
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    with suppress(InvalidWeek):
        assert str(IsoWeek.parse(text)) == text


weeks = st.dates(date(1970, 1, 8), date(2200, 12, 20)).map(lambda day: day.isocalendar())


@given(weeks)
def test_weeks_follow_each_other_as_their_mondays_do(of_day: tuple[int, int, int]) -> None:
    week = IsoWeek(of_day[0], of_day[1])

    assert week.next().monday() - week.monday() == timedelta(weeks=1)
    assert week.next().previous() == week
    assert week < week.next()
    assert IsoWeek.parse(str(week)) == week


def test_the_first_and_the_last_week_have_neighbours_with_a_layout() -> None:
    before, after = IsoWeek.parse("1970-W01").previous(), IsoWeek.parse("2200-W52").next()

    assert week_layout(only("UTC"), before).dates[0] == "1969-12-22"
    assert week_layout(only("UTC"), after).dates[0] == "2200-12-29"


@pytest.mark.parametrize("year", [-1, 0, 1, 1968, 2202, 9999, 10_000])
def test_an_absurd_year_has_no_layout(year: int) -> None:
    with pytest.raises(InvalidWeek):
        week_layout(only("UTC"), IsoWeek(year, 1))


# Zones.


@pytest.mark.parametrize(
    "name",
    ["Europe/Berlin", "UTC", "Asia/Calcutta", "America/Argentina/ComodRivadavia", "Etc/GMT+12"],
)
def test_names_of_the_tz_database_are_taken(name: str) -> None:
    check_zone(name)

    assert zone_info(name).key == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "/",
        "../etc/passwd",
        "/etc/localtime",
        "Europe",
        "Europe/",
        "Europe/../Europe/Berlin",
        "Europe\\Berlin",
        "Europe/Berlin\0",
        "Europe/Berlin\n",
        " Europe/Berlin",
        "europe/berlin",
        "posixrules",
        "localtime",
        "posix/Europe/Berlin",
        "tzdata.zi",
        "zone.tab",
        "__init__.py",
        "CET-1CEST",
        "+01:00",
        "Europe/B\u00e9rlin",
        "\ud800",
        "x" * 100_000,
    ],
    ids=lambda name: repr(name)[:24].encode("ascii", "backslashreplace").decode(),
)
def test_any_other_name_is_no_zone(name: str) -> None:
    with pytest.raises(UnknownZone):
        check_zone(name)
    with pytest.raises(UnknownZone):
        zone_info(name)
    with pytest.raises(UnknownZone):
        change_zone(only("UTC"), name, 0)


def test_every_zone_has_its_rules() -> None:
    assert {zone_info(name).key for name in zone_names()} == zone_names()
    assert len(zone_names()) > 500


@pytest.fixture
def other_system_zones(tmp_path: Path) -> Iterator[None]:
    """Let the system say that Berlin keeps the time of Tokyo."""
    (tmp_path / "Europe").mkdir()
    tokyo = files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (tmp_path / "Europe" / "Berlin").write_bytes(tokyo)
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([tmp_path])
    zone_info.cache_clear()
    yield
    zoneinfo.reset_tzpath(before)
    zone_info.cache_clear()


@pytest.mark.usefixtures("other_system_zones")
def test_the_systems_zones_are_not_asked() -> None:
    systems = zoneinfo.ZoneInfo.no_cache("Europe/Berlin")
    assert datetime(2026, 1, 1, tzinfo=systems).utcoffset() == timedelta(hours=9)

    assert offset_s("Europe/Berlin", ms("2026-01-01T00:00:00+01:00") // 1000) == 3600


# A listener's zones.

T0 = ms("2026-11-18T10:00:00+00:00")


@pytest.mark.parametrize(
    ("now_ms", "since_ms"),
    [
        pytest.param(T0 - 1, T0, id="just-before"),
        pytest.param(T0, T0 + QUARTER_MS, id="at"),
        pytest.param(T0 + 1, T0 + QUARTER_MS, id="just-after"),
    ],
)
def test_a_change_holds_from_the_next_quarter_hour(now_ms: int, since_ms: int) -> None:
    zones = change_zone(only("Europe/Berlin"), "Asia/Tokyo", now_ms)

    assert zones == (Zone(0, "Europe/Berlin"), Zone(since_ms, "Asia/Tokyo"))
    assert zone_at(zones, since_ms - 1) == "Europe/Berlin"
    assert zone_at(zones, since_ms) == "Asia/Tokyo"


def test_the_first_zone_holds_from_the_beginning() -> None:
    assert change_zone((), "Asia/Tokyo", T0) == (Zone(0, "Asia/Tokyo"),)


def test_the_same_zone_again_changes_nothing() -> None:
    zones = change_zone(only("Europe/Berlin"), "Asia/Tokyo", T0)

    assert change_zone(zones, "Asia/Tokyo", T0 + DAY_MS) == zones


def test_a_change_that_does_not_hold_yet_is_replaced() -> None:
    mistaken = change_zone(only("Europe/Berlin"), "Asia/Tokyo", T0)

    assert change_zone(mistaken, "Asia/Seoul", T0 + 1) == (
        Zone(0, "Europe/Berlin"),
        Zone(T0 + QUARTER_MS, "Asia/Seoul"),
    )
    assert change_zone(mistaken, "Europe/Berlin", T0 + 1) == only("Europe/Berlin")


def test_a_clock_that_went_back_rewrites_nothing_that_was_shown() -> None:
    zones = change_zone(only("Europe/Berlin"), "Asia/Tokyo", T0)
    again = change_zone(zones, "Asia/Seoul", T0 + DAY_MS)

    assert change_zone(again, "UTC", T0 - DAY_MS)[:2] == zones


@given(st.lists(st.tuples(instants(), st.sampled_from(["UTC", "Asia/Tokyo", "Asia/Kolkata"]))))
def test_zones_stay_in_order_and_no_two_neighbours_are_the_same(
    changes: list[tuple[int, str]],
) -> None:
    zones: tuple[Zone, ...] = ()
    for now_ms, name in changes:
        zones = change_zone(zones, name, now_ms)
        assert zones[-1].name == name

    assert all(one.since_ms < after.since_ms for one, after in pairwise(zones))
    assert all(one.name != after.name for one, after in pairwise(zones))
    assert all(zone.since_ms % QUARTER_MS == 0 for zone in zones)


# Weeks of a listener who travels.


@given(zone_changes(), instants())
def test_every_quarter_hour_is_of_the_week_that_its_instants_are_in(
    zones: tuple[Zone, ...], at_ms: int
) -> None:
    week, quarter = week_at(zones, at_ms), at_ms // QUARTER_MS

    holders = [
        (one, cells_of(week_layout(zones, one))[quarter])
        for one in (week.previous(), week, week.next())
        if quarter in cells_of(week_layout(zones, one))
    ]

    in_force = [zone.name for zone in zones if zone.since_ms <= quarter * QUARTER_MS][-1]
    assert holders == [label(in_force, quarter)]
    assert holders[0][0] == week


@given(zone_changes(), instants())
def test_weeks_of_changing_zones_hold_every_quarter_hour_once(
    zones: tuple[Zone, ...], at_ms: int
) -> None:
    week = week_at(zones, at_ms)

    around = (week.previous().previous(), week.previous(), week, week.next(), week.next().next())
    held = Counter(at for one in around for at in cells_of(week_layout(zones, one)))

    middle = week_layout(zones, week)
    assert set(held.values()) == {1}
    assert set(range(middle.first_quarter, middle.last_quarter + 1)) <= set(held)


def test_a_week_that_a_listener_left_and_came_back_to_has_a_hole() -> None:
    # Monday 00:00 to 00:15 on Kiritimati, and then it is Sunday again, in Honolulu.
    zones = (
        Zone(0, "Pacific/Kiritimati"),
        Zone(ms("2026-11-23T00:15:00+14:00"), "Pacific/Honolulu"),
    )

    layout = week_layout(zones, IsoWeek.parse("2026-W47"))

    assert layout.cells.count(OUTSIDE) == 1
    assert (layout.from_iso, layout.to_iso) == (
        "2026-11-16T00:00:00+14:00",
        "2026-11-23T00:00:00-10:00",
    )
    assert tally(layout, {layout.first_quarter + layout.cells.index(OUTSIDE): 1}).listened_ms == 0


@pytest.mark.parametrize(
    ("week", "shown"),
    [
        pytest.param("2026-W46", "Europe/Berlin", id="the-week-before"),
        pytest.param("2026-W47", "Asia/Tokyo", id="the-week-of-the-change"),
        pytest.param("2026-W48", "Asia/Tokyo", id="the-week-after"),
    ],
)
def test_a_week_shows_the_zone_in_force_at_its_end(week: str, shown: str) -> None:
    zones = (Zone(0, "Europe/Berlin"), Zone(T0, "Asia/Tokyo"))

    assert week_layout(zones, IsoWeek.parse(week)).time_zone == shown


def test_listeners_who_share_a_zone_share_its_layouts() -> None:
    travelled = (Zone(0, "Europe/Berlin"), Zone(T0 - 30 * DAY_MS, "Asia/Tokyo"))
    week = IsoWeek.parse("2026-W47")

    assert week_layout(travelled, week) is week_layout(only("Asia/Tokyo"), week)


# Tallies.


@st.composite
def listened_quarters(draw: st.DrawFn) -> dict[int, int]:
    layout = week_layout(only("Europe/Berlin"), IsoWeek.parse("2026-W43"))
    near = st.integers(layout.first_quarter - 9, layout.last_quarter + 9)
    return draw(st.dictionaries(near, st.integers(1, QUARTER_MS), max_size=40))


@given(listened_quarters())
def test_a_tally_is_the_sum_of_what_is_of_the_week(quarters: dict[int, int]) -> None:
    week = IsoWeek.parse("2026-W43")

    counted = tally(week_layout(only("Europe/Berlin"), week), quarters)

    own = {at: ms for at, ms in quarters.items() if label("Europe/Berlin", at)[0] == week}
    expected = Counter[int]()
    for quarter, listened_ms in own.items():
        expected[label("Europe/Berlin", quarter)[1]] += listened_ms
    assert counted.listened_ms == sum(own.values()) == sum(day.listened_ms for day in counted.days)
    assert {
        day * 24 + hour: listened_ms
        for day, (_, _, hours) in enumerate(counted.days)
        for hour, listened_ms in hours.items()
    } == expected


def test_nothing_listened_is_seven_empty_days() -> None:
    layout = week_layout(only("UTC"), IsoWeek.parse("2026-W47"))

    counted = tally(layout, {})

    assert counted.listened_ms == 0
    assert [day.date for day in counted.days] == list(layout.dates)
    assert all(day.listened_ms == 0 and day.hours == {} for day in counted.days)
