"""Each listener's cursor: the lane of its newest heartbeats, and their chain of joined instants.

The chain ``[since, last]`` is not in the rows yet, but for its first instant. A heartbeat of that
lane, later and within 60 s, only moves ``last``, as long as it stays below the cursor's limit: up to
there every instant goes into the same rows and, by itself, into the same play; no other run of the
lane is joined, and the play's 30 s are not reached. (Its texts are those of an earlier instant.)

An hour's row holds the instants of its UTC hour and those up to a minute before or after it, which
may join one inside; a day's play likewise. An instant near a boundary goes into the rows of both
sides.
"""

import numpy as np

from domain.kernels.compiled import inline
from domain.kernels.hashes import day_key
from domain.kernels.records import find_hour, find_play, find_week
from domain.kernels.runs import join_run, join_span, listened_ms
from domain.kernels.state import COUNTED, DIRTY, EDGE_MS, NONE, ONE, PENDING
from domain.units import DAY_MS, EPOCH_WEEKDAY_MS, HOUR_MS, JOIN_MS, PLAY_MS, WEEK_MS


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
def touch_play(state, slot, play, stretch, start, end, position, epoch, reached):
    """Join a chain to a play; note in *reached* if it counts with the record at *position*.

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
        reached[reached[0] + 1] = found
        reached[0] += 1
    if record.reached > position:
        return np.int64(-1)
    if record.reached:
        return np.int64(0)
    return room_before_counting(state, record, stretch, end)


@inline
def apply_chain(state, slot, lane, stretch, start, end, position, epoch, reached):
    """Put a chain, all of which goes into the same rows, into these rows."""
    for hour in range((start - JOIN_MS) // HOUR_MS, (start + EDGE_MS) // HOUR_MS + 1):
        found = find_hour(state, slot, hour)
        begin = np.int64(hour) * HOUR_MS
        state.hours[found].flags |= DIRTY
        state.hours[found].epoch = epoch
        join_run(state, found, lane, stretch, start - begin, end - begin)
        week = find_week(state, slot, (begin + EPOCH_WEEKDAY_MS) // WEEK_MS)
        state.weeks[week].flags |= DIRTY
    if not lane & ONE:
        return touch_play(state, slot, lane, stretch, start, end, position, epoch, reached)
    wanting = np.int64(0)
    for day in range((start - JOIN_MS) // DAY_MS, (start + EDGE_MS) // DAY_MS + 1):
        play = day_key(lane, day)
        left = touch_play(state, slot, play, stretch, start, end, position, epoch, reached)
        wanting = left if wanting == 0 or left < 0 else min(wanting, left) if left else wanting
    return wanting


@inline
def settle(state, slot, epoch, reached):
    """Write the cursor's chain into the rows; the limit has kept it from reaching a play's 30 s."""
    listener = state.listeners[slot]
    if listener.flags & PENDING:
        apply_chain(
            state,
            slot,
            listener.play,
            listener.stretch,
            listener.since,
            listener.last,
            0,
            epoch,
            reached,
        )
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
    if wanting > 0:
        listener.limit = min(listener.limit, at + wanting - 1)
    elif wanting < 0:
        listener.limit = at - 1
