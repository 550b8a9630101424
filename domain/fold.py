"""The incremental fold of one partition: columns in, dirty rows out. Holds state, performs nothing.

The order of calls is always ``plan`` (what must be loaded?), ``install_…`` (here it is), ``apply``.
After ``collect`` the rows it gave out must become durable before ``sweep`` may forget anything.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from domain import kernels
from domain.batches import SCHEMA, offsets_of
from domain.heartbeats import Kind
from domain.kernels import Array, Columns, Resolved, State, Written
from domain.ports import NowPlaying
from domain.rows import (
    HOUR_RUN,
    TEXT_HEAD,
    WEEK_QUARTER,
    read_hour,
    read_play,
    read_week,
    texts_of,
)
from domain.units import MINUTE_MS

START_CAPACITY = 1_024
PRESENCE_MS = MINUTE_MS  # a listener is gone this long after the newest heartbeat
LOAD_FACTOR = 2  # places in the hash table for each listener, at least
TEXTS = ("listener_id", "track_id", "play_id", "device_id", "context")
_DTYPES = {
    "listeners": kernels.LISTENER,
    "hours": kernels.HOUR,
    "runs": kernels.RUN,
    "weeks": kernels.WEEK,
    "plays": kernels.PLAY,
    "spans": kernels.SPAN,
    "texts": np.dtype("u1"),
}
_NO_BYTES = np.zeros(0, np.uint8)
_NO_BYTES.flags.writeable = False


def _strings(column: pa.StringArray) -> tuple[Array, Array]:
    buffer = column.buffers()[2]
    data = _NO_BYTES if buffer is None else np.frombuffer(buffer, np.uint8)
    return _fixed(offsets_of(column)), _fixed(data)


def _fixed(array: Array) -> Array:
    """One signature for the compiler: numba tells read-only arrays from others."""
    array.flags.writeable = False
    return array


def _numbers(column: pa.Array, dtype: str) -> Array:
    return _fixed(
        np.frombuffer(column.buffers()[1], dtype)[column.offset : column.offset + len(column)]
    )


def columns_of(batches: Sequence[pa.RecordBatch], positions: Sequence[int]) -> Columns:
    """Lay out the batches of some records, each at its position in the log, for the kernels."""
    rows = np.repeat(np.array(positions, np.int64), [batch.num_rows for batch in batches])
    whole = batches[0]
    if len(batches) > 1:
        whole = pa.Table.from_batches(batches, SCHEMA).combine_chunks().to_batches()[0]
    texts = (array for name in TEXTS for array in _strings(whole.column(name)))
    arrays: list[Array] = [*texts, *_counted(whole), _fixed(rows)]
    return Columns._make(arrays)


def _counted(batch: pa.RecordBatch) -> tuple[Array, ...]:
    columns = (("stretch", "<i4"), ("kind", "i1"), ("at", "<i8"), ("position_ms", "<i8"))
    return tuple(_numbers(batch.column(name), dtype) for name, dtype in columns)


def _listed(size: int) -> Array:
    return np.zeros(size + 1, np.int64)


def _items(listed: Array) -> list[int]:
    return listed[1 : int(listed[0]) + 1].tolist()  # type: ignore[no-any-return]


@dataclass(slots=True)
class Wanted:
    """What must be read before a batch can be applied: indices into the state, as the keys tell."""

    listeners: list[int] = field(default_factory=list)
    hours: list[int] = field(default_factory=list)
    weeks: list[int] = field(default_factory=list)
    plays: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.listeners or self.hours or self.weeks or self.plays)


@dataclass(frozen=True, slots=True)
class Rows:
    """Encoded dirty rows of one table: (listener id, key, state), sorted."""

    hours: list[tuple[str, int, bytes]]
    weeks: list[tuple[str, int, bytes]]
    plays: list[tuple[str, int, bytes]]

    def __len__(self) -> int:
        return len(self.hours) + len(self.weeks) + len(self.plays)


def _empty(counts: dict[str, int]) -> State:
    size = START_CAPACITY
    while size < LOAD_FACTOR * counts["listeners"]:
        size *= 2
    made = {name: np.zeros(counts[name], dtype) for name, dtype in _DTYPES.items()}
    return State(
        counts=np.zeros(8, np.int64),
        slots=np.full(size, kernels.NONE, np.int32),
        marks=np.zeros(size, np.uint32),
        keys=np.zeros((counts["listeners"], kernels.KEY_WORDS), np.uint64),
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
        kernels.plan(self._state, batch, found, *lists)
        return found, Wanted(*map(_items, lists))

    def apply(self, batch: Columns, found: Resolved) -> "Applied":
        """Fold a planned batch in; everything that it wanted is installed."""
        rows = len(batch.at)
        reached, erased = _listed(2 * rows), _listed(rows)
        kernels.fold(self._state, batch, found, self._epoch, reached, erased)
        return Applied(
            counted=[
                (self._track(play), int(self._state.plays[play]["reached"]))
                for play in _items(reached)
            ],
            erased=[self.listener_id(slot) for slot in _items(erased)],
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
        text_room = 4 * (rows * TEXT_HEAD.itemsize + texts)
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
        fresh["dirty"] = _grown(state.dirty, int(state.counts[kernels.DIRTIES]), listeners)
        self._state = state._replace(**fresh)
        if LOAD_FACTOR * listeners > len(state.slots):
            size = 2 * len(state.slots)
            while size < LOAD_FACTOR * listeners:
                size *= 2
            self._state = self._state._replace(
                slots=np.full(size, kernels.NONE, np.int32), marks=np.zeros(size, np.uint32)
            )
            kernels.rehash(self._state)

    # --- what a batch wants ----------------------------------------------------------------------

    def listener_id(self, slot: int) -> str:
        """The id of a listener in memory."""
        return bytes(self._state.keys[slot].tobytes()).rstrip(b"\0").decode()

    def hour_key(self, hour: int) -> tuple[str, int]:
        """The (listener id, UTC hour) of a wanted hour."""
        record = self._state.hours[hour]
        return self.listener_id(int(record["listener"])), int(record["hour"])

    def week_key(self, week: int) -> tuple[str, int]:
        """The (listener id, UTC week) of a wanted week."""
        record = self._state.weeks[week]
        return self.listener_id(int(record["listener"])), int(record["week"])

    def play_key(self, play: int) -> tuple[str, int]:
        """The (listener id, key as stores keep it) of a wanted play."""
        record = self._state.plays[play]
        return self.listener_id(int(record["listener"])), int(record["play"].astype(np.int64))

    def install_erased(self, slot: int) -> None:
        """Say that a wanted listener is erased: nothing of it counts any more."""
        kernels.forget(self._state, slot)

    def install_hour(self, hour: int, state: bytes | None) -> None:
        """Give a wanted hour's stored row, None if there is none."""
        runs = np.zeros(0, HOUR_RUN) if state is None else read_hour(state)
        self._grow(runs=len(runs))
        kernels.install_hour(self._state, hour, _fixed(runs))

    def install_week(self, week: int, state: bytes | None) -> None:
        """Give a wanted week's stored row, None if there is none."""
        quarters = np.zeros(0, WEEK_QUARTER) if state is None else read_week(state)
        self._grow(hours=len(quarters))
        kernels.install_week(self._state, week, _fixed(quarters))

    def install_play(self, play: int, state: bytes | None) -> None:
        """Give a wanted play's stored row, None if there is none."""
        if state is None:
            record = self._state.plays[play]
            record["flags"] = int(record["flags"]) & ~kernels.WANTED | kernels.LOADED
            return
        head, runs, texts = read_play(state)
        self._grow(spans=len(runs), texts=len(texts))
        text = _fixed(np.frombuffer(texts, np.uint8))
        kernels.install_play(self._state, play, _fixed(head.reshape(1)), _fixed(runs), text)

    # --- writing out -----------------------------------------------------------------------------

    @property
    def dirty(self) -> int:
        """How many listeners have rows that are not written out."""
        return int(self._state.counts[kernels.DIRTIES])

    @property
    def listeners(self) -> int:
        """How many listeners are in memory."""
        return int(self._state.counts[kernels.LISTENERS])

    def collect(self) -> Rows:
        """Encode every row that was touched since the last call, in the order stores write fastest."""
        state, sizes = self._state, np.zeros(3, np.int64)
        self._grow(runs=4 * self.dirty, spans=4 * self.dirty)
        state = self._state
        kernels.settle_all(state, self._epoch, _listed(0), sizes)
        slots = state.dirty[: self.dirty].copy()
        ids = [self.listener_id(slot) for slot in slots.tolist()]
        order = sorted(range(len(ids)), key=ids.__getitem__)
        rows, octets, most_runs = sizes.tolist()
        written = Written(
            table=np.zeros(rows, np.int8),
            slot=np.zeros(rows, np.int32),
            key=np.zeros(rows, np.int64),
            begin=np.zeros(rows + 1, np.int64),
            out=np.zeros(octets, np.uint8),
            used=np.zeros(2, np.int64),
        )
        kernels.collect(state, slots[order], written, most_runs)
        self._epoch += 1
        return self._sorted(written)

    def _sorted(self, written: Written) -> Rows:
        """Split the encoded rows by table; listeners come in order, keys of one must be put in it."""
        out = written.out[: int(written.used[1])].tobytes()
        tables: tuple[list[tuple[str, int, bytes]], ...] = ([], [], [])
        names: dict[int, str] = {}
        begin = written.begin.tolist()
        columns = (written.table.tolist(), written.slot.tolist(), written.key.tolist())
        for row, (table, slot, key) in enumerate(zip(*columns, strict=True)):
            name = names.get(slot) or names.setdefault(slot, self.listener_id(slot))
            tables[table].append((name, key, out[begin[row] : begin[row + 1]]))
        for rows in tables:
            rows.sort(key=lambda row: row[:2])
        return Rows(*tables)

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
        kernels.sweep(self._state, fresh, oldest)
        self._state = fresh

    # --- presence --------------------------------------------------------------------------------

    def now_playing(self, listener_ids: Iterable[str], now_ms: int) -> list[NowPlaying | None]:
        """Tell what each listener's newest heartbeat said, if it is not older than a minute."""
        wanted = pa.array(list(listener_ids), pa.utf8())
        offsets, data = _strings(wanted)
        slots = np.zeros(len(wanted), np.int32)
        kernels.find_slots(self._state, _listener_columns(offsets, data), slots)
        return [self._seen(slot, now_ms) for slot in slots.tolist()]

    def _seen(self, slot: int, now_ms: int) -> NowPlaying | None:
        if slot == kernels.NONE:
            return None
        listener = self._state.listeners[slot]
        at, play = int(listener["seen_at"]), int(listener["seen_play"])
        if play == kernels.NONE or now_ms - at > PRESENCE_MS:
            return None
        kind = Kind(int(listener["seen_kind"]))
        if kind in (Kind.STOP, Kind.SKIP):
            return None
        texts = self._play_texts(play)
        return NowPlaying(
            track_id=texts[0],
            at=at,
            position_ms=int(listener["seen_position"]),
            is_playing=kind is not Kind.PAUSE,
            device_id=texts[2],
            context=texts[3],
        )

    def _play_texts(self, play: int) -> tuple[str, str, str, str]:
        record = self._state.plays[play]
        begin = int(record["text"])
        return texts_of(self._state.texts[begin : begin + int(record["text_size"])].tobytes())

    def _track(self, play: int) -> str:
        return self._play_texts(play)[0]


@dataclass(frozen=True, slots=True)
class Applied:
    """What follows from a batch beside dirty rows."""

    counted: list[tuple[str, int]]  # (track id, position): a play of it counts with that record
    erased: list[str]


def _listener_columns(offsets: Array, data: Array) -> Columns:
    none = _fixed(np.zeros(1, np.int32))
    return Columns(
        offsets,
        data,
        none,
        _NO_BYTES,
        none,
        _NO_BYTES,
        none,
        _NO_BYTES,
        none,
        _NO_BYTES,
        _fixed(np.zeros(0, "<i4")),
        _fixed(np.zeros(0, "i1")),
        _fixed(np.zeros(0, "<i8")),
        _fixed(np.zeros(0, "<i8")),
        _fixed(np.zeros(0, np.int64)),
    )
