"""Heartbeats of many listeners become records of the log: batches, each of one partition."""

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.batches import SCHEMA, offsets_of
from domain.heartbeat_items import Columns
from domain.payloads import encode_parts

RECORD_ROWS = 4_000
RECORD_BYTES = 512 << 10  # as stored; halves of a record that is larger become records

Rows: TypeAlias = Columns | pa.RecordBatch


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
        whole = columns[0] if len(columns) == 1 else _joined(columns)
        arrays = [pa.array(each, field.type) for each, field in zip(whole, SCHEMA, strict=True)]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA))
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def _joined(columns: Sequence[Columns]) -> Columns:
    return [list(chain.from_iterable(parts)) for parts in zip(*columns, strict=True)]


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
