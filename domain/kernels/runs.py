"""The rule itself: instants of a lane at most 60 s apart are joined, runs are united."""

import numpy as np

from domain.kernels.compiled import inline, jit
from domain.kernels.records import length
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
    span.next = record.runs
    record.runs = kept
    return True


@jit
def listened_ms(state, play):
    """The union of the play's runs; of a day's play, what of it lies within the day."""
    record = state.plays[play]
    first, last = np.int64(-(1 << 62)), np.int64(1 << 62)
    if record.day != NO_DAY:
        first = np.int64(record.day) * DAY_MS
        last = first + DAY_MS
    count = length(state.spans, record.runs)
    starts = np.empty(count, np.int64)
    ends = np.empty(count, np.int64)
    place, found = 0, record.runs
    while found != NONE:
        span = state.spans[found]
        starts[place] = min(max(span.start, first), last)
        ends[place] = min(max(span.end, first), last)
        place, found = place + 1, span.next
    total = np.int64(0)
    reached = np.int64(-(1 << 62))
    for place in np.argsort(starts):
        if ends[place] > reached:
            total += ends[place] - max(starts[place], reached)
            reached = ends[place]
    return total
