"""The arrays that a fold's state is made of: how they are made, and grown."""

from typing import Any

import numpy as np

from domain.kernels.state import HOUR, LISTENER, PLAY, RUN, SPAN, WEEK, Array, State

START_CAPACITY = 1_024
ALIGNED_BYTES = 64  # a record of that size is one line of memory, not parts of two
LOAD_FACTOR = 2  # places in the hash table for each listener, at least
DTYPES = {
    "listeners": LISTENER,
    "hours": HOUR,
    "runs": RUN,
    "weeks": WEEK,
    "plays": PLAY,
    "spans": SPAN,
    "texts": np.dtype("u1"),
    "dirty": np.dtype("i4"),
    "countings": np.dtype("i4"),
}  # in the order of State.counts


def _zeros(size: int, dtype: np.dtype[Any]) -> Array:
    room = np.zeros(size * dtype.itemsize + ALIGNED_BYTES, np.uint8)
    begin = -room.ctypes.data % ALIGNED_BYTES
    return room[begin : begin + size * dtype.itemsize].view(dtype)


def empty_state(counts: dict[str, int]) -> State:
    """A state of nothing, with room for *counts* of each array's elements."""
    made = {name: _zeros(counts[name], dtype) for name, dtype in DTYPES.items()}
    return State(
        counts=np.zeros(len(DTYPES), np.int64), places=places_for(counts["listeners"]), **made
    )


def places_for(listeners: int) -> Array:
    """An empty hash table for that many listeners."""
    size = START_CAPACITY
    while size < LOAD_FACTOR * listeners:
        size *= 2
    return np.zeros(size, np.uint64)


def grown(array: Array, used: int, more: int) -> Array:
    """The array with room for *more* elements; doubled when it must grow, so growing is cheap."""
    fresh = _zeros(max(2 * len(array), used + more), array.dtype)
    fresh[:used] = array[:used]
    return fresh
