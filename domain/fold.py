"""The incremental fold of one partition: columns in, dirty rows out. Holds state, performs nothing.

The order of calls is always ``plan`` (what must be loaded?), ``install`` (here it is), ``apply``.
After ``collect`` the rows it gave out must become durable before ``sweep`` may forget anything.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from domain.columns import fixed, strings
from domain.errors import UnreadableRecord
from domain.heartbeats import Kind
from domain.ids import LISTENER_ID_BYTES
from domain.kernels import folding, hash_table, loading, planning, sweeping, writing
from domain.kernels.state import (
    DIRTIES,
    HOUR,
    KEY_WORDS,
    LISTENER,
    LISTENERS,
    LOADED,
    NONE,
    PLAY,
    RUN,
    SPAN,
    WANTED,
    WEEK,
    Array,
    Columns,
    Resolved,
    State,
    Written,
)
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
PRESENCE_MS = MINUTE_MS  # a listener is gone this long after the newest heartbeat
LOAD_FACTOR = 2  # places in the hash table for each listener, at least
KEEP = 255 ^ WANTED  # every flag but this one
_DTYPES = {
    "listeners": LISTENER,
    "hours": HOUR,
    "runs": RUN,
    "weeks": WEEK,
    "plays": PLAY,
    "spans": SPAN,
    "texts": np.dtype("u1"),
}


def _listed(size: int) -> Array:
    return np.zeros(size + 1, np.int64)


def _items(listed: Array) -> Array:
    return listed[1 : int(listed[0]) + 1]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What must be read before a batch can be applied: the keys of rows, and where they go."""

    listeners: list[str]  # is it erased?
    hours: list[tuple[str, int]]  # (listener id, UTC hour)
    weeks: list[tuple[str, int]]  # (listener id, UTC week)
    plays: list[tuple[str, int]]  # (listener id, key as stores keep it)
    places: tuple[Array, Array, Array, Array]

    def __bool__(self) -> bool:
        return bool(self.listeners or self.hours or self.weeks or self.plays)


States = Sequence[bytes | None]


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer to what was wanted, in its order; None where there is no row."""

    erased: Sequence[bool]
    hours: States
    weeks: States
    plays: States


def _empty(counts: dict[str, int]) -> State:
    size = START_CAPACITY
    while size < LOAD_FACTOR * counts["listeners"]:
        size *= 2
    made = {name: np.zeros(counts[name], dtype) for name, dtype in _DTYPES.items()}
    return State(
        counts=np.zeros(8, np.int64),
        slots=np.full(size, NONE, np.int32),
        marks=np.zeros(size, np.uint32),
        keys=np.zeros((counts["listeners"], KEY_WORDS), np.uint64),
        dirty=np.zeros(counts["listeners"], np.int32),
        **made,
    )


def _grown(array: Array, used: int, more: int) -> Array:
    """The array with room for *more* elements; doubled when it must grow, so growing is cheap."""
    if used + more <= len(array):
        return array
    fresh = np.zeros((max(2 * len(array), used + more), *array.shape[1:]), array.dtype)
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
        found = Resolved(np.zeros(rows, np.int32), np.zeros(rows, np.uint64))
        lists = [_listed(rows), _listed(2 * rows), _listed(2 * rows), _listed(2 * rows)]
        planning.plan(self._state, batch, found, *lists)
        new, hours, weeks, plays = map(_items, lists)
        # a play that is missing may have been counted, and erased since its listener was loaded
        owners = np.unique(np.concatenate((new, self._state.plays["listener"][plays])))
        return found, self._wanted(owners, hours, weeks, plays)

    def apply(self, batch: Columns, found: Resolved) -> "Applied":
        """Fold a planned batch in; everything that it wanted is installed."""
        rows = len(batch.at)
        self._reserve(batch)  # again: what was installed has taken from the room
        reached, erased = _listed(2 * rows), _listed(rows)
        folding.fold(self._state, batch, found, self._epoch, reached, erased)
        plays = self._state.plays[_items(reached)]
        tracks = [self._texts(play)[0] for play in plays[["text", "text_size"]].tolist()]
        return Applied(
            counted=list(zip(tracks, plays["reached"].tolist(), strict=True)),
            erased=self._names(_items(erased)),
        )

    def _reserve(self, batch: Columns) -> None:
        """Make room for the worst that a batch can bring."""
        rows = len(batch.at)
        texts = sum(
            len(data)
            for data in (
                batch.track_bytes,
                batch.play_bytes,
                batch.device_bytes,
                batch.context_bytes,
            )
        )
        # a row may begin two plays and change the texts of two
        text_room = 4 * (rows * TEXT_HEAD.size + texts)
        self._grow(
            listeners=rows,
            hours=2 * rows,
            runs=4 * rows,
            weeks=2 * rows,
            plays=2 * rows,
            spans=4 * rows,
            texts=text_room,
        )

    def _grow(self, **more: int) -> None:
        state = self._state
        used = dict(zip(_DTYPES, state.counts.tolist(), strict=False))
        fresh = {name: _grown(getattr(state, name), used[name], n) for name, n in more.items()}
        listeners = used["listeners"] + more.get("listeners", 0)
        fresh["keys"] = _grown(state.keys, used["listeners"], more.get("listeners", 0))
        fresh["dirty"] = _grown(state.dirty, int(state.counts[DIRTIES]), listeners)
        self._state = state._replace(**fresh)
        if LOAD_FACTOR * listeners > len(state.slots):
            size = 2 * len(state.slots)
            while size < LOAD_FACTOR * listeners:
                size *= 2
            self._state = self._state._replace(
                slots=np.full(size, NONE, np.int32), marks=np.zeros(size, np.uint32)
            )
            hash_table.rehash(self._state)

    # --- what a batch wants ----------------------------------------------------------------------

    def _names(self, slots: Array) -> list[str]:
        """The ids of listeners in memory."""
        kept = np.ascontiguousarray(self._state.keys[slots])
        return [name.decode() for name in kept.view(f"S{LISTENER_ID_BYTES}").ravel().tolist()]

    def _wanted(self, owners: Array, hours: Array, weeks: Array, plays: Array) -> Wanted:
        state = self._state
        return Wanted(
            listeners=self._names(owners),
            hours=self._keys(state.hours[hours], "hour"),
            weeks=self._keys(state.weeks[weeks], "week"),
            plays=self._keys(state.plays[plays], "play"),
            places=(owners, hours, weeks, plays),
        )

    def _keys(self, records: Array, key: str) -> list[tuple[str, int]]:
        keys = records[key].astype(np.int64).tolist()
        return list(zip(self._names(records["listener"]), keys, strict=True))

    def install(self, wanted: Wanted, stored: Stored) -> Wanted:
        """Put into the state what the store had of everything wanted; tells what was unreadable."""
        owners, hours, weeks, plays = wanted.places
        for records, places in (
            (self._state.hours, hours),
            (self._state.weeks, weeks),
            (self._state.plays, plays),
        ):
            records["flags"][places] = records["flags"][places] & KEEP | LOADED
        self._reserve_stored(stored)
        damaged = (
            _each(self._install_hour, hours, stored.hours),
            _each(self._install_week, weeks, stored.weeks),
            _each(self._install_play, plays, stored.plays),
        )
        for slot, gone in zip(owners.tolist(), stored.erased, strict=True):
            if gone:
                folding.forget(self._state, slot)
        return self._wanted(owners[:0], *damaged)

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

    def collect(self) -> Rows:
        """Encode every row that was touched since the last call, in the order stores write fastest."""
        sizes = np.zeros(3, np.int64)
        self._grow(runs=4 * self.dirty, spans=4 * self.dirty)
        writing.settle_all(self._state, self._epoch, _listed(0), sizes)
        slots = self._state.dirty[: self.dirty].copy()
        names = np.array(self._names(slots), np.dtype(f"S{LISTENER_ID_BYTES}"))
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
            Something is dirty: it would be lost.
        """
        if self.dirty:
            raise ValueError("cannot forget while rows are dirty")
        counts = dict(zip(_DTYPES, self._state.counts.tolist(), strict=False))
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
class Applied:
    """What follows from a batch beside dirty rows."""

    counted: list[tuple[str, int]]  # (track id, position): a play of it counts with that record
    erased: list[str]


def _each(install: Callable[[int, bytes], None], places: Array, states: States) -> Array:
    """Install the *states* that are there at their *places*; tells where one is unreadable."""
    damaged = []
    for place, state in zip(places.tolist(), states, strict=True):
        if state is None:
            continue
        try:
            install(place, state)
        except UnreadableRecord:
            damaged.append(place)
    return np.array(damaged, np.int64)


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
