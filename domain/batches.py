"""Heartbeats in columns: the Arrow record batch that travels from ingest to the shard.

Every column is without nulls (see `Heartbeat` for what stands for "not said"), so that kernels need
no validity bitmaps. A record of the log is one batch, compressed whole: ``format byte, size of the
plain message (u32), zstd frame of the Arrow IPC message without its schema``.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.errors import UnreadableRecord
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
FORMAT = 1
HEADER_BYTES = 5
MOST_PLAIN_BYTES = 64 << 20

_codec = pa.Codec("zstd", compression_level=3)


def batch_of(heartbeats: Sequence[Heartbeat]) -> pa.RecordBatch:
    """Put *heartbeats* into columns, in their order."""
    columns = [
        pa.array([getattr(beat, field.name) for beat in heartbeats], field.type) for field in SCHEMA
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def heartbeats_of(batch: pa.RecordBatch) -> list[Heartbeat]:
    """Take a batch apart again: what `batch_of` was given."""
    return [Heartbeat(**{**row, "kind": Kind(row["kind"])}) for row in batch.to_pylist()]


def encode(batch: pa.RecordBatch) -> bytes:
    """Write a batch as the payload of one log record."""
    plain = batch.serialize()
    head: bytes = bytes([FORMAT]) + plain.size.to_bytes(4, "little")
    packed: bytes = _codec.compress(plain, asbytes=True)
    return head + packed


def encode_erase(listener_id: str) -> bytes:
    """Write the record with which everything of a listener goes, later heartbeats included."""
    erase = Heartbeat(id="erase", listener_id=listener_id, track_id="-", kind=Kind.ERASE, at=0)
    return encode(batch_of([erase]))


def unpack(payload: bytes) -> pa.ipc.Message:
    """Take a payload apart; what is in the message is not checked (`domain.columns` does).

    Raises
    ------
    UnreadableRecord
        The payload is not one of ours, is damaged, or claims more than 64 MiB.
    """
    if len(payload) < HEADER_BYTES or payload[0] != FORMAT:
        raise UnreadableRecord("unknown format")
    size = int.from_bytes(payload[1:HEADER_BYTES], "little")
    if size > MOST_PLAIN_BYTES:
        raise UnreadableRecord(f"claims {size} bytes")
    try:
        plain = _codec.decompress(memoryview(payload)[HEADER_BYTES:], decompressed_size=size)
        return pa.ipc.read_message(plain)
    except (pa.ArrowException, EOFError, OSError, ValueError) as error:
        raise UnreadableRecord(str(error)) from error


def offsets_of(column: pa.StringArray) -> npt.NDArray[np.int32]:
    """The offsets of a utf8 column's values into its bytes; one more than it has values."""
    if not len(column):
        return np.zeros(1, np.int32)
    offsets = np.frombuffer(column.buffers()[1], np.int32)
    return offsets[column.offset : column.offset + len(column) + 1]
