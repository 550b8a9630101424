"""A JPEG is known by its markers, and its size by the start of its frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.jpeg import jpeg_size


def jpeg(width: int, height: int, *, before: bytes = b"", frame: int = 0xC0) -> bytes:
    head = b"\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x01\x01\x11\x00"
    size = (len(head) + 2).to_bytes(2, "big")
    return b"\xff\xd8" + before + bytes([0xFF, frame]) + size + head + b"\xff\xda\xff\xd9"


APP0 = b"\xff\xe0\x00\x04ab"


@pytest.mark.parametrize("before", [b"", APP0, APP0 * 3, b"\xff" + APP0, b"\xff\x01" + APP0])
@pytest.mark.parametrize("frame", [0xC0, 0xC2, 0xCF])
def test_its_size_is_found(before: bytes, frame: int) -> None:
    assert jpeg_size(jpeg(640, 480, before=before, frame=frame)) == (640, 480)


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"\xff\xd8\xff\xd9",
        b"\x89PNG\r\n\x1a\n",
        jpeg(0, 480),
        jpeg(640, 480)[:-2],
        jpeg(640, 480)[:9],
        b"\xff\xd8\xff\xda\x00\x02\xff\xd9",
        b"\xff\xd8\xff\xc4\xff\xff\xff\xd9",
    ],
)
def test_what_is_none_has_no_size(image: bytes) -> None:
    assert jpeg_size(image) is None


@given(st.binary().map(lambda drawn: b"\xff\xd8" + drawn + b"\xff\xd9"))
def test_no_bytes_do_harm(image: bytes) -> None:
    size = jpeg_size(image)

    assert size is None or (0 < size.width <= 65_535 and 0 < size.height <= 65_535)
