"""The incremental fold of one partition: columns in, dirty rows out. Holds state, performs nothing.

The order of calls is always ``plan`` (what must be loaded?), ``install`` (here it is), ``apply``.
After ``collect`` the rows it gave out must become durable before ``sweep`` may forget anything.
"""

from collections.abc import Iterable
from itertools import compress
from typing import Any

import numpy as np
import pyarrow as pa

from domain import presence
from domain.arrays import DTYPES, LOAD_FACTOR, START_CAPACITY, empty_state, grown, places_for
from domain.counted import Counted
from domain.ids import ID_BYTES, LISTENER_ID_BYTES
from domain.kernels import folding, hash_table, loading, planning, sweeping, texts, writing
from domain.kernels.state import (
    COUNTINGS,
    DIRTIES,
    LISTENERS,
    QUARTER_BYTES,
    RUN_BYTES,
    SPAN_BYTES,
    Array,
    Columns,
    Resolved,
    Written,
)
from domain.kernels.texts import WORD_BYTES
from domain.ports import Announcement, NowPlaying
from domain.presence import Seen
from domain.rows import TEXT_HEAD, Rows
from domain.units import PRESENCE_MS, QUARTERS_PER_WEEK
from domain.wanted import Joined, Stored, Wanted, names_of


def _listed(size: int, dtype: str = "i8") -> Array:
    return np.zeros(size + 1, dtype)


def _items(listed: Array) -> Array:
    return listed[1 : int(listed[0]) + 1]


class Fold:
    """The state of one partition's active listeners, and the passes over it."""

    def __init__(self) -> None:
        self._state = empty_state(dict.fromkeys(DTYPES, START_CAPACITY))
        self._epoch = 1

    # --- applying --------------------------------------------------------------------------------

    def plan(self, batch: Columns) -> tuple[Resolved, Wanted]:
        """Resolve a batch's listeners and lanes; tell what is not in memory. Call once a batch."""
        rows = len(batch.at)
        self._reserve(batch)
        found = Resolved(
            code=np.zeros(rows, np.uint64),
            slot=np.zeros(rows, np.int32),
            lane=np.zeros(rows, np.uint64),
            turning=_listed(rows, "i4"),
        )
        lists = [_listed(rows), _listed(2 * rows), _listed(2 * rows), _listed(2 * rows)]
        planning.plan(self._state, batch, found, *lists)
        return found, Wanted(self._state, *map(_items, lists))

    def apply(self, batch: Columns, found: Resolved) -> list[str]:
        """Fold a planned batch in, all that it wanted installed; tells which listeners it erases."""
        self._reserve(batch)  # again: what was installed has taken from the room
        erased = _listed(len(batch.at))
        folding.fold(self._state, batch, found, self._epoch, erased)
        return names_of(self._state, _items(erased))

    def _reserve(self, batch: Columns) -> None:
        """Make room for the worst that a batch can bring."""
        rows = len(batch.at)
        texts = (
            len(batch.track_bytes)
            + len(batch.play_bytes)
            + len(batch.device_bytes)
            + len(batch.context_bytes)
        )
        self._grow(
            listeners=rows,
            hours=2 * rows,
            runs=4 * rows,
            weeks=2 * rows,
            plays=2 * rows,
            spans=4 * rows,
            # a row may begin two plays and change the texts of two; texts are written by the word
            texts=4 * (rows * TEXT_HEAD.size + texts) + WORD_BYTES,
            dirty=rows,
            countings=2 * rows,
        )

    def _grow(self, **more: int) -> None:
        state = self._state
        used = dict(zip(DTYPES, state.counts.tolist(), strict=True))
        fresh = {
            name: grown(getattr(state, name), used[name], room)
            for name, room in more.items()
            if used[name] + room > len(getattr(state, name))
        }
        if fresh:
            self._state = state._replace(**fresh)
        listeners = used["listeners"] + more.get("listeners", 0)
        if LOAD_FACTOR * listeners > len(state.places):
            self._state = self._state._replace(places=places_for(listeners))
            hash_table.rehash(self._state)

    # --- loading ---------------------------------------------------------------------------------

    def install(self, wanted: Wanted, stored: Stored) -> Wanted:
        """Put into the state what the store had of everything wanted; tells what was unreadable."""
        places = wanted.hour_places, wanted.week_places, wanted.play_places
        loading.answer(self._state, wanted.owners, *places)
        joined = [Joined.of(states) for states in (stored.hours, stored.weeks, stored.plays)]
        hours, weeks, plays = (states.size for states in joined)
        self._grow(
            runs=hours // RUN_BYTES,
            hours=weeks // QUARTER_BYTES,
            spans=plays // SPAN_BYTES,
            texts=plays,
        )
        kernels = loading.install_hours, loading.install_weeks, loading.install_plays
        damaged = [self._install(*each) for each in zip(kernels, places, joined, strict=True)]
        if any(stored.erased):
            for slot in compress(wanted.owners.tolist(), stored.erased):
                folding.forget(self._state, slot)
        return Wanted(self._state, wanted.owners[:0], *damaged)

    def _install(self, kernel: Any, places: Array, states: Joined) -> Array:
        """Put stored states of one kind in their places; tells those of which one is unreadable."""
        if not states.size and not (states.sizes == 0).any():
            return places[:0]
        damaged = np.zeros(len(places), np.bool_)
        kernel(self._state, places, states.sizes, states.data, damaged)
        return places[damaged]

    # --- writing out -----------------------------------------------------------------------------

    @property
    def dirty(self) -> int:
        """How many listeners have rows that are not written out."""
        return int(self._state.counts[DIRTIES])

    @property
    def listeners(self) -> int:
        """How many listeners are in memory."""
        return int(self._state.counts[LISTENERS])

    @property
    def size_bytes(self) -> int:
        """How much memory the state has reserved."""
        return sum(array.nbytes for array in self._state)

    def take_counted(self) -> Counted:
        """Tell which tracks' plays reached their 30 s since the last call."""
        state = self._state
        plays = state.countings[: int(state.counts[COUNTINGS])].copy()
        state.counts[COUNTINGS] = 0
        offsets = np.zeros(len(plays) + 1, np.int32)
        data = np.zeros(len(plays) * ID_BYTES, np.uint8)
        texts.put_tracks(state, plays, offsets, data)
        tracks = pa.StringArray.from_buffers(len(plays), pa.py_buffer(offsets), pa.py_buffer(data))
        named = tracks.dictionary_encode()
        return Counted(
            tracks=named.dictionary.to_pylist(),
            of=named.indices.to_numpy(),
            positions=state.plays["reached"][plays],
        )

    def collect(self) -> Rows:
        """Encode every row that was touched since the last call, in the order stores write fastest."""
        sizes = np.zeros(3, np.int64)
        self._grow(runs=4 * self.dirty, spans=4 * self.dirty)
        writing.settle_all(self._state, self._epoch, sizes)
        slots = self._state.dirty[: self.dirty].copy()
        names = np.array(names_of(self._state, slots), np.dtype(f"S{LISTENER_ID_BYTES}"))
        order = np.argsort(names)
        rows, octets, most_runs = sizes.tolist()
        written = Written(
            table=np.zeros(rows, np.int8),
            owner=np.zeros(rows, np.int64),
            key=np.zeros(rows, np.int64),
            begin=np.zeros(rows + 1, np.int64),
            out=np.zeros(octets, np.uint8),
            used=np.zeros(2, np.int64),
        )
        scratch = np.zeros(most_runs, np.int64), np.zeros(QUARTERS_PER_WEEK, np.int32)
        writing.collect(self._state, slots[order], written, *scratch)
        self._epoch += 1
        return _rows(written, [name.decode() for name in names[order].tolist()])

    # --- forgetting ------------------------------------------------------------------------------

    @property
    def epoch(self) -> int:
        """The number of the current stretch between two collects."""
        return self._epoch

    def sweep(self, oldest: int) -> None:
        """Forget whatever was not touched since epoch *oldest*; all collected rows are durable.

        Raises
        ------
        ValueError
            Something is dirty, or was not taken to be counted: it would be lost.
        """
        if self.dirty or self._state.counts[COUNTINGS]:
            raise ValueError("cannot forget while rows are dirty or plays not counted")
        counts = dict(zip(DTYPES, self._state.counts.tolist(), strict=True))
        fresh = empty_state({name: count + START_CAPACITY for name, count in counts.items()})
        sweeping.sweep(self._state, fresh, oldest)
        self._state = fresh

    # --- presence --------------------------------------------------------------------------------

    def now_playing(self, listener_ids: Iterable[str], now_ms: int) -> list[NowPlaying | None]:
        """Tell what each listener's newest heartbeat said, if it is not older than a minute."""
        found = presence.known(self._state, listener_ids)
        return [playing if now_ms - at <= PRESENCE_MS else None for _, at, playing in found]

    def seen(self, found: Resolved) -> Seen:
        """Look at what presence knows of a planned batch's listeners before it is applied."""
        return presence.seen(self._state, found.slot)

    def news(self, before: Seen, now_ms: int) -> list[str]:
        """Name those of whom others must be told, after the batch was applied."""
        return presence.news(self._state, before, now_ms)

    def active(self, now_ms: int) -> list[str]:
        """Name everybody of whom others might not know."""
        return presence.active(self._state, now_ms)

    def announcements(
        self, listener_ids: Iterable[str], now_ms: int, position: int
    ) -> list[Announcement]:
        """Say what others must be told of listeners, everything up to *position* being applied."""
        return presence.announcements(self._state, listener_ids, now_ms, position)


def _rows(written: Written, names: list[str]) -> Rows:
    """Split the encoded rows by table; those of one listener come in no order."""
    out = written.out[: int(written.used[1])].tobytes()
    tables = []
    for table in range(3):
        rows = np.flatnonzero(written.table == table)
        rows = rows[np.lexsort((written.key[rows], written.owner[rows]))]
        owners = [names[owner] for owner in written.owner[rows].tolist()]
        spans = zip(written.begin[rows].tolist(), written.begin[rows + 1].tolist(), strict=True)
        states = [out[begin:end] for begin, end in spans]
        tables.append(list(zip(owners, written.key[rows].tolist(), states, strict=True)))
    return Rows(*tables)
