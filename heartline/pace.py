"""Rates of counts that are looked at again and again."""

from collections import deque
from collections.abc import Mapping

SPAN_S = 15.0  # processes tell their counts every five seconds


class Pace:
    """The counts of the last seconds; what begins anew counts from 0."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Mapping[str, int]]] = deque()

    def rates(self, now_s: float, counts: Mapping[str, int]) -> dict[str, float]:
        """Take in *counts* as of now; tells by how much each grew in a second."""
        self._seen.append((now_s, dict(counts)))
        while len(self._seen) > 2 and self._seen[1][0] <= now_s - SPAN_S:
            self._seen.popleft()
        since_s, before = self._seen[0]
        span_s = max(now_s - since_s, 0.001)
        return {
            name: max(0, count - before.get(name, 0)) / span_s for name, count in counts.items()
        }
