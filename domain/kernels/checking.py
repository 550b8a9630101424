"""Hold a batch to the bounds that kernels, which check none, rely on."""

import numpy as np

from domain.heartbeats import MOST_AT, MOST_STRETCH
from domain.ids import CONTEXT_BYTES, ID_BYTES, LISTENER_ID_BYTES
from domain.kernels.compiled import inline, jit
from domain.kernels.memory import load64
from domain.kernels.state import KIND_ERASE

UPPER_BITS = np.uint64(0x8080808080808080)
WITHIN, ASCII_ONLY, BEYOND = 0, 1, 2


@inline
def texts_beyond(offsets, data, most_bytes):
    """Whether a column's texts lie outside its bytes, or one is longer than it may be."""
    size, least, most = len(offsets) - 1, 0, 0
    for row in range(size):
        length = offsets[row + 1] - offsets[row]
        least, most = min(least, length), max(most, length)
    return least < 0 or most > most_bytes or offsets[0] < 0 or offsets[size] > len(data)


@inline
def is_ascii(offsets, data):
    """Whether every byte of a column's texts is an ASCII character."""
    every, at, end = np.uint64(0), np.int64(offsets[0]), np.int64(offsets[len(offsets) - 1])
    while at + 8 <= end:
        every |= load64(data, at)
        at += 8
    while at < end:
        every |= np.uint64(data[at])
        at += 1
    return every & UPPER_BITS == np.uint64(0)


@inline
def numbers_beyond(values, most):
    """Whether a number is negative or greater than *most*."""
    beyond = False
    for value in values:
        beyond |= (value < 0) | (value > most)
    return beyond


@jit
def check(batch, id_offsets, id_bytes):
    """Tell whether a batch, with its column of ids, is within all bounds, and is it ASCII only."""
    if (
        texts_beyond(batch.listener_offsets, batch.listener_bytes, LISTENER_ID_BYTES)
        or texts_beyond(batch.track_offsets, batch.track_bytes, ID_BYTES)
        or texts_beyond(batch.play_offsets, batch.play_bytes, ID_BYTES)
        or texts_beyond(batch.device_offsets, batch.device_bytes, ID_BYTES)
        or texts_beyond(batch.context_offsets, batch.context_bytes, CONTEXT_BYTES)
        or texts_beyond(id_offsets, id_bytes, ID_BYTES)
        or numbers_beyond(batch.kind, KIND_ERASE)
        or numbers_beyond(batch.stretch, MOST_STRETCH)
        or numbers_beyond(batch.at, MOST_AT)
    ):
        return BEYOND
    plain = (
        is_ascii(batch.listener_offsets, batch.listener_bytes)
        and is_ascii(batch.track_offsets, batch.track_bytes)
        and is_ascii(batch.play_offsets, batch.play_bytes)
        and is_ascii(batch.device_offsets, batch.device_bytes)
        and is_ascii(batch.context_offsets, batch.context_bytes)
        and is_ascii(id_offsets, id_bytes)
    )
    return ASCII_ONLY if plain else WITHIN
