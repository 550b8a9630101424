"""What was in the log at one moment: whether all of it has been applied."""

from collections.abc import Sequence
from typing import Any


class Target:
    """The ends of all partitions as the first status told them; what comes later does not count."""

    def __init__(self) -> None:
        self._ends = dict[int, int]()
        self.behind = list[dict[str, Any]]()

    def reached(self, partitions: Sequence[dict[str, Any]]) -> bool:
        """Tell from what ``/v1/status`` says of the *partitions*; none say nothing."""
        self._ends = self._ends or {each["partition"]: each["end"] for each in partitions}
        self.behind = [one for one in partitions if self._applied(one) < self._end(one)]
        return bool(partitions) and not self.behind

    @staticmethod
    def _applied(one: dict[str, Any]) -> int:
        return int(one["end"] - one["lag"])

    def _end(self, one: dict[str, Any]) -> int:
        return self._ends[one["partition"]]
