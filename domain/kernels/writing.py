"""Settle all chains and write out the dirty rows, as `domain.rows` reads them."""

import numpy as np

from domain.kernels.compiled import inline, jit
from domain.kernels.cursor import settle
from domain.kernels.records import find_week, length
from domain.kernels.state import (
    DIRTIES,
    DIRTY,
    HEAD_BYTES,
    HOURS_PER_WEEK,
    NONE,
    QUARTER_BYTES,
    QUARTERS,
    RUN_BYTES,
    SPAN_BYTES,
)
from domain.rows import FORMAT as ROW_FORMAT
from domain.units import EPOCH_WEEKDAY_MS, HOUR_MS, QUARTER_MS, WEEK_MS


@inline
def measure(state, hour, order):
    """Count an hour's quarters anew from its runs; *order* receives the runs by start."""
    record = state.hours[hour]
    count, found = 0, record.runs
    while found != NONE:
        place, start = count, state.runs[found].start
        while place > 0 and state.runs[order[place - 1]].start > start:
            order[place] = order[place - 1]
            place -= 1
        order[place] = found
        count, found = count + 1, state.runs[found].next
    for quarter in range(4):
        record.ms[quarter] = 0
    reached = 0
    for place in range(count):
        run = state.runs[order[place]]
        start, end = max(run.start, reached), min(run.end, HOUR_MS)
        while start < end:
            quarter = start // QUARTER_MS
            stop = min(end, (quarter + 1) * QUARTER_MS)
            record.ms[quarter] += stop - start
            start = stop
        reached = max(reached, end)
    return count


@inline
def put_int(out, at, value, size):
    """Write *size* bytes of an integer, little-endian."""
    for place in range(size):
        out[at + place] = (value >> (8 * place)) & 255
    return at + size


@inline
def begin_row(written, table, owner, key):
    """Begin the next encoded row; tells where its bytes go."""
    row = written.used[0]
    written.table[row] = table
    written.owner[row] = owner
    written.key[row] = key
    written.begin[row] = written.used[1]
    written.used[0] += 1
    return put_int(written.out, written.used[1], ROW_FORMAT, 1)


@inline
def end_row(written, at):
    """End a row whose bytes end at *at*."""
    written.used[1] = at
    written.begin[written.used[0]] = at


@inline
def write_hour(state, owner, hour, written, order):
    """Encode an hour row, counting its quarters anew."""
    count = measure(state, hour, order)
    at = begin_row(written, 0, owner, state.hours[hour].hour)
    for place in range(count):
        run = state.runs[order[place]]
        at = put_int(written.out, at, np.int64(run.play), 8)
        at = put_int(written.out, at, np.int64(run.stretch), 4)
        at = put_int(written.out, at, np.int64(run.start), 4)
        at = put_int(written.out, at, np.int64(run.end), 4)
    end_row(written, at)


@inline
def write_week(state, slot, owner, week, written, dense):
    """Encode a week row from the hours that the listener has in memory."""
    number = state.weeks[week].week
    first = np.int64(number) * HOURS_PER_WEEK - EPOCH_WEEKDAY_MS // HOUR_MS
    dense[:] = 0
    found = state.listeners[slot].hours
    while found != NONE:
        record = state.hours[found]
        place = record.hour - first
        if 0 <= place < HOURS_PER_WEEK:
            for quarter in range(4):
                dense[4 * place + quarter] = record.ms[quarter]
        found = record.next
    at = begin_row(written, 1, owner, number)
    for quarter in range(QUARTERS):
        if dense[quarter]:
            at = put_int(written.out, at, np.int64(quarter), 2)
            at = put_int(written.out, at, np.int64(dense[quarter]), 4)
    end_row(written, at)


@inline
def write_play(state, owner, play, written):
    """Encode a play row."""
    record = state.plays[play]
    count = length(state.spans, record.runs)
    at = begin_row(written, 2, owner, np.int64(record.play))
    at = put_int(written.out, at, np.int64(record.day), 4)
    at = put_int(written.out, at, np.int64(count), 4)
    at = put_int(written.out, at, record.reached, 8)
    at = put_int(written.out, at, record.text_at, 8)
    found = record.runs
    while found != NONE:
        span = state.spans[found]
        at = put_int(written.out, at, np.int64(span.stretch), 4)
        at = put_int(written.out, at, span.start, 8)
        at = put_int(written.out, at, span.end, 8)
        found = span.next
    for place in range(record.text_size):
        written.out[at + place] = state.texts[record.text + place]
    end_row(written, at + record.text_size)


@jit
def size_rows(state, slot, sizes):
    """Add a listener's dirty rows to *sizes*: rows, bytes at most, and the most runs of an hour.

    A week is dirty if one of its hours is.
    """
    listener = state.listeners[slot]
    hours, found = 0, listener.hours
    while found != NONE:
        hours += 1
        if state.hours[found].flags & DIRTY:
            count = length(state.runs, state.hours[found].runs)
            sizes[0] += 1
            sizes[1] += 1 + RUN_BYTES * count
            sizes[2] = max(sizes[2], count)
            begin = np.int64(state.hours[found].hour) * HOUR_MS + EPOCH_WEEKDAY_MS
            state.weeks[find_week(state, slot, begin // WEEK_MS)].flags |= DIRTY
        found = state.hours[found].next
    found = listener.weeks
    while found != NONE:
        if state.weeks[found].flags & DIRTY:
            sizes[0] += 1
            sizes[1] += 1 + 4 * QUARTER_BYTES * hours
        found = state.weeks[found].next
    found = listener.plays
    while found != NONE:
        if state.plays[found].flags & DIRTY:
            count = length(state.spans, state.plays[found].runs)
            sizes[0] += 1
            sizes[1] += 1 + HEAD_BYTES + SPAN_BYTES * count + state.plays[found].text_size
        found = state.plays[found].next


@jit
def settle_all(state, epoch, sizes):
    """Settle every dirty listener's chain; *sizes* receives what `size_rows` adds up."""
    for place in range(state.counts[DIRTIES]):
        settle(state, state.dirty[place], epoch)
        size_rows(state, state.dirty[place], sizes)


@jit
def collect(state, slots, written, order, dense):
    """Encode every dirty row of *slots* (listeners in the order to write), and call them clean.

    *order* has room for the runs of any hour, *dense* for the quarters of a week.
    """
    for owner, slot in enumerate(slots):
        listener = state.listeners[slot]
        listener.flags &= ~DIRTY
        found = listener.hours
        while found != NONE:
            if state.hours[found].flags & DIRTY:
                write_hour(state, owner, found, written, order)
                state.hours[found].flags &= ~DIRTY
            found = state.hours[found].next
        found = listener.weeks
        while found != NONE:
            if state.weeks[found].flags & DIRTY:
                write_week(state, slot, owner, found, written, dense)
                state.weeks[found].flags &= ~DIRTY
            found = state.weeks[found].next
        found = listener.plays
        while found != NONE:
            if state.plays[found].flags & DIRTY:
                write_play(state, owner, found, written)
                state.plays[found].flags &= ~DIRTY
            found = state.plays[found].next
    state.counts[DIRTIES] = 0
