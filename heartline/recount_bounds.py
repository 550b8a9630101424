"""Which quarter-hours are counted again: those that the log still holds whole."""

from dataclasses import dataclass

from domain.units import FUTURE_MS, JOIN_MS, QUARTER_MS

ALWAYS = 1 << 62


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
