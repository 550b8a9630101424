"""Identifiers: what they are made of, and how ours are made."""

import re
from typing import NewType

ListenerId = NewType("ListenerId", str)
TrackId = NewType("TrackId", str)
PlayId = NewType("PlayId", str)

LISTENER_ID_BYTES = 40  # the fold keeps ids in place; a UUID with hyphens has 36
ID_BYTES = 128
CONTEXT_BYTES = 256

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BASE62_LENGTH = 22  # 128 bits

_LISTENER = re.compile(r"[\x21-\x7e]{1,40}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def base62(entropy: bytes) -> str:
    """Write 16 bytes as 22 letters and digits; no hyphens, as client libraries expect."""
    number, digits = int.from_bytes(entropy, "big"), []
    for _ in range(BASE62_LENGTH):
        number, digit = divmod(number, 62)
        digits.append(BASE62[digit])
    return "".join(reversed(digits))


def is_listener_id(text: str) -> bool:
    """Whether *text* is 1 to 40 printable ASCII characters without a space."""
    return _LISTENER.fullmatch(text) is not None


def is_text(text: str, most_bytes: int) -> bool:
    """Whether *text* has no control characters or lone surrogates, and fits *most_bytes* of UTF-8."""
    if len(text) > most_bytes or _CONTROL.search(text):
        return False
    return len(text.encode()) <= most_bytes


def is_id(text: str) -> bool:
    """Whether *text* can name a heartbeat, a track, a play or a device."""
    return bool(text) and is_text(text, ID_BYTES)
