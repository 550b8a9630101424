"""Heartbeats in columns: the Arrow record batch that travels from ingest to the shard.

Every column is without nulls (see `Heartbeat` for what stands for "not said"), so that kernels need
no validity bitmaps. A record of the log is one batch, compressed whole: ``format byte, size of the
plain message (u32), zstd frame of the Arrow IPC message without its schema``.
"""

from collections.abc import Sequence

import pyarrow as pa

from domain.errors import UnreadableRecord
from domain.heartbeats import Heartbeat, Kind

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
    head = bytes([FORMAT]) + plain.size.to_bytes(4, "little")
    return head + bytes(_codec.compress(plain, asbytes=True))


def encode_erase(listener_id: str) -> bytes:
    """Write the record with which everything of a listener goes, later heartbeats included."""
    erase = Heartbeat(id="erase", listener_id=listener_id, track_id="-", kind=Kind.ERASE, at=0)
    return encode(batch_of([erase]))


def decode(payload: bytes) -> pa.RecordBatch:
    """Read what `encode` wrote.

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
        batch = pa.ipc.read_record_batch(plain, SCHEMA)
        batch.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableRecord(str(error)) from error
    return batch
