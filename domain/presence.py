"""What of a fold is presence: what each listener's newest heartbeat says, and of whom there is news."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from domain.columns import strings
from domain.heartbeats import Kind
from domain.kernels import hash_table
from domain.kernels.state import ERASED, LISTENERS, NONE, Array, State
from domain.ports import ERASED_AT, Announcement, NowPlaying
from domain.rows import texts_of
from domain.units import PRESENCE_MS, SECOND_MS
from domain.wanted import names_of

REFRESH_MS = 20 * SECOND_MS  # of a beat that goes on, one in so much event time is news
SHOWN = frozenset(map(int, (Kind.START, Kind.BEAT, Kind.PAUSE, Kind.SEEK)))
PAUSE = int(Kind.PAUSE)


class Seen(NamedTuple):
    """What presence knows of some listeners, in columns."""

    slots: Array
    at: Array
    play: Array
    kind: Array


def seen(state: State, slots: Array) -> Seen:
    """Look at what presence knows of listeners."""
    listeners = state.listeners
    return Seen(
        slots,
        listeners["seen_at"][slots],
        listeners["seen_play"][slots],
        listeners["seen_kind"][slots],
    )


def news(state: State, before: Seen, now_ms: int) -> list[str]:
    """Tell of whom others must be told, given what was seen before: all but beats that go on."""
    after = seen(state, before.slots)
    goes_on = (
        (before.kind == Kind.BEAT)
        & (after.kind == Kind.BEAT)
        & (before.play == after.play)
        & (before.at // REFRESH_MS == after.at // REFRESH_MS)
    )
    told = ~goes_on & (after.at >= now_ms - PRESENCE_MS)
    return names_of(state, before.slots[told])


def active(state: State, now_ms: int) -> list[str]:
    """Name the listeners whose newest heartbeat is not older than a minute, and those erased."""
    listeners = state.listeners[: int(state.counts[LISTENERS])]
    recent = listeners["seen_at"] >= now_ms - PRESENCE_MS
    return names_of(state, np.flatnonzero(recent | (listeners["flags"] & ERASED != 0)))


def announcements(
    state: State, names: Iterable[str], now_ms: int, position: int
) -> list[Announcement]:
    """Say what there is to announce of listeners, everything up to *position* being known."""
    return [
        Announcement(name, at, position, playing)
        for name, at, playing in known(state, names)
        if at >= now_ms - PRESENCE_MS
    ]


def known(state: State, names: Iterable[str]) -> list[tuple[str, int, NowPlaying | None]]:
    """Tell of each listener the instant of the newest heartbeat, 0 for none, and what it shows."""
    wanted = list(names)
    slots = _slots(state, wanted)
    erased = (slots != NONE) & (state.listeners["flags"][slots] & ERASED != 0)
    return [
        (name, ERASED_AT, None) if gone else (name, *newest)
        for name, gone, newest in zip(wanted, erased.tolist(), _newest(state, slots), strict=True)
    ]


def _newest(state: State, slots: Array) -> Iterator[tuple[int, NowPlaying | None]]:
    listeners, plays = state.listeners, state.plays
    seen_play = np.where(slots == NONE, NONE, listeners["seen_play"][slots])
    columns = (
        seen_play,
        listeners["seen_at"][slots],
        listeners["seen_kind"][slots],
        listeners["seen_position"][slots],
        plays["text"][seen_play],
        plays["text_size"][seen_play],
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for play, at, kind, position_ms, begin, size in rows:
        if play == NONE:
            yield 0, None
        elif kind not in SHOWN:
            yield at, None
        else:
            track, _, device, context = texts_of(state.texts[begin : begin + size].tobytes())
            yield at, NowPlaying(track, at, position_ms, kind != PAUSE, device, context)


def _slots(state: State, names: list[str]) -> Array:
    offsets, data = strings(pa.array(names, pa.utf8()))
    slots = np.zeros(len(names), np.int32)
    hash_table.find_slots(state, offsets, data, slots)
    return slots
