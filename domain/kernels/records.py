"""Rows in memory: they hang on their listener in linked lists, -1 ends a list."""

import numpy as np

from domain.kernels.compiled import inline
from domain.kernels.hashes import day_key
from domain.kernels.memory import LINE_BYTES, prefetch
from domain.kernels.state import FAR, HOURS, NONE, ONE, PLAYS, WEEKS
from domain.kernels.texts import put_texts
from domain.rows import NO_DAY
from domain.units import DAY_MS, HOUR_MS


@inline
def length(records, first):
    """How many records hang in a list."""
    count, found = 0, first
    while found != NONE:
        count, found = count + 1, records[found].next
    return count


@inline
def find_hour(state, slot, hour):
    """The listener's record of a UTC hour, moved to the front of the list; -1 if there is none."""
    listener = state.listeners[slot]
    found, before = listener.hours, NONE
    while found != NONE and state.hours[found].hour != hour:
        before, found = found, state.hours[found].next
    if found != NONE and before != NONE:
        state.hours[before].next = state.hours[found].next
        state.hours[found].next = listener.hours
        listener.hours = found
    return found


@inline
def new_hour(state, slot, hour):
    """Begin a record of a UTC hour of which nothing is loaded."""
    made = state.counts[HOURS]
    state.counts[HOURS] += 1
    record = state.hours[made]
    record.lanes = np.uint64(0)
    record.listener = slot
    record.hour = hour
    record.runs = NONE
    record.latest = -HOUR_MS
    record.epoch = 0
    record.flags = 0
    for quarter in range(4):
        record.ms[quarter] = 0
    record.next = state.listeners[slot].hours
    state.listeners[slot].hours = made
    return made


@inline
def find_week(state, slot, week):
    """The listener's record of a UTC week; -1 if there is none."""
    found = state.listeners[slot].weeks
    while found != NONE and state.weeks[found].week != week:
        found = state.weeks[found].next
    return found


@inline
def new_week(state, slot, week):
    """Begin a record of a UTC week of which nothing is loaded."""
    made = state.counts[WEEKS]
    state.counts[WEEKS] += 1
    record = state.weeks[made]
    record.listener = slot
    record.week = week
    record.flags = 0
    record.next = state.listeners[slot].weeks
    state.listeners[slot].weeks = made
    return made


@inline
def bit_of(play):
    """The bit of a play in the filter of its listener."""
    return np.uint16(1 << np.int64((play >> np.uint64(1)) & np.uint64(15)))


@inline
def find_play(state, slot, play):
    """The listener's record of a play; -1 if there is none."""
    if not state.listeners[slot].known & bit_of(play):
        return NONE
    found = state.listeners[slot].plays
    while found != NONE and state.plays[found].play != play:
        found = state.plays[found].next
    return found


@inline
def play_row(state, slot, lane, at):
    """The record of the play that an instant belongs to."""
    if lane & ONE:
        return find_play(state, slot, day_key(lane, at // DAY_MS))
    return find_play(state, slot, lane)


@inline
def hang_play(state, slot, made):
    """Let a record of a play be found."""
    listener, record = state.listeners[slot], state.plays[made]
    record.next = listener.plays
    listener.plays = made
    listener.known |= bit_of(record.play)


@inline
def new_play(state, slot, play, day, batch, row):
    """Begin a record of a play of which nothing is loaded."""
    made = state.counts[PLAYS]
    state.counts[PLAYS] += 1
    record = state.plays[made]
    record.play = play
    record.reached = 0
    record.ms = 0
    record.listener = slot
    record.day = day
    record.runs = NONE
    record.epoch = 0
    record.flags = 0
    put_texts(state, record, batch, row)
    if day != NO_DAY and batch.at[row] // DAY_MS != day:
        record.text_at = FAR  # of the day beside it: any heartbeat of this day knows better
    hang_play(state, slot, made)
    return made


@inline
def foresee_listener(listeners, slot):
    """Ask for a listener's record."""
    prefetch(listeners, slot, 0)
    prefetch(listeners, slot, LINE_BYTES)


@inline
def foresee_records(state, listener):
    """Ask for a listener's newest hour and the cursor's play."""
    if listener.hours != NONE:
        prefetch(state.hours, listener.hours, 0)
    if listener.cursor_play != NONE:
        prefetch(state.plays, listener.cursor_play, 0)
    if listener.plays != NONE:
        prefetch(state.plays, listener.plays, 0)


@inline
def foresee_runs(state, listener):
    """Ask for the runs of a listener's newest hour and play."""
    if listener.hours != NONE and state.hours[listener.hours].runs != NONE:
        prefetch(state.runs, state.hours[listener.hours].runs, 0)
    if listener.cursor_play != NONE and state.plays[listener.cursor_play].runs != NONE:
        prefetch(state.spans, state.plays[listener.cursor_play].runs, 0)
