"""Records of the log as the kernels see them: the columns of some payloads, joined.

A shard reads thousands of records a second, so nothing of Arrow's is built of them: a kernel writes
each record's columns behind those of the record before.
"""

from collections.abc import Sequence
from itertools import accumulate, chain

import numpy as np
import pyarrow as pa

from domain.batches import SCHEMA, offsets_of
from domain.errors import UnreadableRecord
from domain.kernels.state import Array, Columns
from domain.kernels.unpacking import ASCII_ONLY, BEYOND, unpack
from domain.packing import WORD_BYTES
from domain.payloads import IDS, MOST_PLAIN_BYTES, NUMBERS, TEXTS, Opened, open_payload

IN_COLUMNS = ("stretch", "kind", "at", "position_ms")  # the order of `Columns`
MOST_TOGETHER = (1 << 30) // MOST_PLAIN_BYTES  # records, whose texts 32 bits can count

Damaged = list[tuple[int, UnreadableRecord]]


def fixed(array: Array) -> Array:
    """One signature for the compiler: numba tells read-only arrays from others."""
    array.flags.writeable = False
    return array


def strings(column: pa.StringArray) -> tuple[Array, Array]:
    """Offsets and bytes of a utf8 column."""
    return fixed(offsets_of(column)), fixed(np.frombuffer(column.buffers()[2] or b"", np.uint8))


def columns_of(records: Sequence[Opened], positions: Sequence[int]) -> tuple[Columns, Damaged]:
    """Join the columns of some records, each at its position in the log.

    Tells which records, by their index, are damaged and left out.
    """
    table = _Table(records)
    sizes, damaged = table.add_all(records, ids=False)
    return table.columns(np.repeat(np.array(positions, np.int64), sizes)), damaged


def decode_all(payloads: Sequence[bytes]) -> tuple[pa.RecordBatch, list[int], Damaged]:
    """Read up to `MOST_TOGETHER` payloads into one batch, which is cheaper than one by one.

    Tells how many rows each has, and which, by their index, cannot be read and have none.
    """
    opened, sizes, damaged = {}, [0] * len(payloads), Damaged()
    for index, payload in enumerate(payloads):
        try:
            opened[index] = open_payload(payload)
        except UnreadableRecord as error:
            damaged.append((index, error))
    records = [*opened.values()]
    table = _Table(records)
    found, broken = table.add_all(records, ids=True)
    places = [*opened]
    for place, size in zip(places, found, strict=True):
        sizes[place] = size
    damaged += [(places[index], error) for index, error in broken]
    return table.batch(), sizes, damaged


def decode(payload: bytes) -> pa.RecordBatch:
    """Read what `domain.payloads.encode` wrote.

    :raises UnreadableRecord: if it is not one of ours, is damaged, or claims more than there may be.
    """
    record = open_payload(payload)
    table = _Table([record])
    table.add(record, ids=True)
    return table.batch()


class _Table:
    """Columns that records are added to."""

    def __init__(self, records: Sequence[Opened]) -> None:
        rows = sum(record.rows for record in records)
        rooms = (
            sum(record.text_bytes[column] for record in records) for column in range(len(TEXTS))
        )
        *self._begins, size = accumulate((room + WORD_BYTES for room in rooms), initial=0)
        self._ends = np.array(self._begins, np.int64)
        self._data = np.empty(size, np.uint8)
        self._offsets = np.empty((len(TEXTS), rows + 1), np.int32)
        self._offsets[:, 0] = 0
        self._numbers = np.empty((len(NUMBERS), rows), np.int64)
        self._rows = 0

    def add_all(self, records: Sequence[Opened], *, ids: bool) -> tuple[list[int], Damaged]:
        """Add records; tells how many rows each has, and which are damaged and left out."""
        sizes, damaged = [], Damaged()
        for index, record in enumerate(records):
            try:
                sizes.append(self.add(record, ids=ids))
            except UnreadableRecord as error:
                sizes.append(0)
                damaged.append((index, error))
        return sizes, damaged

    def add(self, record: Opened, *, ids: bool) -> int:
        """Write a record's columns behind the others; tells how many rows they have."""
        ends = self._ends.copy()
        found = unpack(
            record.head[0],
            record.plain,
            record.packed,
            record.packed_at,
            ids,
            self._rows,
            self._offsets,
            self._data,
            ends,
            self._numbers,
        )
        if found == BEYOND:
            raise UnreadableRecord("a value is out of bounds, or something is left over")
        if found != ASCII_ONLY:
            self._check_texts(record)
        self._ends = ends
        self._rows += record.rows
        return record.rows

    def _check_texts(self, record: Opened) -> None:
        """Check that those texts are UTF-8 that need not be ASCII."""
        for column, width in enumerate(record.head["widths"][0]):
            texts = self._texts(column, self._rows, self._rows + record.rows)
            try:
                if not width:
                    texts.validate(full=True)
            except pa.ArrowException as error:
                raise UnreadableRecord(str(error)) from error

    def _texts(self, column: int, begin: int, end: int) -> pa.StringArray:
        offsets = pa.py_buffer(self._offsets[column, begin : end + 1])
        data = pa.py_buffer(self._data[self._begins[column] :])
        return pa.StringArray.from_buffers(end - begin, offsets, data)

    def columns(self, positions: Array) -> Columns:
        """What kernels are given; the ids are left out."""
        texts = (
            (self._offsets[column, : self._rows + 1], self._data[begin:end])
            for column, (begin, end) in enumerate(zip(self._begins, self._ends, strict=True))
            if TEXTS[column] != IDS
        )
        numbers = (self._numbers[NUMBERS.index(name), : self._rows] for name in IN_COLUMNS)
        return Columns._make([*chain.from_iterable(texts), *numbers, positions])

    def batch(self) -> pa.RecordBatch:
        """Everything, as Arrow has it."""
        arrays = [
            self._texts(TEXTS.index(field.name), 0, self._rows)
            if field.name in TEXTS
            else pa.array(self._numbers[NUMBERS.index(field.name), : self._rows]).cast(field.type)
            for field in SCHEMA
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)
