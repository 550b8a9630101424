"""Stored rows, put into the records that were wanted."""

import numpy as np

from domain.kernels.compiled import inline, jit
from domain.kernels.memory import load64
from domain.kernels.records import find_hour, new_hour
from domain.kernels.runs import join_run, join_span, listened_ms
from domain.kernels.state import (
    ASKED,
    HEAD_BYTES,
    HOURS_PER_WEEK,
    LOADED,
    NONE,
    QUARTER_BYTES,
    RUN_BYTES,
    SPAN_BYTES,
    TEXTS,
    WANTED,
)
from domain.kernels.texts import put_bytes
from domain.rows import FORMAT as ROW_FORMAT
from domain.rows import TEXT_HEAD
from domain.units import EPOCH_WEEKDAY_MS, HOUR_MS

LOWER, SIXTEEN, UPTO_QUARTERS = np.uint64(0xFFFFFFFF), np.uint64(16), np.uint64(0xFFFF)
TEXT_HEAD_BYTES = TEXT_HEAD.size
MOST_TEXT_BYTES = 0xFFFF


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


@inline
def int32_at(data, at):
    """A signed integer of four bytes, little-endian."""
    return np.int64(np.int32(load64(data, at) & LOWER))


@inline
def is_row(data, at, size, record_bytes):
    """Whether a stored row is of our format, and holds whole records."""
    return size > 0 and data[at] == ROW_FORMAT and (size - 1) % record_bytes == 0


@jit
def install_hours(state, hours, sizes, data, damaged):
    """Put stored hour rows into the records that were wanted.

    *sizes* are those of the rows, -1 where there is none; *data* their bytes, and eight more.
    *damaged* receives which cannot be read.
    """
    at = 0
    for place in range(len(hours)):
        size = sizes[place]
        if size < 0:
            continue
        if is_row(data, at, size, RUN_BYTES):
            for run in range(at + 1, at + size, RUN_BYTES):
                stretch, start, end = (
                    int32_at(data, run + 8),
                    int32_at(data, run + 12),
                    int32_at(data, run + 16),
                )
                join_run(state, hours[place], load64(data, run), stretch, start, end)
        else:
            damaged[place] = True
        at += size


@jit
def install_weeks(state, weeks, sizes, data, damaged):
    """Put stored week rows into their listeners' hours, as `install_hours`; loaded ones count anew."""
    at = 0
    for place in range(len(weeks)):
        size = sizes[place]
        if size < 0:
            continue
        if is_row(data, at, size, QUARTER_BYTES):
            record = state.weeks[weeks[place]]
            for quarter in range(at + 1, at + size, QUARTER_BYTES):
                word = load64(data, quarter)
                install_quarter(
                    state, record, np.int64(word & UPTO_QUARTERS), np.int64(word >> SIXTEEN & LOWER)
                )
        else:
            damaged[place] = True
        at += size


@inline
def install_quarter(state, record, quarter, ms):
    """Put a quarter of a stored week into its hour."""
    first = np.int64(record.week) * HOURS_PER_WEEK - EPOCH_WEEKDAY_MS // HOUR_MS
    hour = find_hour(state, record.listener, first + quarter // 4)
    if hour == NONE:
        hour = new_hour(state, record.listener, first + quarter // 4)
    state.hours[hour].ms[quarter % 4] = ms


@jit
def install_plays(state, plays, sizes, data, damaged):
    """Put stored play rows into the records that were wanted, as `install_hours`."""
    at = 0
    for place in range(len(plays)):
        size = sizes[place]
        if size < 0:
            continue
        texts = texts_in(data, at, size)
        if texts:
            install_play(state, plays[place], data, at + 1, texts, at + size)
        else:
            damaged[place] = True
        at += size


@inline
def texts_in(data, at, size):
    """Where the texts of a stored play begin; 0 if it is cut, or something is left over."""
    runs_at, end = at + 1 + HEAD_BYTES, at + size
    if size <= HEAD_BYTES or data[at] != ROW_FORMAT:
        return 0
    texts = runs_at + SPAN_BYTES * (int32_at(data, at + 5) & np.int64(LOWER))
    if texts + TEXT_HEAD_BYTES > end or end - texts > MOST_TEXT_BYTES:
        return 0
    held = np.int64(data[texts]) + np.int64(data[texts + 1]) + np.int64(data[texts + 2])
    held += np.int64(data[texts + 3]) | np.int64(data[texts + 4]) << 8
    return texts if texts + TEXT_HEAD_BYTES + held == end else 0


@inline
def install_play(state, play, data, head, texts, end):
    """Put what a stored play row holds into a record: its head, its runs, then its texts."""
    record = state.plays[play]
    record.day = int32_at(data, head)
    record.reached = np.int64(load64(data, head + 8))
    record.text_at = np.int64(load64(data, head + 16))
    record.text = state.counts[TEXTS]
    record.text_size = end - texts
    put_bytes(state, data, texts, end)
    for run in range(head + HEAD_BYTES, texts, SPAN_BYTES):
        start, stop = np.int64(load64(data, run + 4)), np.int64(load64(data, run + 12))
        join_span(state, play, int32_at(data, run), start, stop)
    record.ms = listened_ms(state, play)
