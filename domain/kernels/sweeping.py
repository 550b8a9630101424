"""Forgetting: what is still needed is copied into fresh arrays, the rest is left behind."""

from domain.kernels.compiled import jit
from domain.kernels.hash_table import rehash
from domain.kernels.records import hang_play, new_hour, new_week
from domain.kernels.runs import join_run, join_span
from domain.kernels.state import LISTENERS, LOADED, NONE, PLAYS, TEXTS
from domain.kernels.texts import put_bytes


@jit
def copy_hour(state, fresh, slot, hour, oldest):
    """Keep an hour; its runs only if it was touched lately."""
    record = state.hours[hour]
    made = new_hour(fresh, slot, record.hour)
    for quarter in range(4):
        fresh.hours[made].ms[quarter] = record.ms[quarter]
    if record.flags & LOADED and record.epoch >= oldest:
        kept = fresh.hours[made]
        kept.epoch = record.epoch
        kept.flags = LOADED
        found = record.runs
        while found != NONE:
            run = state.runs[found]
            join_run(fresh, made, run.play, run.stretch, run.start, run.end)
            found = run.next


@jit
def copy_play(state, fresh, slot, play):
    """Keep a play whole."""
    made = fresh.counts[PLAYS]
    fresh.counts[PLAYS] += 1
    fresh.plays[made] = state.plays[play]
    record = fresh.plays[made]
    record.listener = slot
    record.text = fresh.counts[TEXTS]
    put_bytes(fresh, state.texts, state.plays[play].text, state.plays[play].text + record.text_size)
    record.runs = NONE
    found = state.plays[play].runs
    while found != NONE:
        span = state.spans[found]
        join_span(fresh, made, span.stretch, span.start, span.end)
        found = span.next
    hang_play(fresh, slot, made)
    return made


@jit
def copy_listener(state, fresh, slot, oldest):
    """Keep a listener, with the rows that were touched since epoch *oldest*; the cursor is let go."""
    made = fresh.counts[LISTENERS]
    fresh.counts[LISTENERS] += 1
    fresh.listeners[made] = state.listeners[slot]
    listener = fresh.listeners[made]
    listener.hours = listener.weeks = listener.plays = NONE
    listener.seen_play = listener.cursor_play = NONE
    listener.limit = -1
    listener.known = 0
    found = state.listeners[slot].hours
    while found != NONE:
        copy_hour(state, fresh, made, found, oldest)
        found = state.hours[found].next
    found = state.listeners[slot].weeks
    while found != NONE:
        week = new_week(fresh, made, state.weeks[found].week)
        fresh.weeks[week].flags = state.weeks[found].flags
        found = state.weeks[found].next
    found = state.listeners[slot].plays
    while found != NONE:
        if state.plays[found].epoch >= oldest:
            kept = copy_play(state, fresh, made, found)
            if found == state.listeners[slot].seen_play:
                listener.seen_play = kept
        found = state.plays[found].next


@jit
def sweep(state, fresh, oldest):
    """Copy the listeners touched since epoch *oldest* into *fresh*; nothing may be dirty.

    Their cursors are let go, so the next heartbeat finds its rows, or loads them.
    """
    for slot in range(state.counts[LISTENERS]):
        if state.listeners[slot].epoch >= oldest:
            copy_listener(state, fresh, slot, oldest)
    rehash(fresh)
