"""Arrow batches as the kernels see them: the same memory, as numpy arrays."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from domain.batches import SCHEMA, offsets_of
from domain.kernels.state import Array, Columns

TEXTS = ("listener_id", "track_id", "play_id", "device_id", "context")
NO_BYTES = np.zeros(0, np.uint8)
NO_BYTES.flags.writeable = False


def strings(column: pa.StringArray) -> tuple[Array, Array]:
    """Offsets and bytes of a utf8 column."""
    buffer = column.buffers()[2]
    data = NO_BYTES if buffer is None else np.frombuffer(buffer, np.uint8)
    return fixed(offsets_of(column)), fixed(data)


def fixed(array: Array) -> Array:
    """One signature for the compiler: numba tells read-only arrays from others."""
    array.flags.writeable = False
    return array


def _numbers(column: pa.Array, dtype: str) -> Array:
    return fixed(
        np.frombuffer(column.buffers()[1], dtype)[column.offset : column.offset + len(column)]
    )


def columns_of(batches: Sequence[pa.RecordBatch], positions: Sequence[int]) -> Columns:
    """Lay out the batches of some records, each at its position in the log, for the kernels."""
    rows = np.repeat(np.array(positions, np.int64), [batch.num_rows for batch in batches])
    whole = batches[0]
    if len(batches) > 1:
        whole = pa.Table.from_batches(batches, SCHEMA).combine_chunks().to_batches()[0]
    texts = (array for name in TEXTS for array in strings(whole.column(name)))
    arrays: list[Array] = [*texts, *_counted(whole), fixed(rows)]
    return Columns._make(arrays)


def _counted(batch: pa.RecordBatch) -> tuple[Array, ...]:
    columns = (("stretch", "<i4"), ("kind", "i1"), ("at", "<i8"), ("position_ms", "<i8"))
    return tuple(_numbers(batch.column(name), dtype) for name, dtype in columns)
