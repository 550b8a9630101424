"""Records of the catalogue's log: batches of changes.

payload  FORMAT | size of the rest, decompressed | zstd of MessagePack: a list of changes
"""

import struct
from collections.abc import Iterator, Sequence

import msgspec
import pyarrow as pa
from msgspec import MsgspecError

from domain.catalogue import Album, Change, Removed, Track
from domain.errors import UnreadableRecord
from domain.ids import is_id

FORMAT = 1
RECORD_CHANGES = 1_000
MOST_BYTES = 1 << 20  # decompressed
MOST_NUMBER = (1 << 31) - 1
HEAD = struct.Struct("<BI")

_codec = pa.Codec("zstd", compression_level=1)
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Change])


def records_of(changes: Sequence[Change]) -> Iterator[bytes]:
    """Write changes, in their order, as payloads of records.

    :raises ValueError: the catalogue cannot hold one of them.
    """
    for change in changes:
        if not can_hold(change):
            raise ValueError(f"the catalogue cannot hold {str(change)[:200]}")
    for begin in range(0, len(changes), RECORD_CHANGES):
        yield from _halved(changes[begin : begin + RECORD_CHANGES])


def decode(payload: bytes) -> list[Change]:
    """Read what `records_of` wrote.

    :raises UnreadableRecord: it is damaged, or something else.
    """
    try:
        form, size = HEAD.unpack_from(payload)
        if form != FORMAT or size > MOST_BYTES:
            raise UnreadableRecord("no record of the catalogue's log")
        plain = _codec.decompress(memoryview(payload)[HEAD.size :], size, asbytes=True)
        changes = _decoder.decode(plain)
    except (struct.error, OSError, ValueError, MsgspecError, RecursionError) as error:
        raise UnreadableRecord(str(error)) from error
    if not all(map(can_hold, changes)):
        raise UnreadableRecord("a change that the catalogue cannot hold")
    return changes


def can_hold(change: Change) -> bool:
    """Whether rows can be made of *change*; whether it is right is judged before it comes here."""
    ids, numbers = [change.id], list[int]()
    if not isinstance(change, Removed):
        numbers.append(change.popularity)
    if isinstance(change, Album | Track):
        ids += change.artists
    if isinstance(change, Track):
        ids += filter(None, [change.album])
        numbers += [change.duration_ms, change.disc_number, change.track_number]
    return all(map(is_id, ids)) and all(0 <= number <= MOST_NUMBER for number in numbers)


def _halved(changes: Sequence[Change]) -> Iterator[bytes]:
    plain = _encoder.encode(changes)
    if len(plain) <= MOST_BYTES:
        yield HEAD.pack(FORMAT, len(plain)) + _codec.compress(plain, asbytes=True)
        return
    if len(changes) == 1:
        raise ValueError(f"the catalogue cannot hold {len(plain)} bytes of {changes[0].id!r}")
    middle = len(changes) // 2
    yield from _halved(changes[:middle])
    yield from _halved(changes[middle:])
