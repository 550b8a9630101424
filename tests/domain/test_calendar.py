"""Weeks as text, zones as names, a listener who changes zones, and tallies."""

import zoneinfo
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import (
    OUTSIDE,
    IsoWeek,
    Zone,
    change_zone,
    check_zone,
    total_ms,
    week_at,
    week_layout,
    zone_at,
    zone_info,
    zone_names,
)
from domain.errors import InvalidWeek, UnknownZone
from domain.quarters import Quarters
from domain.units import DAY_MS, QUARTER_MS
from tests.domain.cases import ms
from tests.domain.weeks import cells_of, label, offset_s, only, tallied
from tests.strategies import instants, zone_changes


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


def test_a_zone_that_begins_within_a_quarter_hour_is_of_the_next_one() -> None:
    zones = (Zone(0, "UTC"), Zone(T0 + 1, "Asia/Tokyo"))
    quarter = T0 // QUARTER_MS

    cells = cells_of(week_layout(zones, IsoWeek.parse("2026-W47")))

    assert (cells[quarter] % 24, cells[quarter + 1] % 24) == (10, 19)


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
    outside = layout.first_quarter + layout.cells.index(OUTSIDE)
    assert tallied(layout, {outside: 1}).listened_ms == 0


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

    counted = tallied(week_layout(only("Europe/Berlin"), week), quarters)

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


@given(listened_quarters(), zone_changes(["Asia/Tokyo", "Pacific/Apia", "America/New_York"]))
def test_the_total_of_a_week_is_that_of_its_days(
    quarters: dict[int, int], zones: tuple[Zone, ...]
) -> None:
    layout = week_layout(zones, IsoWeek.parse("2026-W43"))
    total = total_ms(layout, Quarters.of(quarters))

    assert total == tallied(layout, quarters).listened_ms


def test_nothing_listened_is_seven_empty_days() -> None:
    layout = week_layout(only("UTC"), IsoWeek.parse("2026-W47"))

    counted = tallied(layout, {})

    assert counted.listened_ms == 0
    assert [day.date for day in counted.days] == list(layout.dates)
    assert all(day.listened_ms == 0 and day.hours == {} for day in counted.days)
