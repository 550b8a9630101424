"""Local weeks: which UTC quarter-hour belongs to which hour of a listener's ISO week.

A quarter-hour belongs, whole, to the local time at its start, in the zone in force at its start. So
every quarter-hour is of exactly one hour, day and week, whatever the zones do, and a week is a sum.

Offsets come from the installed tzdata package, which is pinned, and never from the system's copy.
"""  # noqa: A005 (always imported as domain.calendar)

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from domain.errors import InvalidWeek, UnknownZone
from domain.quarters import Quarters
from domain.units import DAY_MS, HOUR_MS, QUARTER_MS, WEEK_MS

FIRST_YEAR, LAST_YEAR = 1970, 2200
OUTSIDE = 255  # the cell of a quarter-hour that is not of the week

_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})")
_END_MS = (date(LAST_YEAR + 1, 1, 1) - date(1970, 1, 1)).days * DAY_MS
_FARTHEST_MS = 16 * HOUR_MS  # no zone was ever farther from UTC
_HOURS = 7 * 24


class Zone(Struct, frozen=True):
    """A zone of the tz database, and the instant from which it holds for a listener."""

    since_ms: int
    name: str


class IsoWeek(NamedTuple):
    """A week of ISO 8601, beginning on Monday; the year is the one that its Thursday is in."""

    year: int
    week: int

    @classmethod
    def parse(cls, text: str) -> "IsoWeek":
        """Read a week as ``str`` writes it: ``2026-W47``.

        Raises
        ------
        InvalidWeek
            It is written in another way, that year has no such week, or it is not 1970 to 2200.
        """
        match = _WEEK.fullmatch(text)
        if match is None or not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
            raise InvalidWeek(text)
        week = cls(int(match[1]), int(match[2]))
        if _of_date(week.monday()) != week:
            raise InvalidWeek(text)
        return week

    def monday(self) -> date:
        """Tell its first day."""
        return date.fromisocalendar(self.year, 1, 1) + timedelta(weeks=self.week - 1)

    def next(self) -> "IsoWeek":
        """Tell the week after it."""
        return _of_date(self.monday() + timedelta(weeks=1))

    def previous(self) -> "IsoWeek":
        """Tell the week before it."""
        return _of_date(self.monday() - timedelta(weeks=1))

    def __str__(self) -> str:
        return f"{self.year:04}-W{self.week:02}"


@dataclass(frozen=True, slots=True)
class WeekLayout:
    """Where the quarter-hours of one local week go.

    ``time_zone`` is the zone in force for the week's last quarter-hour; ``from_iso`` is the week's
    first instant and ``to_iso`` the first one after it, each with the offset in force there.
    ``cells`` has a byte for each of the quarter-hours ``first_quarter`` to ``last_quarter``: the
    local ``day * 24 + hour`` (Monday is day 0), or `OUTSIDE` where a change of zone put another
    week's time in between.
    """

    time_zone: str
    from_iso: str
    to_iso: str
    dates: tuple[str, ...]
    first_quarter: int
    last_quarter: int
    cells: bytes


class Day(NamedTuple):
    """What was listened on one local day, and in those of its hours in which anything was."""

    date: str
    listened_ms: int
    hours: dict[int, int]


class Tally(NamedTuple):
    """What was listened in one local week, and on each of its seven days."""

    listened_ms: int
    days: list[Day]


@cache
def zone_names() -> frozenset[str]:
    """Tell every name in the pinned tzdata, aliases included."""
    return frozenset(files("tzdata").joinpath("zones").read_text("ascii").split())


def check_zone(name: str) -> None:
    """Refuse what is not, letter by letter, a name of the tz database.

    Raises
    ------
    UnknownZone
        The pinned tzdata has no zone of that name.
    """
    if name not in zone_names():
        raise UnknownZone(name)


@cache
def zone_info(name: str) -> ZoneInfo:
    """Tell a zone's offsets, as the pinned tzdata has them.

    Raises
    ------
    UnknownZone
        The pinned tzdata has no zone of that name.
    """
    check_zone(name)  # the name becomes a path
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def change_zone(zones: Sequence[Zone], name: str, now_ms: int) -> tuple[Zone, ...]:
    """Note that a listener is in zone *name* from the next quarter-hour after *now_ms* on.

    Without *zones* it holds from the beginning. A change that does not hold yet is replaced by the
    next one; the same zone again changes nothing.

    Raises
    ------
    UnknownZone
        The pinned tzdata has no zone of that name.
    """
    check_zone(name)
    if not zones:
        return (Zone(0, name),)
    # Not before the newest one: a clock that went back must not rewrite what has been shown.
    since_ms = max((now_ms // QUARTER_MS + 1) * QUARTER_MS, zones[-1].since_ms)
    kept = tuple(zone for zone in zones if zone.since_ms < since_ms)
    if kept and kept[-1].name == name:
        return kept
    return (*kept, Zone(since_ms if kept else 0, name))


def zone_at(zones: Sequence[Zone], at_ms: int) -> str:
    """Tell the zone in force at *at_ms*; the first holds before its own beginning as well."""
    return zones[max(bisect_right(zones, at_ms, key=_since_ms) - 1, 0)].name


def week_at(zones: Sequence[Zone], at_ms: int) -> IsoWeek:
    """Tell the local week of an instant: that of the quarter-hour which it is in.

    Raises
    ------
    InvalidWeek
        The instant is before 1970 or after 2200.
    """
    if not 0 <= at_ms < _END_MS:
        raise InvalidWeek(f"the week of {at_ms} ms")
    start_ms = at_ms // QUARTER_MS * QUARTER_MS
    return _of_date(_local(zone_info(zone_at(zones, start_ms)), start_ms).date())


def week_layout(zones: Sequence[Zone], week: IsoWeek) -> WeekLayout:
    """Lay out a local week for a listener who was in *zones*; remembered for the weeks used last.

    Raises
    ------
    InvalidWeek
        It is not in the years 1969 to 2201.
    """
    if not FIRST_YEAR - 1 <= week.year <= LAST_YEAR + 1:
        raise InvalidWeek(str(week))
    return _layout(_in_force(zones, week), week)


def tally(layout: WeekLayout, quarters: Quarters) -> Tally:
    """Sum a listener's quarter-hours into the days and hours of a local week."""
    sums = _hours(layout, quarters)
    heard = np.flatnonzero(sums)
    hours: list[dict[int, int]] = [{} for _ in layout.dates]
    for cell, listened_ms in zip(heard.tolist(), sums[heard].tolist(), strict=True):
        hours[cell // 24][cell % 24] = listened_ms
    days = [
        Day(day, sum(of_day.values()), of_day)
        for day, of_day in zip(layout.dates, hours, strict=True)
    ]
    return Tally(sum([day.listened_ms for day in days]), days)


def total_ms(layout: WeekLayout, quarters: Quarters) -> int:
    """Sum a listener's quarter-hours of a local week, as `tally` does."""
    return int(_hours(layout, quarters).sum())


def _hours(layout: WeekLayout, quarters: Quarters) -> npt.NDArray[np.int64]:
    """Sum quarter-hours by their cells."""
    numbers, listened_ms = quarters.between(layout.first_quarter, layout.last_quarter)
    cells = np.frombuffer(layout.cells, np.uint8)[numbers - layout.first_quarter]
    sums = np.bincount(cells, listened_ms, OUTSIDE + 1)  # doubles: exact
    return sums[:_HOURS].astype(np.int64)


def _of_date(day: date) -> IsoWeek:
    year, week, _ = day.isocalendar()
    return IsoWeek(year, week)


def _since_ms(zone: Zone) -> int:
    return zone.since_ms


def _local(zone: ZoneInfo, at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, zone)


def _reach(week: IsoWeek) -> tuple[int, int]:
    """Tell between which instants it can be *week* anywhere."""
    monday_ms = (week.monday() - date(1970, 1, 1)).days * DAY_MS
    return monday_ms - _FARTHEST_MS, monday_ms + WEEK_MS + _FARTHEST_MS


def _in_force(zones: Sequence[Zone], week: IsoWeek) -> tuple[Zone, ...]:
    """Leave out what cannot matter to *week*, so that listeners of one zone share its layout."""
    if len(zones) == 1:
        return (Zone(0, zones[0].name),)
    begin_ms, end_ms = _reach(week)
    later = (zone for zone in zones if begin_ms < zone.since_ms < end_ms)
    return (Zone(0, zone_at(zones, begin_ms)), *later)


@lru_cache(maxsize=2048)
def _layout(zones: tuple[Zone, ...], week: IsoWeek) -> WeekLayout:
    begin, cells = _cells(zones, week)
    inside = [place for place, cell in enumerate(cells) if cell != OUTSIDE]
    first, last = begin + inside[0], begin + inside[-1]
    end_zone = zone_at(zones, last * QUARTER_MS)
    monday = week.monday()
    return WeekLayout(
        time_zone=end_zone,
        from_iso=_iso(zone_at(zones, first * QUARTER_MS), first),
        to_iso=_iso(end_zone, last + 1),
        dates=tuple(str(monday + timedelta(days=day)) for day in range(7)),
        first_quarter=first,
        last_quarter=last,
        cells=bytes(cells[inside[0] : inside[-1] + 1]),
    )


def _cells(zones: Sequence[Zone], week: IsoWeek) -> tuple[int, list[int]]:
    """Place every quarter-hour that may be of *week*: the first one's number, and their cells."""
    begin_ms, end_ms = _reach(week)
    begin, end = begin_ms // QUARTER_MS, end_ms // QUARTER_MS
    changes = (min(-(-zone.since_ms // QUARTER_MS), end) for zone in zones[1:])
    monday, cells = week.monday().toordinal(), []
    for zone, (first, after) in zip(zones, pairwise((begin, *changes, end)), strict=True):
        info = zone_info(zone.name)
        cells += [_cell(info, quarter, monday) for quarter in range(first, after)]
    return begin, cells


def _cell(zone: ZoneInfo, quarter: int, monday: int) -> int:
    local = _local(zone, quarter * QUARTER_MS)
    day = local.toordinal() - monday
    return day * 24 + local.hour if 0 <= day < 7 else OUTSIDE


def _iso(zone: str, quarter: int) -> str:
    return _local(zone_info(zone), quarter * QUARTER_MS).isoformat()
