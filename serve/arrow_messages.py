"""How much an Arrow IPC stream would make of itself, told before anything is decompressed.

Arrow's reader checks every size against the body, except the one that stands in front of a compressed
buffer: there it allocates what is claimed, and only then looks. So the claims are added up first.

Source: Apache Arrow, ``format/Message.fbs`` and ``format/Schema.fbs``; FlatBuffers' internals.
"""

import struct
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

MOST_MESSAGES = 2_048
MOST_PLAIN_BYTES = 64 << 20

# places of fields in their tables
_VERSION, _HEADER, _CUSTOM_METADATA = 0, 2, 4  # of Message
_BUFFERS, _COMPRESSION = 2, 3  # of RecordBatch
_DATA, _IS_DELTA = 1, 2  # of DictionaryBatch
_V5 = 4  # the version of the format since Arrow 1.0
_SIZE = np.dtype("<i8")  # in front of a compressed buffer; -1: it is not compressed after all


class Excessive(ValueError):
    """Raised when a stream says of itself what we do not take."""


def check_messages(stream: pa.Buffer) -> None:
    """Refuse a stream of too many messages, or that would grow beyond 64 MiB.

    :raises Excessive: naming what is too much.
    :raises ValueError, OSError: if it is not an Arrow stream.
    """
    plain_bytes = 0
    for count, message in enumerate(pa.ipc.MessageReader.open_stream(stream)):
        if count >= MOST_MESSAGES:
            raise Excessive(f"more than {MOST_MESSAGES} messages")
        if message.type in {"record batch", "dictionary"}:
            plain_bytes += _claimed_bytes(message)
        if plain_bytes > MOST_PLAIN_BYTES:
            raise Excessive(f"more than {MOST_PLAIN_BYTES} bytes when decompressed")


class _Table(NamedTuple):
    """A FlatBuffers table: its fields are found through the vtable that it points back to."""

    data: memoryview
    at: int

    def place(self, field: int) -> int:
        """Where the field stands; 0 if it is left out."""
        vtable = self.at - _unpack("<i", self.data, self.at)
        slot = 4 + 2 * field
        if slot >= _unpack("<H", self.data, vtable):
            return 0
        offset = _unpack("<H", self.data, vtable + slot)
        return self.at + offset if offset else 0

    def number(self, field: int, layout: str) -> int:
        place = self.place(field)
        return _unpack(layout, self.data, place) if place else 0

    def follow(self, field: int) -> "_Table":
        place = self.place(field)
        return _Table(self.data, place + _unpack("<I", self.data, place))


def _unpack(layout: str, data: memoryview, at: int) -> int:
    if at < 0:
        raise Excessive("a message that points outside of itself")
    (number,) = struct.unpack_from(layout, data, at)
    return int(number)


def _claimed_bytes(message: pa.ipc.Message) -> int:
    data = memoryview(message.metadata)
    try:
        root = _Table(data, _unpack("<I", data, 0))
        if root.number(_VERSION, "<h") < _V5 and root.place(_CUSTOM_METADATA):
            raise Excessive("metadata of an Arrow before 1.0, where it could mean compression")
        batch = root.follow(_HEADER)
        if message.type == "dictionary":
            if batch.number(_IS_DELTA, "<b"):
                raise Excessive("a dictionary that grows (delta); send it whole")
            batch = batch.follow(_DATA)
        if not batch.place(_COMPRESSION):
            return 0
        return _declared(batch.follow(_BUFFERS), np.frombuffer(message.body, np.uint8))
    except struct.error as error:
        raise Excessive("a message that points outside of itself") from error


def _declared(vector: _Table, body: npt.NDArray[Any]) -> int:
    count = _unpack("<I", *vector)
    buffers = np.frombuffer(vector.data, "<i8", 2 * count, vector.at + 4).reshape(-1, 2)
    starts = buffers[buffers[:, 1] > 0, 0]  # of (offset, length) pairs
    if not len(starts):
        return 0
    if starts.min() < 0 or starts.max() > len(body) - _SIZE.itemsize:
        raise Excessive("a buffer outside of its message")
    sizes = body[starts[:, None] + np.arange(_SIZE.itemsize)].view(_SIZE)
    return int(np.clip(sizes, 0, MOST_PLAIN_BYTES + 1).sum())
