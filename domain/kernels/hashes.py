"""The hash of `domain.hashing`, over Arrow's bytes."""

import numpy as np

from domain.kernels.compiled import inline, jit
from domain.kernels.memory import load64
from domain.kernels.state import EVEN, ONE

M1 = np.uint64(0xFF51AFD7ED558CCD)
M2 = np.uint64(0xC4CEB9FE1A85EC53)
HALF = np.uint64(33)


@inline
def mix64(word):
    """`domain.hashing.mix64`."""
    word ^= word >> HALF
    word *= M1
    word ^= word >> HALF
    word *= M2
    return word ^ (word >> HALF)


@inline
def word_at(data, start, stop):
    """Up to eight bytes from *start*, little-endian, zeros beyond *stop*."""
    if stop - start >= 8:
        return load64(data, start)
    if stop >= 8:  # there are eight to load that end here
        return load64(data, stop - 8) >> np.uint64(8 * (8 - (stop - start)))
    word = np.uint64(0)
    for place in range(stop - start):
        word |= np.uint64(data[start + place]) << np.uint64(8 * place)
    return word


@inline
def hash64(data, start, stop, seed):
    """`domain.hashing.hash64` of ``data[start:stop]``."""
    state = mix64(seed ^ np.uint64(stop - start))
    for at in range(start, stop, 8):
        state = mix64(state ^ word_at(data, at, stop))
    return state


@jit
def hash_rows(offsets, data, found):
    """Hash each string of an Arrow utf8 column."""
    for row in range(len(found)):
        found[row] = hash64(data, offsets[row], offsets[row + 1], np.uint64(0))


@inline
def lane_of(tracks, track, track_end, plays, play, play_end):
    """`domain.hashing.lane_key` of two slices of bytes."""
    if play_end == play:
        return hash64(tracks, track, track_end, np.uint64(0)) | ONE
    seed = hash64(plays, play, play_end, np.uint64(0))
    return hash64(tracks, track, track_end, seed) & EVEN


@inline
def day_key(lane, day):
    """`domain.hashing.day_key`."""
    return mix64(lane ^ mix64(np.uint64(np.int64(day)))) | ONE
