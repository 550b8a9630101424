"""Stored rows, put into the records that were wanted."""

import numpy as np

from domain.kernels.compiled import jit
from domain.kernels.records import find_hour, new_hour
from domain.kernels.runs import join_run, join_span, listened_ms
from domain.kernels.state import ASKED, HOURS_PER_WEEK, LOADED, NONE, TEXTS, WANTED
from domain.kernels.texts import put_bytes
from domain.units import EPOCH_WEEKDAY_MS, HOUR_MS


@jit
def answer(state, owners, hours, weeks, plays):
    """Call records that were wanted loaded: what the store has of them comes next."""
    for place in range(len(owners)):
        listener = state.listeners[owners[place]]
        listener.flags &= ~ASKED
    for place in range(len(hours)):
        record = state.hours[hours[place]]
        record.flags = (record.flags & ~WANTED) | LOADED
    for place in range(len(weeks)):
        week = state.weeks[weeks[place]]
        week.flags = (week.flags & ~WANTED) | LOADED
    for place in range(len(plays)):
        play = state.plays[plays[place]]
        play.flags = (play.flags & ~WANTED) | LOADED


@jit
def install_hour(state, hour, runs):
    """Put what a stored hour row holds into a record that was wanted."""
    for place in range(len(runs)):
        run = runs[place]
        join_run(state, hour, run.play, run.stretch, run.start, run.end)


@jit
def install_week(state, week, quarters):
    """Put what a stored week row holds into the listener's hours; loaded ones count anew anyway."""
    record = state.weeks[week]
    first = np.int64(record.week) * HOURS_PER_WEEK - EPOCH_WEEKDAY_MS // HOUR_MS
    for place in range(len(quarters)):
        quarter = np.int64(quarters[place].quarter)
        hour = find_hour(state, record.listener, first + quarter // 4)
        if hour == NONE:
            hour = new_hour(state, record.listener, first + quarter // 4)
        state.hours[hour].ms[quarter % 4] = quarters[place].ms


@jit
def install_play(state, play, head, runs, texts):
    """Put what a stored play row holds into a record that was wanted."""
    record = state.plays[play]
    record.reached = head[0].reached
    record.day = head[0].day
    record.text_at = head[0].text_at
    record.text = state.counts[TEXTS]
    record.text_size = len(texts)
    put_bytes(state, texts, 0, len(texts))
    for place in range(len(runs)):
        join_span(state, play, runs[place].stretch, runs[place].start, runs[place].end)
    record.ms = listened_ms(state, play)
