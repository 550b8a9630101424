"""The hash table of the listeners in memory: open addressing, ids compared byte by byte."""

import numpy as np

from domain.kernels.compiled import inline, jit
from domain.kernels.hashes import hash64, mix64, word_at
from domain.kernels.state import KEY_WORDS, LISTENERS, NONE


@inline
def is_key(keys, slot, data, start, stop):
    """Whether a listener's id is ``data[start:stop]``; ids have no zero bytes, so zeros follow it."""
    part = 0
    while start < stop:
        if keys[slot, part] != word_at(data, start, stop):
            return False
        start += 8
        part += 1
    return start > stop or part == KEY_WORDS or keys[slot, part] == np.uint64(0)


@inline
def place_of(slots, marks, keys, data, start, stop, code):
    """The place in the hash table where the listener ``data[start:stop]`` is, or would be."""
    last = len(slots) - 1
    place = np.int64(code & np.uint64(last))
    mark = np.uint32(code >> np.uint64(32))
    while slots[place] != NONE:
        if marks[place] == mark and is_key(keys, slots[place], data, start, stop):
            break
        place = (place + 1) & last
    return place


@jit
def new_listener(state, data, start, stop, place, code):
    """Take a listener into the table; nothing is known of it yet."""
    slot = state.counts[LISTENERS]
    state.counts[LISTENERS] += 1
    state.slots[place] = slot
    state.marks[place] = np.uint32(code >> np.uint64(32))
    for part in range(KEY_WORDS):
        at = start + 8 * part
        state.keys[slot, part] = word_at(data, at, stop) if at < stop else np.uint64(0)
    listener = state.listeners[slot]
    listener.play = np.uint64(0)
    listener.since = listener.last = listener.seen_at = 0
    listener.limit = listener.seen_position = -1
    listener.stretch = -1
    listener.hours = listener.weeks = listener.plays = NONE
    listener.seen_play = listener.cursor_play = NONE
    listener.epoch = 0
    listener.seen_kind = 0
    listener.flags = 0
    return slot


@jit
def key_hash(keys, slot):
    """The hash of a kept listener id: the same as of its bytes."""
    size = 0
    for part in range(KEY_WORDS):
        for place in range(8):
            if (keys[slot, part] >> np.uint64(8 * place)) & np.uint64(255):
                size = 8 * part + place + 1
    code = mix64(np.uint64(size))
    for part in range((size + 7) // 8):
        code = mix64(code ^ keys[slot, part])
    return code


@jit
def rehash(state):
    """Fill the (emptied) hash table from the kept ids."""
    size = len(state.slots)
    for slot in range(state.counts[LISTENERS]):
        code = key_hash(state.keys, slot)
        place = np.int64(code & np.uint64(size - 1))
        while state.slots[place] != NONE:
            place = (place + 1) & (size - 1)
        state.slots[place] = slot
        state.marks[place] = np.uint32(code >> np.uint64(32))


@jit
def find_slots(state, offsets, data, found):
    """Where listeners are, -1 for those who are not in memory."""
    slots, marks, keys = state.slots, state.marks, state.keys
    for row in range(len(found)):
        start, stop = offsets[row], offsets[row + 1]
        code = hash64(data, start, stop, np.uint64(0))
        found[row] = slots[place_of(slots, marks, keys, data, start, stop, code)]
