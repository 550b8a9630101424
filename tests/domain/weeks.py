"""A week's layout, and what it is compared with: nothing but the local time of a zone."""

from collections.abc import Mapping
from datetime import UTC, datetime

from domain.calendar import OUTSIDE, IsoWeek, Tally, WeekLayout, Zone, tally, zone_info
from domain.quarters import Quarters
from domain.units import QUARTER_MS


def only(name: str) -> tuple[Zone, ...]:
    """Be in one zone from the beginning."""
    return (Zone(0, name),)


def offset_s(name: str, at_s: int) -> int:
    """Tell how many seconds a zone is ahead of UTC."""
    offset = datetime.fromtimestamp(at_s, zone_info(name)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def cells_of(layout: WeekLayout) -> dict[int, int]:
    """Tell the cell of each UTC quarter-hour that is of the week."""
    return {
        quarter: cell
        for quarter, cell in enumerate(layout.cells, layout.first_quarter)
        if cell != OUTSIDE
    }


def tallied(layout: WeekLayout, listened: Mapping[int, int]) -> Tally:
    """Tally UTC quarter-hours, some around the week among them."""
    return tally(layout, Quarters.of(listened))


def label(name: str, quarter: int) -> tuple[IsoWeek, int]:
    """Tell a quarter-hour's week and cell by nothing but the local time at its start."""
    local = datetime.fromtimestamp(quarter * QUARTER_MS // 1000, UTC).astimezone(zone_info(name))
    year, week, weekday = local.isocalendar()
    return IsoWeek(year, week), (weekday - 1) * 24 + local.hour
