"""Each listener's cursor: the lane of its newest heartbeats, and their chain of joined instants.

The chain ``[since, last]`` is not in the rows yet, but for its first instant. A heartbeat of that
lane, later and within 60 s, only moves ``last``, as long as it is within the cursor's limit: up to
there every instant goes into the same rows. (A play's texts are those of an earlier instant.) From
``counts_from`` on it may also be the one with which the play reaches its 30 s, so there the chain is
joined to the play at once.

An hour's row holds the instants of its UTC hour and those up to a minute before or after it, which
may join one inside; a day's play likewise. An instant near a boundary goes into the rows of both
sides.
"""

import numpy as np

from domain.kernels.compiled import inline, jit
from domain.kernels.hashes import day_key
from domain.kernels.records import find_hour, find_play
from domain.kernels.runs import join_run, join_span, listened_ms
from domain.kernels.state import (
    COUNTED,
    COUNTINGS,
    DIRTY,
    EDGE_MS,
    FAR,
    NONE,
    ONE,
    PENDING,
)
from domain.units import DAY_MS, HOUR_MS, JOIN_MS, PLAY_MS


@inline
def continues(listener, lane, stretch, at):
    """Whether an instant only lengthens the cursor's chain."""
    return (
        lane == listener.play
        and stretch == listener.stretch
        and at > listener.last
        and at - listener.last <= JOIN_MS
        and at <= listener.limit
    )


@inline
def same_rows_until(at):
    """The last instant that goes into the same rows as *at*."""
    within = at % HOUR_MS
    if within <= EDGE_MS:
        return at - within + EDGE_MS
    if within < HOUR_MS - EDGE_MS:
        return at - within + HOUR_MS - EDGE_MS - 1
    return at - within + HOUR_MS + EDGE_MS


@inline
def room_before_counting(state, record, stretch, end):
    """How many ms a chain may grow beyond *end* before the play might count; -1 if none.

    It grows by what was wanting at most, unless it comes near a later run and joins that one.
    """
    room, found = PLAY_MS - record.ms, record.runs
    while found != NONE:
        span = state.spans[found]
        if span.stretch == stretch and span.start > end:
            room = min(room, span.start - JOIN_MS - end)
        found = span.next
    if room <= 0:
        return np.int64(-1)
    return np.int64(room)


@inline
def touch_play(state, slot, play, stretch, start, end, position, epoch):
    """Join a chain to a play; note it if it counts with the record at *position*.

    Returns the ms that are wanting before it counts; 0 once it does, -1 if that record is yet to come.
    """
    found = find_play(state, slot, play)
    record = state.plays[found]
    record.flags |= DIRTY
    record.epoch = epoch
    if join_span(state, found, stretch, start, end):
        record.ms = listened_ms(state, found)
    if record.reached == 0 and record.ms >= PLAY_MS:
        record.reached = position
    if position and record.reached == position and not record.flags & COUNTED:
        record.flags |= COUNTED
        state.countings[state.counts[COUNTINGS]] = found
        state.counts[COUNTINGS] += 1
    if record.reached > position:
        return np.int64(-1)
    if record.reached:
        return np.int64(0)
    return room_before_counting(state, record, stretch, end)


@inline
def touch_plays(state, slot, lane, stretch, start, end, position, epoch):
    """Join a chain, all of which goes into the same rows, to its plays; returns as `touch_play`."""
    if not lane & ONE:
        return touch_play(state, slot, lane, stretch, start, end, position, epoch)
    wanting = np.int64(0)
    for day in range((start - JOIN_MS) // DAY_MS, (start + EDGE_MS) // DAY_MS + 1):
        left = touch_play(state, slot, day_key(lane, day), stretch, start, end, position, epoch)
        wanting = left if wanting == 0 or left < 0 else min(wanting, left) if left else wanting
    return wanting


@inline
def touch_hours(state, slot, lane, stretch, start, end, epoch):
    """Join a chain, all of which goes into the same rows, to its hours."""
    for hour in range((start - JOIN_MS) // HOUR_MS, (start + EDGE_MS) // HOUR_MS + 1):
        found = find_hour(state, slot, hour)
        begin = np.int64(hour) * HOUR_MS
        state.hours[found].flags |= DIRTY
        state.hours[found].epoch = epoch
        join_run(state, found, lane, stretch, start - begin, end - begin)


@inline
def settle(state, slot, epoch):
    """Write the cursor's chain into the rows; no play reaches its 30 s by it (see `count`)."""
    listener = state.listeners[slot]
    if listener.flags & PENDING:
        lane, stretch = listener.play, listener.stretch
        since, last = listener.since, listener.last
        touch_hours(state, slot, lane, stretch, since, last, epoch)
        touch_plays(state, slot, lane, stretch, since, last, 0, epoch)
        listener.since = listener.last
        listener.flags &= ~PENDING


@inline
def begin_chain(listener, lane, stretch, at, wanting):
    """Let the cursor follow a lane; its limit is where the rows change or the play may count."""
    listener.play = lane
    listener.stretch = stretch
    listener.since = listener.last = at
    listener.limit = same_rows_until(at)
    if lane & ONE:
        listener.limit = min(listener.limit, (at // DAY_MS + 1) * DAY_MS - 1)
    watch(listener, at, wanting)


@inline
def watch(listener, at, wanting):
    """Note from when on the cursor's play may count, as of *at*."""
    listener.counts_from = at + wanting if wanting > 0 else at if wanting < 0 else FAR


@jit
def count(state, slot, position, epoch):
    """Join the cursor's chain to its plays, one of which may count with the record at *position*."""
    listener = state.listeners[slot]
    lane, stretch = listener.play, listener.stretch
    since, last = listener.since, listener.last
    watch(listener, last, touch_plays(state, slot, lane, stretch, since, last, position, epoch))
