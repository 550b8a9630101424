"""Heartbeats in columns: the Arrow record batch that travels from ingest to the log's records.

Every column is without nulls: see `Heartbeat` for what stands for "not said".
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.heartbeats import Heartbeat, Kind
from domain.ids import CONTEXT_BYTES, ID_BYTES, LISTENER_ID_BYTES

SCHEMA = pa.schema(
    [
        pa.field("listener_id", pa.utf8(), nullable=False),
        pa.field("track_id", pa.utf8(), nullable=False),
        pa.field("play_id", pa.utf8(), nullable=False),
        pa.field("stretch", pa.int32(), nullable=False),
        pa.field("kind", pa.int8(), nullable=False),
        pa.field("at", pa.int64(), nullable=False),
        pa.field("position_ms", pa.int64(), nullable=False),
        pa.field("device_id", pa.utf8(), nullable=False),
        pa.field("context", pa.utf8(), nullable=False),
        pa.field("id", pa.utf8(), nullable=False),
    ]
)
MOST_TEXT_BYTES = {
    "listener_id": LISTENER_ID_BYTES,
    "track_id": ID_BYTES,
    "play_id": ID_BYTES,
    "device_id": ID_BYTES,
    "context": CONTEXT_BYTES,
    "id": ID_BYTES,
}


def batch_of(heartbeats: Sequence[Heartbeat]) -> pa.RecordBatch:
    """Put *heartbeats* into columns, in their order."""
    columns = [
        pa.array([getattr(beat, field.name) for beat in heartbeats], field.type) for field in SCHEMA
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def heartbeats_of(batch: pa.RecordBatch) -> list[Heartbeat]:
    """Take a batch apart again: what `batch_of` was given."""
    return [Heartbeat(**{**row, "kind": Kind(row["kind"])}) for row in batch.to_pylist()]


def offsets_of(column: pa.StringArray) -> npt.NDArray[np.int32]:
    """The offsets of a utf8 column's values into its bytes; one more than it has values."""
    if not len(column):
        return np.zeros(1, np.int32)
    offsets = np.frombuffer(column.buffers()[1], np.int32)
    return offsets[column.offset : column.offset + len(column) + 1]
