"""Read the packed columns of a payload, and hold them to the bounds that other kernels rely on."""

import numpy as np

from domain.heartbeats import MOST_AT, MOST_STRETCH
from domain.ids import CONTEXT_BYTES, ID_BYTES, LISTENER_ID_BYTES
from domain.kernels.compiled import inline, jit
from domain.kernels.memory import load64, store64
from domain.kernels.state import KIND_ERASE
from domain.packing import GROUP, GROUP_BYTES, LETTERS

UPPER_BITS = np.uint64(0x8080808080808080)
WITHIN, ASCII_ONLY, BEYOND = 0, 1, 2
TEXTS, NUMBERS = 6, 4
IDS = 5  # the last column of texts
MOST_TEXT = (LISTENER_ID_BYTES, ID_BYTES, ID_BYTES, ID_BYTES, CONTEXT_BYTES, ID_BYTES)
LEAST = (0, -(1 << 62), 0, 0)
MOST = (MOST_AT, 1 << 62, MOST_STRETCH, KIND_ERASE)

_letters = np.frombuffer(LETTERS, np.uint8).astype(np.uint16)
PAIRS = (
    _letters[:, np.newaxis] | _letters << 8
).ravel()  # by 12 bits: two letters, the first lowest
TWELVE, LOW, BYTE = np.uint64(12), np.uint64(0xFFF), np.uint64(0xFF)


@inline
def word_of(data, at, size):
    """Up to eight bytes from *at*, little-endian; zeros beyond the end."""
    if at + 8 <= size:
        return load64(data, at)
    word = np.uint64(0)
    for place in range(size - at):
        word |= np.uint64(data[at + place]) << np.uint64(8 * place)
    return word


@inline
def letters_of(word):
    """Eight letters of the 48 bits of six bytes, which stand in the lower part of a word."""
    high = (
        (word & BYTE) << np.uint64(16) | word & BYTE << np.uint64(8) | word >> np.uint64(16) & BYTE
    )
    word >>= np.uint64(24)
    low = (
        (word & BYTE) << np.uint64(16) | word & BYTE << np.uint64(8) | word >> np.uint64(16) & BYTE
    )
    return (
        np.uint64(PAIRS[high >> TWELVE])
        | np.uint64(PAIRS[high & LOW]) << np.uint64(16)
        | np.uint64(PAIRS[low >> TWELVE]) << np.uint64(32)
        | np.uint64(PAIRS[low & LOW]) << np.uint64(48)
    )


@jit
def unpack_numbers(plain, at, width, base, rows, out, row, least, most):
    """Write a column of numbers; tells whether one is out of bounds."""
    size, beyond = len(plain), False
    mask = np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - 8 * width) if width else np.uint64(0)
    for place in range(rows):
        value = base + np.int64(word_of(plain, at + place * width, size) & mask)
        beyond |= (value < least) | (value > most)
        out[row + place] = value
    return beyond


@jit
def unpack_texts(packed, at, width, rows, offsets, row, data, to):
    """Write a column of packed texts; may write up to seven bytes behind them."""
    size = len(packed)
    for place in range(0, rows * width, 8):
        word = word_of(packed, at, size)
        store64(data, to + place, letters_of(word))
        at += 6
    base = offsets[row]
    for place in range(1, rows + 1):
        offsets[row + place] = base + place * width


@jit
def copy_texts(plain, at, rows, offsets, row, data, to, most):
    """Write a column of texts that are not packed.

    Returns how many bytes they took of *plain* (-1 if it has fewer, or one is too long), and whether
    all are ASCII.
    """
    size, begin, every = len(plain), at + 2 * rows, np.uint64(0)
    if begin > size:
        return -1, False
    total = longest = np.int64(0)
    for place in range(rows):
        length = np.int64(plain[at + 2 * place]) | np.int64(plain[at + 2 * place + 1]) << 8
        longest, total = max(longest, length), total + length
        offsets[row + place + 1] = offsets[row] + total
    if longest > most or begin + total > size:
        return -1, False
    for place in range(0, total, 8):
        word = word_of(plain, begin + place, begin + total)
        every |= word
        store64(data, to + place, word)
    return 2 * rows + total, every & UPPER_BITS == np.uint64(0)


@jit
def unpack(head, plain, packed, packed_at, ids, row, offsets, data, ends, numbers):
    """Write a payload's columns from *row* on, and tell if they are within all bounds, ASCII only.

    *offsets* (i4[6, n + 1]) are those of Arrow's utf8 columns; column c's bytes go to *data* from
    ``ends[c]`` on, which is moved on. *ids*: whether packed ids are wanted too.
    """
    at = unpack_all_numbers(head, plain, row, numbers)
    if at < 0:
        return BEYOND
    at, plainly = unpack_all_texts(
        head, plain, at, packed, packed_at, ids, row, offsets, data, ends
    )
    if at != len(plain):
        return BEYOND
    return ASCII_ONLY if plainly else WITHIN


@jit
def unpack_all_numbers(head, plain, row, numbers):
    """Write all columns of numbers; returns where they end in *plain*, -1 if they are not right."""
    rows, at = np.int64(head.rows), np.int64(0)
    for column in range(NUMBERS):
        width, base, out = np.int64(head.number_widths[column]), head.bases[column], numbers[column]
        if width > 8 or at + rows * width > len(plain):
            return -1
        if unpack_numbers(plain, at, width, base, rows, out, row, LEAST[column], MOST[column]):
            return -1
        at += rows * width
    return at


@jit
def unpack_all_texts(head, plain, at, packed, packed_at, ids, row, offsets, data, ends):
    """Write all columns of texts; returns as `copy_texts`, but where they end in *plain*."""
    rows, plainly = np.int64(head.rows), True
    for column in range(TEXTS):
        width, most, to = np.int64(head.widths[column]), MOST_TEXT[column], ends[column]
        if width > most:
            return -1, False
        if not width:
            took, is_ascii = copy_texts(plain, at, rows, offsets[column], row, data, to, most)
            if took < 0:
                return -1, False
            plainly &= is_ascii
            at += took
            ends[column] += took - 2 * rows
        elif column != IDS or ids:
            unpack_texts(packed, packed_at, width, rows, offsets[column], row, data, to)
            ends[column] += rows * width
        packed_at += (rows * width + GROUP - 1) // GROUP * GROUP_BYTES
    return at, plainly
