"""Heartbeats in columns: the Arrow record batch that travels from ingest to the shard.

Every column is without nulls (see `Heartbeat` for what stands for "not said"), so that kernels need
no validity bitmaps. A record of the log is one batch, compressed whole: ``format byte, size of the
plain message (u32), zstd frame of the Arrow IPC message without its schema``.
"""

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.errors import UnreadableRecord
from domain.heartbeats import MOST_AT, MOST_STRETCH, Heartbeat, Kind
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
        batch = pa.ipc.read_record_batch(_message(plain), SCHEMA)
        batch.validate(full=True)
        _check(batch)
    except (pa.ArrowException, EOFError, OSError, ValueError, struct.error) as error:
        raise UnreadableRecord(str(error)) from error
    return batch


def offsets_of(column: pa.StringArray) -> npt.NDArray[np.int32]:
    """The offsets of a utf8 column's values into its bytes; one more than it has values."""
    if not len(column):
        return np.zeros(1, np.int32)
    offsets = np.frombuffer(column.buffers()[1], np.int32)
    return offsets[column.offset : column.offset + len(column) + 1]


def _message(plain: pa.Buffer) -> pa.ipc.Message:
    message = pa.ipc.read_message(plain)
    if _is_packed(memoryview(message.metadata)):
        raise ValueError("its columns are compressed once more")
    return message


def _is_packed(data: memoryview) -> bool:
    """Whether Arrow would unpack the columns, to any size: Message.header.compression is there.

    Source: format/Message.fbs of Apache Arrow.
    """
    message = struct.unpack_from("<I", data)[0]
    at = message + _field(data, message, 2)
    header = at + struct.unpack_from("<I", data, at)[0]
    return _field(data, header, 3) != 0


def _field(data: memoryview, table: int, number: int) -> int:
    """Tell where in a flatbuffer's table a field is; 0: it is left out."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    (size,) = struct.unpack_from("<H", data, vtable)
    slot = 4 + 2 * number
    return int(struct.unpack_from("<H", data, vtable + slot)[0]) if slot < size else 0


def _check(batch: pa.RecordBatch) -> None:
    """Hold a batch to the bounds that kernels rely on."""
    for column in batch.columns:
        if column.null_count:
            raise ValueError("a value is missing")
    for name, most_bytes in MOST_TEXT_BYTES.items():
        if np.diff(offsets_of(batch.column(name))).max(initial=0) > most_bytes:
            raise ValueError(f"{name} is longer than {most_bytes} bytes")
    for name, least, most in (
        ("kind", 0, Kind.ERASE),
        ("stretch", 0, MOST_STRETCH),
        ("at", 0, MOST_AT),
    ):
        values = batch.column(name).to_numpy()
        if values.min(initial=least) < least or values.max(initial=least) > most:
            raise ValueError(f"{name} is out of bounds")
