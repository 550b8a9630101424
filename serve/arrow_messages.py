"""How much an Arrow IPC stream would make of itself, told before anything is decompressed.

Arrow's reader checks every size against the body, except the one that stands in front of a compressed
buffer: there it allocates what is claimed, and only then looks. So the claims are added up first.

Source: Apache Arrow, ``format/Message.fbs`` and ``format/Schema.fbs``; FlatBuffers' internals.
"""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from serve.flatbuffers import Table

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


def _claimed_bytes(message: pa.ipc.Message) -> int:
    data = memoryview(message.metadata)
    try:
        root = Table.root(data)
        if root.number(_VERSION, "<h") < _V5 and root.place(_CUSTOM_METADATA):
            raise Excessive("metadata of an Arrow before 1.0, where it could mean compression")
        batch = root.follow(_HEADER)
        if message.type == "dictionary":
            if batch.number(_IS_DELTA, "<b"):
                raise Excessive("a dictionary that grows (delta); send it whole")
            batch = batch.follow(_DATA)
        if not batch.place(_COMPRESSION):
            return 0
        return _declared(batch.pairs(_BUFFERS), np.frombuffer(message.body, np.uint8))
    except struct.error as error:
        raise Excessive("a message that points outside of itself") from error


def _declared(buffers: npt.NDArray[np.int64], body: npt.NDArray[Any]) -> int:
    starts = buffers[buffers[:, 1] > 0, 0]  # of (offset, length) pairs
    if not len(starts):
        return 0
    if starts.min() < 0 or starts.max() > len(body) - _SIZE.itemsize:
        raise Excessive("a buffer outside of its message")
    sizes = body[starts[:, None] + np.arange(_SIZE.itemsize)].view(_SIZE)
    return int(np.clip(sizes, 0, MOST_PLAIN_BYTES + 1).sum())
