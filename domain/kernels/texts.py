"""What history shows of a play: its texts, packed one behind the other."""

import numpy as np

from domain.kernels.compiled import inline, jit
from domain.kernels.hashes import word_at
from domain.kernels.memory import store64
from domain.kernels.state import TEXTS

WORD_BYTES = 8


@inline
def put_bytes(state, data, start, stop):
    """Append bytes to the texts, a word at a time; what is behind them may be written to."""
    at = state.counts[TEXTS]
    for place in range(0, stop - start, WORD_BYTES):
        store64(state.texts, at + place, word_at(data, start + place, stop))
    state.counts[TEXTS] += stop - start


@inline
def put_texts(state, record, batch, row):
    """Keep the row's texts as those of a play (`domain.rows.TEXT_HEAD` and what follows it)."""
    at = state.counts[TEXTS]
    context = batch.context_offsets[row + 1] - batch.context_offsets[row]
    state.texts[at] = batch.track_offsets[row + 1] - batch.track_offsets[row]
    state.texts[at + 1] = batch.play_offsets[row + 1] - batch.play_offsets[row]
    state.texts[at + 2] = batch.device_offsets[row + 1] - batch.device_offsets[row]
    state.texts[at + 3] = context & 255
    state.texts[at + 4] = context >> 8
    state.counts[TEXTS] += 5
    put_bytes(state, batch.track_bytes, batch.track_offsets[row], batch.track_offsets[row + 1])
    put_bytes(state, batch.play_bytes, batch.play_offsets[row], batch.play_offsets[row + 1])
    put_bytes(state, batch.device_bytes, batch.device_offsets[row], batch.device_offsets[row + 1])
    put_bytes(
        state, batch.context_bytes, batch.context_offsets[row], batch.context_offsets[row + 1]
    )
    record.text = at
    record.text_size = state.counts[TEXTS] - at
    record.text_at = batch.at[row]


@jit
def put_tracks(state, plays, offsets, data):
    """Write the tracks of some plays as Arrow does: *data* behind one another, *offsets* into it."""
    used = 0
    for place in range(len(plays)):
        text = state.plays[plays[place]].text
        for at in range(state.texts[text]):
            data[used + at] = state.texts[text + 5 + at]
        used += state.texts[text]
        offsets[place + 1] = used


@jit
def texts_before(state, record, batch, row):
    """Whether the row's context and device, of an equally early instant, come before the kept ones."""
    at = record.text
    size = np.int64(state.texts[at + 3]) | (np.int64(state.texts[at + 4]) << 8)
    device_size = np.int64(state.texts[at + 2])
    device = at + 5 + np.int64(state.texts[at]) + np.int64(state.texts[at + 1])
    order = compare(
        batch.context_bytes,
        batch.context_offsets[row],
        batch.context_offsets[row + 1],
        state.texts,
        device + device_size,
        device + device_size + size,
    )
    if order == 0:
        order = compare(
            batch.device_bytes,
            batch.device_offsets[row],
            batch.device_offsets[row + 1],
            state.texts,
            device,
            device + device_size,
        )
    return order < 0


@jit
def compare(left, start, stop, right, begin, end):
    """Order two byte strings: negative if the left one comes first."""
    for place in range(min(stop - start, end - begin)):
        a, b = np.int64(left[start + place]), np.int64(right[begin + place])
        if a != b:
            return a - b
    return np.int64((stop - start) - (end - begin))


@inline
def earlier_texts(state, play, batch, row):
    """Let the texts of a play be those of its earliest instant."""
    at, record = batch.at[row], state.plays[play]
    if at < record.text_at or (at == record.text_at and texts_before(state, record, batch, row)):
        put_texts(state, record, batch, row)
