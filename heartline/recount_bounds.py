"""Which quarter-hours are counted again: those that the log still holds whole."""

from dataclasses import dataclass

from domain.calendar import IsoWeek, Zone, week_layout
from domain.units import DAY_MS, FUTURE_MS, JOIN_MS, QUARTER_MS

ALWAYS = 1 << 62
FARTHEST_QUARTERS = 16 * 4  # a local week begins at most 16 hours from the UTC one
MARGIN_QUARTERS = DAY_MS // QUARTER_MS
UTC = (Zone(0, "UTC"),)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is compared: quarter-hours (UTC numbers, inclusive) that the log holds whole."""

    first: int = 0
    last: int = ALWAYS

    def within(self, other: "Bounds") -> "Bounds":
        """Tell what both hold."""
        return Bounds(max(self.first, other.first), min(self.last, other.last))

    def hold(self, at_ms: int) -> bool:
        """Whether an instant lies inside."""
        return self.first <= at_ms // QUARTER_MS <= self.last


def held_whole(trimmed_ms: int) -> Bounds:
    """Tell which quarter-hours the log still holds whole, if records up to then were removed.

    A heartbeat may be ahead of the clock by some minutes, and joins neighbours a minute away.
    """
    if not trimmed_ms:
        return Bounds()
    return Bounds(first=-(-(trimmed_ms + FUTURE_MS + JOIN_MS + 1) // QUARTER_MS))


def anywhere(week: IsoWeek) -> Bounds:
    """Tell which quarter-hours lie in a week in some time zone."""
    layout = week_layout(UTC, week)
    return Bounds(layout.first_quarter - FARTHEST_QUARTERS, layout.last_quarter + FARTHEST_QUARTERS)


@dataclass(frozen=True, slots=True)
class Window:
    """The heartbeats that a week is counted from: those of a day around it as well, for its plays."""

    week: IsoWeek

    @property
    def instants(self) -> tuple[int, int]:
        """The first and the last instant, in ms."""
        bounds = anywhere(self.week)
        first, last = bounds.first - MARGIN_QUARTERS, bounds.last + MARGIN_QUARTERS
        return first * QUARTER_MS, (last + 1) * QUARTER_MS - 1

    @property
    def whole(self) -> Bounds:
        """The quarter-hours that those heartbeats give whole: a neighbour may be a minute away."""
        bounds = anywhere(self.week)
        return Bounds(bounds.first - MARGIN_QUARTERS + 1, bounds.last + MARGIN_QUARTERS - 1)
