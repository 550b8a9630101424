"""The payload of a record of the log: a batch of heartbeats, packed by column.

    payload  HEAD | frame | packed texts of column 1 | ... of column 6
    frame    zstd of: number 1 | ... | number 4 | texts 1 | ... | texts 6
    number   rows x width bytes, the lowest first, to be added to the column's base
    texts    of a column that is not packed: rows x 2 bytes, the lengths; then the bytes

A column of texts is packed if all have one length and are of many letters (`domain.packing`), as random
ids are. All numbers are little-endian. `domain.columns` reads it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from struct import Struct

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from domain.batches import batch_of, offsets_of
from domain.errors import UnreadableRecord
from domain.heartbeats import Heartbeat, Kind
from domain.ids import CONTEXT_BYTES, ID_BYTES, LISTENER_ID_BYTES
from domain.packing import Octets, can_pack, pack, pack_numbers, packed_bytes

FORMAT = 2
TEXTS = ("listener_id", "track_id", "play_id", "device_id", "context", "id")
IDS = "id"  # of heartbeats: the rule does not look at them
NUMBERS = ("at", "position_ms", "stretch", "kind")
REPEATED = {"track_id"}  # other ids hardly ever stand twice in a record ...
WORTHWHILE = (
    3 / 4
)  # ... and it is compressed if it has fewer different ones than that share of rows
MOST_PLAIN_BYTES = 64 << 20
MOST_ROWS = 1 << 16
MOST_ROW_BYTES = (  # texts, their lengths, and numbers
    LISTENER_ID_BYTES + 4 * ID_BYTES + CONTEXT_BYTES + 2 * len(TEXTS) + 8 * len(NUMBERS)
)

# as `struct` and as kernels see it
HEAD_LAYOUT = Struct("<B6B4Bx3I4q")
HEAD = np.dtype(
    [
        ("format", "u1"),
        ("widths", "u1", (len(TEXTS),)),  # letters of a packed text; 0: not packed
        ("number_widths", "u1", (len(NUMBERS),)),
        ("pad", "u1"),
        ("rows", "<u4"),
        ("plain", "<u4"),  # size of the frame, decompressed
        ("frame", "<u4"),  # and as it stands
        ("bases", "<i8", (len(NUMBERS),)),
    ]
)

_codec = pa.Codec("zstd", compression_level=1)


@dataclass(frozen=True, slots=True)
class _Texts:
    """A column of texts: offsets into bytes, and how long they all are if they can be packed."""

    offsets: npt.NDArray[np.int32]
    octets: memoryview
    lengths: Octets  # as they stand in a frame
    width: int

    @classmethod
    def of(cls, name: str, column: pa.StringArray) -> "_Texts":
        offsets = offsets_of(column)
        octets = memoryview(column.buffers()[2] or b"")[offsets[0] : offsets[-1]]
        lengths = offsets[1:] - offsets[:-1]
        width = int(lengths[0]) if len(lengths) and (lengths == lengths[0]).all() else 0
        if name in REPEATED and pc.count_distinct(column).as_py() < WORTHWHILE * len(column):
            width = 0
        if not (width and can_pack(bytes(octets))):
            width = 0
        return cls(offsets - offsets[0], octets, lengths.astype("<u2"), width)

    def packed(self, begin: int, end: int) -> bytes | None:
        """Some of the texts as a section behind the frame; None if they cannot be packed."""
        if not self.width:
            return None
        return pack(bytes(self.octets[begin * self.width : end * self.width]))

    def plain(self, begin: int, end: int) -> bytes:
        """Some of the texts as they stand in the frame."""
        first, last = self.offsets[begin], self.offsets[end]
        return self.lengths[begin:end].tobytes() + self.octets[first:last]


def encode(batch: pa.RecordBatch) -> bytes:
    """Write a batch as the payload of one log record."""
    return encode_parts(batch, [0, batch.num_rows])[0]


def encode_parts(batch: pa.RecordBatch, bounds: Sequence[int]) -> list[bytes]:
    """Write the rows between each two of the *bounds* as the payload of a record of their own."""
    texts = [_Texts.of(name, batch.column(name)) for name in TEXTS]
    numbers = [pack_numbers(batch.column(name).to_numpy()) for name in NUMBERS]
    return [_payload(texts, numbers, begin, end) for begin, end in pairwise(bounds)]


def _payload(texts: list[_Texts], numbers: list[tuple[int, Octets]], begin: int, end: int) -> bytes:
    packed = [text.packed(begin, end) for text in texts]
    pairs = list(zip(texts, packed, strict=True))
    plain = b"".join(
        [
            *(octets[begin:end].tobytes() for _, octets in numbers if octets.shape[1]),
            *(text.plain(begin, end) for text, section in pairs if section is None),
        ]
    )
    frame: bytes = _codec.compress(plain, asbytes=True)
    head = HEAD_LAYOUT.pack(
        FORMAT,
        *(0 if section is None else text.width for text, section in pairs),
        *(octets.shape[1] for _, octets in numbers),
        end - begin,
        len(plain),
        len(frame),
        *(least for least, _ in numbers),
    )
    return b"".join([head, frame, *(section for section in packed if section is not None)])


def encode_erase(listener_id: str) -> bytes:
    """Write the record with which everything of a listener goes, later heartbeats included."""
    erase = Heartbeat(id="erase", listener_id=listener_id, track_id="-", kind=Kind.ERASE, at=0)
    return encode(batch_of([erase]))


@dataclass(frozen=True, slots=True)
class Opened:
    """A payload whose frame is decompressed; what is in it is not checked yet."""

    head: npt.NDArray[np.void]  # HEAD[1]
    rows: int
    plain: Octets
    packed: Octets  # the packed texts of all columns ...
    packed_at: int  # ... from here on
    text_bytes: list[int]  # what each column of texts has at most


def open_payload(payload: bytes) -> Opened:
    """Take a payload apart.

    :raises UnreadableRecord: if it is not one of ours, is damaged, or claims more than there may be.
    """
    if len(payload) < HEAD_LAYOUT.size or payload[0] != FORMAT:
        raise UnreadableRecord("unknown format")
    _, *fields = HEAD_LAYOUT.unpack_from(payload)
    widths, (rows, size, frame) = fields[:6], fields[10:13]
    if size > min(MOST_PLAIN_BYTES, rows * MOST_ROW_BYTES) or rows > MOST_ROWS:
        raise UnreadableRecord(f"claims {size} bytes and {rows} heartbeats")
    packed_at = HEAD_LAYOUT.size + frame
    if packed_at + sum(packed_bytes(rows * width) for width in widths) != len(payload):
        raise UnreadableRecord("a part is missing, or something is left over")
    try:
        part = memoryview(payload)[HEAD_LAYOUT.size : packed_at]
        plain = _codec.decompress(part, decompressed_size=size)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableRecord(str(error)) from error
    return Opened(
        head=np.frombuffer(payload, HEAD, 1),
        rows=rows,
        plain=np.frombuffer(plain, np.uint8),
        packed=np.frombuffer(payload, np.uint8),
        packed_at=packed_at,
        text_bytes=[rows * width or size for width in widths],
    )
