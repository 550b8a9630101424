"""Which rows of a partition are read."""

from dataclasses import dataclass

from domain.ports import Value


@dataclass(frozen=True, slots=True)
class Range:
    """Which rows of a partition, from which end, and how many at most."""

    first: Value
    last: Value
    descending: bool
    limit: int | None

    @property
    def bounds(self) -> list[Value]:
        """The bounds that there are."""
        return [bound for bound in (self.first, self.last) if bound is not None]
