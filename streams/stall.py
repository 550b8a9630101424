"""The watchdog's rule: what is behind and does not move for too long is stalled."""

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(slots=True)
class _Seen:
    mark: int
    since_s: float


class Stall:
    """Judges from what it is shown; the clock is the caller's."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._seen: dict[Hashable, _Seen] = {}

    def stands(self, what: Hashable, *, behind: bool, mark: int, now_s: float) -> bool:
        """Whether *what* has been behind for longer than the limit, at the same *mark* all the time."""
        seen = self._seen.get(what)
        if seen is None or not behind or seen.mark != mark:
            seen = self._seen[what] = _Seen(mark, now_s)
        return now_s - seen.since_s > self._limit_s

    def forget(self, what: Hashable) -> None:
        """Begin anew with *what*."""
        self._seen.pop(what, None)

    def forget_all(self) -> None:
        """Begin anew: nobody has looked for a while."""
        self._seen.clear()
