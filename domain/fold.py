"""The incremental fold of one partition: columns in, dirty rows out. Holds state, performs nothing.

The order of calls is always ``plan`` (what must be loaded?), ``install`` (here it is), ``apply``.
After ``collect`` the rows it gave out must become durable before ``sweep`` may forget anything.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
import pyarrow as pa

from domain.columns import fixed, strings
from domain.errors import UnreadableRecord
from domain.heartbeats import Kind
from domain.ids import ID_BYTES, LISTENER_ID_BYTES
from domain.kernels import folding, hash_table, loading, planning, sweeping, texts, writing
from domain.kernels.state import (
    COUNTINGS,
    DIRTIES,
    HOUR,
    LISTENER,
    LISTENERS,
    NONE,
    PLAY,
    RUN,
    SPAN,
    WEEK,
    Array,
    Columns,
    Resolved,
    State,
    Written,
)
from domain.kernels.texts import WORD_BYTES
from domain.ports import NowPlaying
from domain.rows import (
    HOUR_RUN,
    PLAY_RUN,
    TEXT_HEAD,
    WEEK_QUARTER,
    Rows,
    read_hour,
    read_play,
    read_week,
    texts_of,
)
from domain.units import MINUTE_MS, QUARTERS_PER_WEEK

START_CAPACITY = 1_024
ALIGNED_BYTES = 64  # a record of that size is one line of memory, not parts of two
PRESENCE_MS = MINUTE_MS  # a listener is gone this long after the newest heartbeat
LOAD_FACTOR = 2  # places in the hash table for each listener, at least
_DTYPES = {
    "listeners": LISTENER,
    "hours": HOUR,
    "runs": RUN,
    "weeks": WEEK,
    "plays": PLAY,
    "spans": SPAN,
    "texts": np.dtype("u1"),
    "dirty": np.dtype("i4"),
    "countings": np.dtype("i4"),
}  # in the order of State.counts


def _zeros(size: int, dtype: np.dtype[Any]) -> Array:
    room = np.zeros(size * dtype.itemsize + ALIGNED_BYTES, np.uint8)
    begin = -room.ctypes.data % ALIGNED_BYTES
    return room[begin : begin + size * dtype.itemsize].view(dtype)


def _listed(size: int, dtype: str = "i8") -> Array:
    return np.zeros(size + 1, dtype)


def _items(listed: Array) -> Array:
    return listed[1 : int(listed[0]) + 1]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What must be read before a batch can be applied: places in the state, named when asked for."""

    state: State
    owners: Array
    hour_places: Array
    week_places: Array
    play_places: Array

    def __bool__(self) -> bool:
        return any(map(len, (self.owners, self.hour_places, self.week_places, self.play_places)))

    @property
    def listeners(self) -> list[str]:
        """The ids of listeners of whom it must be known if they are erased."""
        return _names(self.state, self.owners)

    @property
    def hours(self) -> list[tuple[str, int]]:
        """Hour rows, by listener id and UTC hour."""
        return self._keys(self.state.hours[self.hour_places], "hour")

    @property
    def weeks(self) -> list[tuple[str, int]]:
        """Week rows, by listener id and UTC week."""
        return self._keys(self.state.weeks[self.week_places], "week")

    @property
    def plays(self) -> list[tuple[str, int]]:
        """Play rows, by listener id and key as stores keep it."""
        return self._keys(self.state.plays[self.play_places], "play")

    def _keys(self, records: Array, key: str) -> list[tuple[str, int]]:
        keys = records[key].astype(np.int64).tolist()
        return list(zip(_names(self.state, records["listener"]), keys, strict=True))


def _names(state: State, slots: Array) -> list[str]:
    """The ids of listeners in memory."""
    kept = np.ascontiguousarray(state.listeners["id"][slots])
    return [name.decode() for name in kept.view(f"S{LISTENER_ID_BYTES}").ravel().tolist()]


States = Sequence[bytes | None]


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer to what was wanted, in its order; None where there is no row."""

    erased: Sequence[bool]
    hours: States
    weeks: States
    plays: States


def _empty(counts: dict[str, int]) -> State:
    made = {name: _zeros(counts[name], dtype) for name, dtype in _DTYPES.items()}
    return State(
        counts=np.zeros(len(_DTYPES), np.int64), places=_places(counts["listeners"]), **made
    )


def _places(listeners: int) -> Array:
    size = START_CAPACITY
    while size < LOAD_FACTOR * listeners:
        size *= 2
    return np.zeros(size, np.uint64)


def _grown(array: Array, used: int, more: int) -> Array:
    """The array with room for *more* elements; doubled when it must grow, so growing is cheap."""
    fresh = _zeros(max(2 * len(array), used + more), array.dtype)
    fresh[:used] = array[:used]
    return fresh


class Fold:
    """The state of one partition's active listeners, and the passes over it."""

    def __init__(self) -> None:
        self._state = _empty(dict.fromkeys(_DTYPES, START_CAPACITY))
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
        return _names(self._state, _items(erased))

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
        used = dict(zip(_DTYPES, state.counts.tolist(), strict=True))
        fresh = {
            name: _grown(getattr(state, name), used[name], room)
            for name, room in more.items()
            if used[name] + room > len(getattr(state, name))
        }
        if fresh:
            self._state = state._replace(**fresh)
        listeners = used["listeners"] + more.get("listeners", 0)
        if LOAD_FACTOR * listeners > len(state.places):
            self._state = self._state._replace(places=_places(listeners))
            hash_table.rehash(self._state)

    # --- loading ---------------------------------------------------------------------------------

    def install(self, wanted: Wanted, stored: Stored) -> Wanted:
        """Put into the state what the store had of everything wanted; tells what was unreadable."""
        places = wanted.owners, wanted.hour_places, wanted.week_places, wanted.play_places
        loading.answer(self._state, *places)
        self._reserve_stored(stored)
        damaged = (
            _each(self._install_hour, wanted.hour_places, stored.hours),
            _each(self._install_week, wanted.week_places, stored.weeks),
            _each(self._install_play, wanted.play_places, stored.plays),
        )
        if any(stored.erased):
            for slot in compress(wanted.owners.tolist(), stored.erased):
                folding.forget(self._state, slot)
        return Wanted(self._state, wanted.owners[:0], *damaged)

    def _reserve_stored(self, stored: Stored) -> None:
        """Make room for all that is in the rows, at once: a look at every array for each row is slow."""
        hours, weeks, plays = (
            sum(len(state) for state in states if state)
            for states in (stored.hours, stored.weeks, stored.plays)
        )
        self._grow(
            runs=hours // HOUR_RUN.itemsize,
            hours=weeks // WEEK_QUARTER.itemsize,
            spans=plays // PLAY_RUN.itemsize,
            texts=plays,
        )

    def _install_hour(self, hour: int, state: bytes) -> None:
        loading.install_hour(self._state, hour, fixed(read_hour(state)))

    def _install_week(self, week: int, state: bytes) -> None:
        loading.install_week(self._state, week, fixed(read_week(state)))

    def _install_play(self, play: int, state: bytes) -> None:
        head, runs, texts = read_play(state)
        text = fixed(np.frombuffer(texts, np.uint8))
        loading.install_play(self._state, play, fixed(head.reshape(1)), fixed(runs), text)

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

    def take_counted(self) -> "Counted":
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
        names = np.array(_names(self._state, slots), np.dtype(f"S{LISTENER_ID_BYTES}"))
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
        counts = dict(zip(_DTYPES, self._state.counts.tolist(), strict=True))
        fresh = _empty({name: count + START_CAPACITY for name, count in counts.items()})
        sweeping.sweep(self._state, fresh, oldest)
        self._state = fresh

    # --- presence --------------------------------------------------------------------------------

    def now_playing(self, listener_ids: Iterable[str], now_ms: int) -> list[NowPlaying | None]:
        """Tell what each listener's newest heartbeat said, if it is not older than a minute."""
        wanted = pa.array(list(listener_ids), pa.utf8())
        offsets, data = strings(wanted)
        slots = np.zeros(len(wanted), np.int32)
        hash_table.find_slots(self._state, offsets, data, slots)
        return [self._seen(slot, now_ms) for slot in slots.tolist()]

    def _seen(self, slot: int, now_ms: int) -> NowPlaying | None:
        if slot == NONE:
            return None
        listener = self._state.listeners[slot]
        at, play = int(listener["seen_at"]), int(listener["seen_play"])
        if play == NONE or now_ms - at > PRESENCE_MS:
            return None
        kind = Kind(int(listener["seen_kind"]))
        if kind in (Kind.STOP, Kind.SKIP):
            return None
        record = self._state.plays[play]
        track, _, device, context = self._texts((int(record["text"]), int(record["text_size"])))
        return NowPlaying(
            track_id=track,
            at=at,
            position_ms=int(listener["seen_position"]),
            is_playing=kind is not Kind.PAUSE,
            device_id=device,
            context=context,
        )

    def _texts(self, place: tuple[int, int]) -> tuple[str, str, str, str]:
        begin, size = place
        return texts_of(self._state.texts[begin : begin + size].tobytes())


@dataclass(frozen=True, slots=True)
class Counted:
    """Plays that reached their 30 s: each is one of a track, with the record at a position."""

    tracks: list[str]
    of: Array  # i4[plays]: the index of the track
    positions: Array  # i8[plays]

    def beyond(self, known: Sequence[int]) -> list[int]:
        """Count each track's plays with records after the position *known* for that track."""
        fresh = self.of[self.positions > np.array(known, np.int64)[self.of]]
        counts: list[int] = np.bincount(fresh, minlength=len(self.tracks)).tolist()
        return counts


def _each(install: Callable[[int, bytes], None], places: Array, states: States) -> Array:
    """Install the *states* that are there at their *places*; tells where one is unreadable."""
    damaged: list[int] = []
    if states.count(None) < len(states):
        for place, state in zip(places.tolist(), states, strict=True):
            if state is not None and not _done(install, place, state):
                damaged.append(place)
    return np.array(damaged, np.int64)


def _done(install: Callable[[int, bytes], None], place: int, state: bytes) -> bool:
    try:
        install(place, state)
    except UnreadableRecord:
        return False
    return True


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
