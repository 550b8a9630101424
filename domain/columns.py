"""Records of the log as the kernels see them: the memory of an Arrow message, as numpy arrays.

A shard reads thousands of records a second, so what Arrow says of a message is read here without
building Arrow's objects. Source: Apache Arrow, ``format/Message.fbs``.
"""

import struct
from collections.abc import Sequence
from itertools import chain

import numpy as np
import pyarrow as pa

from domain.batches import SCHEMA, offsets_of, unpack
from domain.errors import UnreadableRecord
from domain.flatbuffers import Table
from domain.kernels.checking import ASCII_ONLY, BEYOND, check
from domain.kernels.state import Array, Columns

ALIGNED_BYTES = 8  # what every buffer of a message begins at a multiple of
_HEADER = 2  # field of Message
_LENGTH, _NODES, _BUFFERS, _COMPRESSION = range(4)  # fields of RecordBatch

# Of the buffers of a message: each column begins with a bitmap of what is missing; a text goes on
# with offsets and bytes, a number with values.
_TEXTS = (1, 4, 7, 18, 21, 24)  # listener, track, play, device, context, id
_NUMBERS = ((10, "<i4"), (12, "i1"), (14, "<i8"), (16, "<i8"))  # stretch, kind, at, position_ms

NO_POSITIONS = np.zeros(0, np.int64)
NO_POSITIONS.flags.writeable = False


def fixed(array: Array) -> Array:
    """One signature for the compiler: numba tells read-only arrays from others."""
    array.flags.writeable = False
    return array


def strings(column: pa.StringArray) -> tuple[Array, Array]:
    """Offsets and bytes of a utf8 column."""
    return fixed(offsets_of(column)), fixed(np.frombuffer(column.buffers()[2] or b"", np.uint8))


def read(payload: bytes) -> Columns:
    """Read and check what `domain.batches.encode` wrote; the columns have no positions yet.

    :raises UnreadableRecord: if it is not one of ours, is damaged, or claims more than 64 MiB.
    """
    return _columns(unpack(payload))


def decode(payload: bytes) -> pa.RecordBatch:
    """`read`, for those who want a batch of Arrow's."""
    message = unpack(payload)
    _columns(message)
    return _batch(message)


def columns_of(records: Sequence[Columns], positions: Sequence[int]) -> Columns:
    """Join the columns of some records, each at its position in the log."""
    sizes = [len(columns.at) for columns in records]
    whole = records[0] if len(records) == 1 else _joined(records)
    return whole._replace(positions=fixed(np.repeat(np.array(positions, np.int64), sizes)))


def _joined(records: Sequence[Columns]) -> Columns:
    *texts, stretch, kind, at, position_ms, _ = map(list, zip(*records, strict=True))
    pairs = zip(texts[::2], texts[1::2], strict=True)
    joined = [array for offsets, data in pairs for array in _joined_texts(offsets, data)]
    numbers = [fixed(np.concatenate(arrays)) for arrays in (stretch, kind, at, position_ms)]
    return Columns._make([*joined, *numbers, NO_POSITIONS])


def _joined_texts(offsets: list[Array], data: list[Array]) -> tuple[Array, Array]:
    sizes = np.concatenate([np.zeros(1, np.int32), *map(np.diff, offsets)])
    pieces = [octets[at[0] : at[-1]] for at, octets in zip(offsets, data, strict=True)]
    return fixed(np.cumsum(sizes, dtype=np.int32)), fixed(np.concatenate(pieces))


def _columns(message: pa.ipc.Message) -> Columns:
    try:
        *arrays, id_offsets, id_bytes = _arrays(message)
    except (struct.error, ValueError, IndexError) as error:
        raise UnreadableRecord(str(error)) from error
    columns = Columns._make([*arrays, NO_POSITIONS])
    found = check(columns, id_offsets, id_bytes)
    if found == BEYOND:
        raise UnreadableRecord("a value is out of bounds")
    if found != ASCII_ONLY:
        _batch(message)  # which checks that texts are UTF-8
    return columns


def _arrays(message: pa.ipc.Message) -> list[Array]:
    """The arrays of `Columns`, and those of the ids, as views of a message."""
    header = Table.root(memoryview(message.metadata)).follow(_HEADER)
    if message.type != "record batch" or header.place(_COMPRESSION):
        raise ValueError("no batch, or its columns are compressed once more")
    rows, nodes, buffers = (
        header.number(_LENGTH, "<q"),
        header.pairs(_NODES),
        header.pairs(_BUFFERS),
    )
    if rows < 0 or len(nodes) != len(SCHEMA) or (nodes != (rows, 0)).any():
        raise ValueError("columns of several lengths, or a value is missing")
    if (buffers < 0).any() or (buffers[:, 0] % ALIGNED_BYTES).any():
        raise ValueError("a buffer that is not aligned")
    body, spans = fixed(np.frombuffer(message.body, np.uint8)), buffers.tolist()
    texts = [
        (_offsets(body, spans[at], rows), _values(body, spans[at + 1], "u1", 0)) for at in _TEXTS
    ]
    numbers = [_values(body, spans[at], kind, rows) for at, kind in _NUMBERS]
    return [*chain(*texts[:-1]), *numbers, *texts[-1]]


def _offsets(body: Array, span: Sequence[int], rows: int) -> Array:
    return _values(body, span, "<i4", rows + 1) if rows else fixed(np.zeros(1, np.int32))


def _values(body: Array, span: Sequence[int], kind: str, least: int) -> Array:
    """The *least* values, or as many as there are bytes, of a buffer that is (begin, size)."""
    begin, size = span
    found = body[begin : begin + size].view(kind)
    if len(found) < least:
        raise ValueError("a buffer is too short")
    return found[:least] if least else found


def _batch(message: pa.ipc.Message) -> pa.RecordBatch:
    try:
        batch = pa.ipc.read_record_batch(message, SCHEMA)
        batch.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableRecord(str(error)) from error
    return batch
