"""The first pass over a batch: find each listener, and what is needed that memory has not."""

import numpy as np

from domain.kernels.compiled import inline, jit
from domain.kernels.cursor import continues
from domain.kernels.hash_table import new_listener, place_of
from domain.kernels.hashes import day_key, hash64, lane_of
from domain.kernels.records import find_hour, find_play, find_week, new_hour, new_play, new_week
from domain.kernels.state import EDGE_MS, ERASED, KIND_STOP, LOADED, NONE, ONE, WANTED
from domain.rows import NO_DAY
from domain.units import DAY_MS, EPOCH_WEEKDAY_MS, HOUR_MS, JOIN_MS, WEEK_MS


@jit
def plan(state, batch, found, new, hours, weeks, plays):
    """Find each row's listener and lane, and begin every record that is needed and not in memory.

    *new* (slots), *hours*, *weeks*, *plays* (indices) receive what must be loaded; the first element
    of each counts the rest.
    """
    # taken out of the tuples here: to take an array out counts its references, which costs
    slots, marks, keys, listeners = state.slots, state.marks, state.keys, state.listeners
    names, name_at = batch.listener_bytes, batch.listener_offsets
    tracks, track_at = batch.track_bytes, batch.track_offsets
    ids, id_at = batch.play_bytes, batch.play_offsets
    ats, kinds, stretches = batch.at, batch.kind, batch.stretch
    slot_of, lane_found = found.slot, found.lane
    for row in range(len(ats)):
        start, stop = name_at[row], name_at[row + 1]
        code = hash64(names, start, stop, np.uint64(0))
        place = place_of(slots, marks, keys, names, start, stop, code)
        slot = slots[place]
        if slot == NONE:
            slot = new_listener(state, names, start, stop, place, code)
            new[0] += 1
            new[new[0]] = slot
        lane = lane_of(tracks, track_at[row], track_at[row + 1], ids, id_at[row], id_at[row + 1])
        slot_of[row], lane_found[row] = slot, lane
        listener = listeners[slot]
        idle = kinds[row] > KIND_STOP or listener.flags & ERASED
        if not (idle or continues(listener, lane, stretches[row], ats[row])):
            want_rows(state, slot, lane, batch, row, hours, weeks, plays)


@jit
def want_rows(state, slot, lane, batch, row, hours, weeks, plays):
    """Begin whatever records an instant needs and memory has not, and note them as to be loaded."""
    at = batch.at[row]
    for hour in range((at - JOIN_MS) // HOUR_MS, (at + EDGE_MS) // HOUR_MS + 1):
        want_hour(state, slot, hour, hours, weeks)
    if lane & ONE:
        for day in range((at - JOIN_MS) // DAY_MS, (at + EDGE_MS) // DAY_MS + 1):
            want_play(state, slot, day_key(lane, day), day, batch, row, plays)
    else:
        want_play(state, slot, lane, NO_DAY, batch, row, plays)


@inline
def want_hour(state, slot, hour, hours, weeks):
    """Begin an hour's record and its week's, where they are missing, and note them as to be loaded."""
    found = find_hour(state, slot, hour)
    if found == NONE:
        found = new_hour(state, slot, hour)
    if not state.hours[found].flags & (LOADED | WANTED):
        state.hours[found].flags |= WANTED
        hours[0] += 1
        hours[hours[0]] = found
    week = (np.int64(hour) * HOUR_MS + EPOCH_WEEKDAY_MS) // WEEK_MS
    if find_week(state, slot, week) == NONE:
        made = new_week(state, slot, week)
        state.weeks[made].flags |= WANTED
        weeks[0] += 1
        weeks[weeks[0]] = made


@inline
def want_play(state, slot, play, day, batch, row, plays):
    """Begin a play's record where it is missing, and note it as to be loaded."""
    if find_play(state, slot, play) == NONE:
        made = new_play(state, slot, play, day, batch, row)
        state.plays[made].flags |= WANTED
        plays[0] += 1
        plays[plays[0]] = made
