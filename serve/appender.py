"""Group commit: what requests bring within a few milliseconds is appended to the log at once.

    append(rows) ──▶ waiting ──linger──▶ one group ──▶ a record or more per partition ──▶ log.append

Every request waits for the group that carries its rows, and hears what became of it. The work is a
task of its own: a client that goes away takes nothing with it. Within a record the order is that of
arrival, though nothing depends on it: what is counted is a function of the set.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.batches import SCHEMA, offsets_of
from domain.errors import Unavailable
from domain.payloads import encode_parts
from domain.positions import Generation
from serve.heartbeat_bodies import Columns

RECORD_ROWS = 4_000
RECORD_BYTES = 512 << 10  # as stored; halves of a record that is larger become records
GROUP_ROWS = 32_000  # a group that large does not linger
MOST_WAITING_ROWS = 200_000
MOST_WAITING_BYTES = 64 << 20
THREAD_ROWS = 2_000  # a group that large is encoded beside the event loop

Rows: TypeAlias = Columns | pa.RecordBatch


class Overloaded(Unavailable):
    """Raised when so much waits for the log that more would only wait too long."""


class LogEnd(Protocol):
    """What is needed of `domain.ports.Log`."""

    async def generation(self) -> Generation:
        """Tell the generation that is appended to."""
        ...

    async def append(self, records: Sequence[tuple[int, bytes]]) -> list[int]:
        """Append (partition, payload) pairs, all or none; durable on return."""
        ...


@dataclass(slots=True)
class _Share:
    rows: Rows
    count: int
    size_bytes: int
    arrived_s: float
    done: asyncio.Future[None]


class Appender:
    """Appends rows to the log in groups; to be used from one event loop."""

    def __init__(self, log: LogEnd, *, linger_ms: float = 4.0, timeout_s: float = 20.0) -> None:
        self._log = log
        self._linger_s = linger_ms / 1_000
        self._timeout_s = timeout_s
        self._waiting: deque[_Share] = deque()
        self._held_rows = self._held_bytes = 0  # waiting, or on their way to the log
        self._enough = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    def check_room(self, rows: int = 1, size_bytes: int = 0) -> None:
        """Refuse what would have to wait too long; anything may come when nothing waits.

        :raises Overloaded: if there is no room for *rows* more.
        """
        full = (
            self._held_rows + rows > MOST_WAITING_ROWS
            or self._held_bytes + size_bytes > MOST_WAITING_BYTES
        )
        if full and self._held_rows:
            raise Overloaded("too many heartbeats wait for the log")

    async def append(self, rows: Rows, size_bytes: int) -> None:
        """Append *rows*; on return they are durable in the log. *size_bytes*: what they occupy.

        :raises Unavailable: if the log did not take them, or is not known to have; try again.
        """
        count = rows.num_rows if isinstance(rows, pa.RecordBatch) else len(rows[0])
        self.check_room(count, size_bytes)
        loop = asyncio.get_running_loop()
        share = _Share(rows, count, size_bytes, loop.time(), loop.create_future())
        self._hold(share, 1)
        self._waiting.append(share)
        if self._held_rows >= GROUP_ROWS:
            self._enough.set()
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work(), name="appender")
        await share.done

    async def close(self) -> None:
        """Wait until everything that was brought has been appended, or refused."""
        if self._worker is not None:
            await asyncio.wait([self._worker])

    def _hold(self, share: _Share, sign: int) -> None:
        self._held_rows += sign * share.count
        self._held_bytes += sign * share.size_bytes

    async def _work(self) -> None:
        while self._waiting:
            await self._linger()
            group = self._take_group()
            (error,) = await asyncio.gather(self._append_group(group), return_exceptions=True)
            for share in group:
                self._hold(share, -1)
                _tell(share.done, error)

    async def _linger(self) -> None:
        due_s = self._waiting[0].arrived_s + self._linger_s
        with suppress(TimeoutError):
            async with asyncio.timeout_at(due_s):
                await self._enough.wait()

    def _take_group(self) -> list[_Share]:
        self._enough.clear()
        group: list[_Share] = []
        rows = 0
        while self._waiting and (not group or rows + self._waiting[0].count <= GROUP_ROWS):
            share = self._waiting.popleft()
            rows += share.count
            group.append(share)
        if self._waiting:
            self._enough.set()
        return group

    async def _append_group(self, group: Sequence[_Share]) -> None:
        rows = [share.rows for share in group]
        try:
            async with asyncio.timeout(self._timeout_s):
                generation = await self._log.generation()
                if sum(share.count for share in group) < THREAD_ROWS:
                    records = records_of(rows, generation.partitions)
                else:
                    records = await asyncio.to_thread(records_of, rows, generation.partitions)
                await self._log.append(records)
        except TimeoutError as error:
            message = f"the log did not answer within {self._timeout_s:g} s"
            raise Unavailable(message) from error


def _tell(done: asyncio.Future[None], error: BaseException | None) -> None:
    if done.done():
        return  # its request was cancelled
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)


def records_of(rows: Sequence[Rows], partitions: int) -> list[tuple[int, bytes]]:
    """Make log records of *rows*: (partition, payload) pairs, each of one partition's heartbeats."""
    batch = _merge(rows)
    placed = partitions_of(batch.column("listener_id"), partitions)
    counts = np.bincount(placed)
    (used,) = counts.nonzero()
    if len(used) > 1:
        batch = batch.take(pa.array(np.argsort(placed, kind="stable")))
    bounds, of = [0], list[int]()
    for partition, count in zip(used.tolist(), counts[used].tolist(), strict=True):
        end = bounds[-1] + count
        bounds += [*range(bounds[-1] + RECORD_ROWS, end, RECORD_ROWS), end]
        of += [partition] * (len(bounds) - 1 - len(of))
    return [
        (partition, part)
        for partition, (begin, end), payload in zip(
            of, pairwise(bounds), encode_parts(batch, bounds), strict=True
        )
        for part in _halved(batch, begin, end, payload)
    ]


def _merge(rows: Sequence[Rows]) -> pa.RecordBatch:
    columns = [part for part in rows if not isinstance(part, pa.RecordBatch)]
    batches = [part for part in rows if isinstance(part, pa.RecordBatch)]
    if columns:
        arrays = [
            pa.array(list(chain.from_iterable(part[place] for part in columns)), field.type)
            for place, field in enumerate(SCHEMA)
        ]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA))
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def _halved(batch: pa.RecordBatch, begin: int, end: int, payload: bytes) -> Iterator[bytes]:
    """The payload of some rows; those of halves if it is too large."""
    if len(payload) <= RECORD_BYTES or end - begin == 1:
        yield payload
        return
    middle = (begin + end) // 2
    left, right = encode_parts(batch, [begin, middle, end])
    yield from _halved(batch, begin, middle, left)
    yield from _halved(batch, middle, end, right)


_M1, _M2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT, _WORD_BYTES = np.uint64(33), 8


def _mix(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    words = (words ^ (words >> _SHIFT)) * _M1
    words = (words ^ (words >> _SHIFT)) * _M2
    return words ^ (words >> _SHIFT)


def partitions_of(listeners: pa.StringArray, partitions: int) -> npt.NDArray[np.uint16]:
    """Tell the partition of each listener: `domain.hashing.partition_of`, a column at a time.

    (`domain.kernels.hash_rows` is faster still; but a replica that only ingests would pay for numba
    with more memory than for everything else.)
    """
    offsets = offsets_of(listeners).astype(np.int64)
    lengths = np.diff(offsets)
    data = np.frombuffer(listeners.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
    padded = np.concatenate([data, np.zeros(_WORD_BYTES, np.uint8)])
    # the eight bytes from each byte on, as one little-endian word
    words = np.ndarray((len(data) + 1,), "<u8", padded, strides=(1,))
    state = _mix(lengths.astype(np.uint64))
    for place in range(0, int(lengths.max(initial=0)), _WORD_BYTES):
        more = lengths > place
        word = words[np.minimum(offsets[:-1] - offsets[0] + place, len(data))]
        beyond = np.clip(_WORD_BYTES - (lengths - place), 0, _WORD_BYTES - 1).astype(np.uint64)
        word &= np.uint64(0xFFFFFFFFFFFFFFFF) >> (beyond * np.uint64(8))
        state = np.where(more, _mix(state ^ word), state)
    return (state % np.uint64(partitions)).astype(np.uint16)  # sorted by their digits
