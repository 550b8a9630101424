"""Whether bytes are a JPEG image, and how large a one (ITU-T T.81, annex B)."""

from typing import NamedTuple

START, END = b"\xff\xd8", b"\xff\xd9"
MARKER = 0xFF
# Start of frame, of any process; DHT, JPG and DAC lie between them.
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers that no length follows
SCAN = 0xDA


class Size(NamedTuple):
    """Width and height, in pixels."""

    width: int
    height: int


def jpeg_size(image: bytes) -> Size | None:
    """Tell how large an image is; None if it is no JPEG."""
    if not image.startswith(START) or not image.rstrip(b"\x00").endswith(END):
        return None
    at = len(START)
    while at + 4 <= len(image) and image[at] == MARKER:
        kind = image[at + 1]
        if kind == MARKER:  # filling
            at += 1
        elif kind in ALONE:
            at += 2
        elif kind in FRAMES:
            return _frame(image[at + 4 : at + 9])
        elif kind == SCAN:
            return None
        else:
            at += 2 + int.from_bytes(image[at + 2 : at + 4], "big")
    return None


def _frame(head: bytes) -> Size | None:
    size = Size(int.from_bytes(head[3:5], "big"), int.from_bytes(head[1:3], "big"))
    return size if len(head) == 5 and all(size) else None
