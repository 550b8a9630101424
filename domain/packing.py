"""Columns made small before they are compressed: what a compressor cannot see, or not as fast.

Ids are random letters and digits of one length: six bits of each letter is all that there is to keep,
and they are read without decompressing anything. Numbers of one record are near each other, so that a
few bytes above their minimum tell them.
"""

import binascii
from typing import Any

import numpy as np
import numpy.typing as npt

LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"  # RFC 4648, section 4
PAD = b"="  # no letter, but binascii would take it for the end
GROUP, GROUP_BYTES = 4, 3  # letters, and the bytes that they are packed to
MANY_LETTERS = 32  # what is written with fewer becomes smaller by being compressed
SAMPLE_BYTES = 256
WORD_BYTES = 8

Octets = npt.NDArray[np.uint8]


def packed_bytes(letters: int) -> int:
    """How many bytes that many letters are packed to."""
    return -(-letters // GROUP) * GROUP_BYTES


def can_pack(texts: bytes) -> bool:
    """Whether packing makes *texts* smaller than compressing; their letters may yet forbid it."""
    return len(set(texts[:SAMPLE_BYTES])) > min(MANY_LETTERS, len(texts) // 2) and PAD not in texts


def pack(texts: bytes) -> bytes | None:
    """Pack letters of RFC 4648's alphabet, six bits each; None if there are others in it."""
    try:
        return binascii.a2b_base64(texts + b"A" * (-len(texts) % GROUP), strict_mode=True)
    except binascii.Error:
        return None


def pack_numbers(values: npt.NDArray[Any]) -> tuple[int, Octets]:
    """The least number, and a row of bytes, the lowest first, for what each is above it."""
    if not len(values):
        return 0, np.zeros((0, 0), np.uint8)
    least = int(values.min())
    width = ((int(values.max()) - least).bit_length() + 7) // 8
    above = values.astype("<i8") - least
    return least, above.view(np.uint8).reshape(-1, WORD_BYTES)[:, :width]
