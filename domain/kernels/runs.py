"""The rule itself: instants of a lane at most 60 s apart are joined, runs are united."""

import numpy as np

from domain.kernels.compiled import inline
from domain.kernels.state import NONE, ONE, RUNS, SPANS
from domain.rows import NO_DAY
from domain.units import DAY_MS, JOIN_MS


@inline
def join_run(state, hour, lane, stretch, start, end):
    """Join a chain (ms since the hour's beginning) to the hour's runs of its lane."""
    record = state.hours[hour]
    head = record.runs
    if head != NONE:
        run = state.runs[head]
        newest = run.play == lane and run.stretch == stretch and run.end == record.latest
        if newest and run.start <= start and start - run.end <= JOIN_MS:
            run.end = max(run.end, end)
            record.latest = run.end
            return
    bit = ONE << ((lane ^ np.uint64(stretch)) >> np.uint64(1) & np.uint64(63))
    kept = NONE
    if record.lanes & bit:
        before, found = NONE, head
        while found != NONE:
            run = state.runs[found]
            follows = run.next
            near = run.start - end <= JOIN_MS and start - run.end <= JOIN_MS
            if run.play == lane and run.stretch == stretch and near:
                start, end = min(start, run.start), max(end, run.end)
                if before == NONE:
                    record.runs = follows
                else:
                    state.runs[before].next = follows
                kept = found
            else:
                before = found
            found = follows
    if kept == NONE:
        kept = state.counts[RUNS]
        state.counts[RUNS] += 1
    record.lanes |= bit
    run = state.runs[kept]
    run.play = lane
    run.stretch = stretch
    run.start = start
    run.end = end
    run.next = record.runs
    record.runs = kept
    record.latest = max(record.latest, end)


@inline
def join_span(state, play, stretch, start, end):
    """Join a chain to the play's runs of its stretch; tells whether anything changed."""
    record = state.plays[play]
    before, found, kept = NONE, record.runs, NONE
    while found != NONE:
        span = state.spans[found]
        follows = span.next
        if span.stretch == stretch and span.start - end <= JOIN_MS and start - span.end <= JOIN_MS:
            if span.start <= start and end <= span.end:
                return False
            start, end = min(start, span.start), max(end, span.end)
            if before == NONE:
                record.runs = follows
            else:
                state.spans[before].next = follows
            kept = found
        else:
            before = found
        found = follows
    if kept == NONE:
        kept = state.counts[SPANS]
        state.counts[SPANS] += 1
    span = state.spans[kept]
    span.stretch = stretch
    span.start = start
    span.end = end
    put_span(state, record, kept)
    return True


@inline
def put_span(state, record, span):
    """Hang a run into the play's list, which is ordered by start."""
    start = state.spans[span].start
    before, follows = NONE, record.runs
    while follows != NONE and state.spans[follows].start < start:
        before, follows = follows, state.spans[follows].next
    state.spans[span].next = follows
    if before == NONE:
        record.runs = span
    else:
        state.spans[before].next = span


@inline
def listened_ms(state, play):
    """The union of the play's runs; of a day's play, what of it lies within the day."""
    record = state.plays[play]
    first, last = np.int64(-(1 << 62)), np.int64(1 << 62)
    if record.day != NO_DAY:
        first = np.int64(record.day) * DAY_MS
        last = first + DAY_MS
    total, reached, found = np.int64(0), first, record.runs
    while found != NONE:
        span = state.spans[found]
        begin, end = max(span.start, reached), min(span.end, last)
        if end > begin:
            total += end - begin
            reached = end
        found = span.next
    return total
