"""The hash table of the listeners in memory: open addressing, ids compared byte by byte.

A place is 0 where it is free, else the hash's upper half above the listener's slot plus one.
"""

import numpy as np

from domain.kernels.compiled import inline, jit
from domain.kernels.hashes import hash64, mix64, word_at
from domain.kernels.memory import LINE_BYTES, prefetch
from domain.kernels.state import KEY_WORDS, LISTENERS, NONE

FREE = np.uint64(0)
HALF = np.uint64(32)
SLOT = np.uint64(0xFFFFFFFF)


@inline
def entry_of(slot, code):
    """What stands in the place of a listener whose id has this hash."""
    return (code >> HALF) << HALF | np.uint64(slot + 1)


@inline
def slot_in(entry):
    """The listener of a place; -1 if it is free."""
    return np.int64(entry & SLOT) - 1


@inline
def is_id(listeners, slot, data, start, stop):
    """Whether a listener's id is ``data[start:stop]``; ids have no zero bytes, so zeros follow it."""
    part = 0
    while start < stop:
        if listeners[slot].id[part] != word_at(data, start, stop):
            return False
        start += 8
        part += 1
    return start > stop or part == KEY_WORDS or listeners[slot].id[part] == np.uint64(0)


@inline
def place_of(places, listeners, data, start, stop, code):
    """The place in the hash table where the listener ``data[start:stop]`` is, or would be."""
    last = len(places) - 1
    place = np.int64(code & np.uint64(last))
    while places[place] != FREE:
        entry = places[place]
        if entry >> HALF == code >> HALF and is_id(listeners, slot_in(entry), data, start, stop):
            break
        place = (place + 1) & last
    return place


@inline
def foresee(places, listeners, code):
    """Ask for the record of the listener whose id probably has this hash."""
    last = len(places) - 1
    place = np.int64(code & np.uint64(last))
    while places[place] != FREE:
        entry = places[place]
        if entry >> HALF == code >> HALF:
            prefetch(listeners, slot_in(entry), 0)
            prefetch(listeners, slot_in(entry), LINE_BYTES)
            break
        place = (place + 1) & last


@jit
def new_listener(state, data, start, stop, place, code):
    """Take a listener into the table; nothing is known of it yet."""
    slot = state.counts[LISTENERS]
    state.counts[LISTENERS] += 1
    state.places[place] = entry_of(slot, code)
    listener = state.listeners[slot]
    for part in range(KEY_WORDS):
        at = start + 8 * part
        listener.id[part] = word_at(data, at, stop) if at < stop else np.uint64(0)
    listener.play = np.uint64(0)
    listener.since = listener.last = listener.seen_at = 0
    listener.limit = listener.counts_from = listener.seen_position = -1
    listener.stretch = -1
    listener.hours = listener.weeks = listener.plays = NONE
    listener.seen_play = listener.cursor_play = NONE
    listener.epoch = 0
    listener.seen_kind = 0
    listener.flags = 0
    listener.known = 0
    return slot


@jit
def id_hash(listeners, slot):
    """The hash of a kept listener id: the same as of its bytes."""
    size = 0
    for part in range(KEY_WORDS):
        for place in range(8):
            if (listeners[slot].id[part] >> np.uint64(8 * place)) & np.uint64(255):
                size = 8 * part + place + 1
    code = mix64(np.uint64(size))
    for part in range((size + 7) // 8):
        code = mix64(code ^ listeners[slot].id[part])
    return code


@jit
def rehash(state):
    """Fill the (emptied) hash table from the kept ids."""
    last = len(state.places) - 1
    for slot in range(state.counts[LISTENERS]):
        code = id_hash(state.listeners, slot)
        place = np.int64(code & np.uint64(last))
        while state.places[place] != FREE:
            place = (place + 1) & last
        state.places[place] = entry_of(slot, code)


@jit
def find_slots(state, offsets, data, found):
    """Where listeners are, -1 for those who are not in memory."""
    places, listeners = state.places, state.listeners
    for row in range(len(found)):
        start, stop = offsets[row], offsets[row + 1]
        code = hash64(data, start, stop, np.uint64(0))
        found[row] = slot_in(places[place_of(places, listeners, data, start, stop, code)])
