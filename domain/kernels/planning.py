"""The first pass over a batch: find each listener, and what is needed that memory has not."""

import numpy as np

from domain.kernels.compiled import inline, jit
from domain.kernels.cursor import continues
from domain.kernels.hash_table import foresee, new_listener, place_of, slot_in
from domain.kernels.hashes import day_key, hash64, lane_of
from domain.kernels.memory import AHEAD, prefetch
from domain.kernels.records import (
    find_hour,
    find_play,
    find_week,
    foresee_records,
    foresee_runs,
    new_hour,
    new_play,
    new_week,
)
from domain.kernels.state import ASKED, EDGE_MS, ERASED, KIND_STOP, LOADED, NONE, ONE, WANTED
from domain.rows import NO_DAY
from domain.units import DAY_MS, EPOCH_WEEKDAY_MS, HOUR_MS, JOIN_MS, WEEK_MS

BLOCK = 1_024  # rows: what they touch fits the cache beside the processor


@jit
def plan(state, batch, found, owners, hours, weeks, plays):
    """Find each row's listener and lane, and begin every record that is needed and not in memory.

    *hours*, *weeks*, *plays* (indices) receive what must be loaded, *owners* (slots) those listeners
    of whom it must be known if they are erased: new ones, and those whose plays are missing, which
    may have been counted, and erased since. The first element of each list counts the rest.
    Each pass asks for the memory that the next one needs; so few rows at a time that it is still there.
    """
    rows = len(found.slot)
    for begin in range(0, rows, BLOCK):
        end = min(begin + BLOCK, rows)
        name(state, batch, found, begin, end)
        resolve(state, batch, found, begin, end, owners)
        want(state, batch, found, owners, hours, weeks, plays)


@jit
def name(state, batch, found, begin, end):
    """Hash what names each row's listener and lane."""
    places, last = state.places, np.uint64(len(state.places) - 1)
    names, name_at = batch.listener_bytes, batch.listener_offsets
    tracks, track_at = batch.track_bytes, batch.track_offsets
    ids, id_at = batch.play_bytes, batch.play_offsets
    codes, lanes = found.code, found.lane
    for row in range(begin, end):
        codes[row] = hash64(names, name_at[row], name_at[row + 1], np.uint64(0))
        prefetch(places, np.int64(codes[row] & last), 0)
        lanes[row] = lane_of(
            tracks, track_at[row], track_at[row + 1], ids, id_at[row], id_at[row + 1]
        )


@jit
def resolve(state, batch, found, begin, end, owners):
    """Find each row's listener, and which rows need more than that."""
    places, listeners = state.places, state.listeners
    names, name_at = batch.listener_bytes, batch.listener_offsets
    ats, kinds, stretches = batch.at, batch.kind, batch.stretch
    codes, slots, lanes, turning = found.code, found.slot, found.lane, found.turning
    turning[0] = 0
    for row in range(begin, end):
        if row + AHEAD < end:
            foresee(places, listeners, codes[row + AHEAD])
        start, stop = name_at[row], name_at[row + 1]
        place = place_of(places, listeners, names, start, stop, codes[row])
        slot = slot_in(places[place])
        if slot == NONE:
            slot = new_listener(state, names, start, stop, place, codes[row])
            ask(listeners[slot], slot, owners)
        slots[row] = slot
        listener = listeners[slot]
        idle = kinds[row] > KIND_STOP or listener.flags & ERASED
        if not (idle or continues(listener, lanes[row], stretches[row], ats[row])):
            turning[0] += 1
            turning[turning[0]] = row
            foresee_records(state, listener)


@jit
def want(state, batch, found, owners, hours, weeks, plays):
    """Begin whatever records the turning rows need and memory has not."""
    turning = found.turning
    for place in range(1, turning[0] + 1):
        foresee_runs(state, state.listeners[found.slot[turning[place]]])
    for place in range(1, turning[0] + 1):
        row = turning[place]
        slot, lane = found.slot[row], found.lane[row]
        want_hours(state, slot, batch.at[row], hours, weeks)
        if want_plays(state, slot, lane, batch, row, plays):
            ask(state.listeners[slot], slot, owners)


@inline
def ask(listener, slot, owners):
    """Note, once, that it must be known if a listener is erased."""
    if not listener.flags & ASKED:
        listener.flags |= ASKED
        owners[0] += 1
        owners[owners[0]] = slot


@inline
def want_hours(state, slot, at, hours, weeks):
    """Begin the records of hours that an instant needs and memory has not."""
    for hour in range((at - JOIN_MS) // HOUR_MS, (at + EDGE_MS) // HOUR_MS + 1):
        want_hour(state, slot, hour, hours, weeks)


@inline
def want_plays(state, slot, lane, batch, row, plays):
    """Begin the records of plays that an instant needs and memory has not; tells if there are any."""
    at, before = batch.at[row], plays[0]
    if lane & ONE:
        for day in range((at - JOIN_MS) // DAY_MS, (at + EDGE_MS) // DAY_MS + 1):
            want_play(state, slot, day_key(lane, day), day, batch, row, plays)
    else:
        want_play(state, slot, lane, NO_DAY, batch, row, plays)
    return plays[0] > before


@inline
def want_hour(state, slot, hour, hours, weeks):
    """Begin an hour's record and its week's, where they are missing, and note them as to be loaded."""
    found = find_hour(state, slot, hour)
    if found == NONE:
        found = new_hour(state, slot, hour)
    if state.hours[found].flags & (LOADED | WANTED):
        return  # and so is its week
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
