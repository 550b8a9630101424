"""What was heard of a listener, counted: what a recount holds the store's rows against."""

from collections.abc import Callable, Sequence
from functools import cached_property

from domain.heartbeats import Heartbeat, Kind
from domain.recount import Counts, counts


class Heard:
    """What a listener's client said: all of it, and what was committed when reading began.

    Both are counted when somebody asks; *committed* None: all of it was. *instants* are the first
    and the last; None: there was nothing but an erasure.
    """

    def __init__(
        self,
        every: Callable[[], Counts],
        committed: Callable[[], Counts] | None,
        *,
        instants: tuple[int, int] | None,
        erased: bool,
    ) -> None:
        self._every, self._committed = every, committed
        self.instants, self.erased = instants, erased

    @cached_property
    def most(self) -> Counts:
        """All of it, counted."""
        return self._every()

    @cached_property
    def least(self) -> Counts:
        """What was committed, counted."""
        return self.most if self._committed is None else self._committed()


def heard_of(every: Sequence[Heartbeat], committed: Sequence[Heartbeat]) -> Heard:
    """Have the oracle count what one listener's client said."""
    plain = [beat.at for beat in every if beat.kind is not Kind.ERASE]
    return Heard(
        lambda: counts(every),
        None if len(committed) == len(every) else lambda: counts(committed),
        instants=(min(plain), max(plain)) if plain else None,
        erased=len(plain) < len(every),
    )
