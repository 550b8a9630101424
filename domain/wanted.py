"""What a fold asks of the store before it applies a batch, and the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from domain.ids import LISTENER_ID_BYTES
from domain.kernels.state import Array, State

SLACK = bytes(8)  # kernels load words

States = Sequence[bytes | None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What must be read before a batch can be applied: places in the state, named when asked for."""

    state: State
    owners: Array
    hour_places: Array
    week_places: Array
    play_places: Array

    def __bool__(self) -> bool:
        return any(map(len, (self.owners, self.hour_places, self.week_places, self.play_places)))

    @property
    def listeners(self) -> list[str]:
        """The ids of listeners of whom it must be known if they are erased."""
        return names_of(self.state, self.owners)

    @property
    def hours(self) -> list[tuple[str, int]]:
        """Hour rows, by listener id and UTC hour."""
        return self._keys(self.state.hours[self.hour_places], "hour")

    @property
    def weeks(self) -> list[tuple[str, int]]:
        """Week rows, by listener id and UTC week."""
        return self._keys(self.state.weeks[self.week_places], "week")

    @property
    def plays(self) -> list[tuple[str, int]]:
        """Play rows, by listener id and key as stores keep it."""
        return self._keys(self.state.plays[self.play_places], "play")

    def _keys(self, records: Array, key: str) -> list[tuple[str, int]]:
        keys = records[key].astype(np.int64).tolist()
        return list(zip(names_of(self.state, records["listener"]), keys, strict=True))


def names_of(state: State, slots: Array) -> list[str]:
    """The ids of listeners in memory."""
    kept = np.ascontiguousarray(state.listeners["id"][slots])
    return [name.decode() for name in kept.view(f"S{LISTENER_ID_BYTES}").ravel().tolist()]


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer to what was wanted, in its order; None where there is no row."""

    erased: Sequence[bool]
    hours: States
    weeks: States
    plays: States


class Joined(NamedTuple):
    """Some of the stored states as kernels see them."""

    sizes: Array  # i8: of each state, -1 where there is none
    data: Array  # u1: the bytes of all
    size: int

    @classmethod
    def of(cls, states: States) -> "Joined":
        """Put *states* behind one another."""
        sizes = [-1 if state is None else len(state) for state in states]
        data = b"".join([*filter(None, states), SLACK])
        return cls(np.array(sizes, np.int64), np.frombuffer(data, np.uint8), len(data) - len(SLACK))
