"""Just enough of FlatBuffers to read what an Arrow message says of itself.

Source: FlatBuffers' internals, https://flatbuffers.dev/internals.
"""

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Table(NamedTuple):
    """A FlatBuffers table: its fields are found through the vtable that it points back to."""

    data: memoryview
    at: int

    @classmethod
    def root(cls, data: memoryview) -> "Table":
        """The table that a buffer is about."""
        return cls(data, unpack("<I", data, 0))

    def place(self, field: int) -> int:
        """Where the field stands; 0 if it is left out."""
        vtable = self.at - unpack("<i", self.data, self.at)
        slot = 4 + 2 * field
        if slot >= unpack("<H", self.data, vtable):
            return 0
        offset = unpack("<H", self.data, vtable + slot)
        return self.at + offset if offset else 0

    def number(self, field: int, layout: str) -> int:
        """A field's number; 0 if it is left out."""
        place = self.place(field)
        return unpack(layout, self.data, place) if place else 0

    def follow(self, field: int) -> "Table":
        """The table that a field points to."""
        place = self.place(field)
        return Table(self.data, place + unpack("<I", self.data, place))

    def pairs(self, field: int) -> npt.NDArray[np.int64]:
        """A vector of structs of two 64-bit integers, as an array of shape (count, 2)."""
        at = self.follow(field).at
        count = unpack("<I", self.data, at)
        return np.frombuffer(self.data, "<i8", 2 * count, at + 4).reshape(-1, 2)


def unpack(layout: str, data: memoryview, at: int) -> int:
    """Read one number.

    :raises struct.error: if it is outside of the data.
    """
    if at < 0:
        raise struct.error("a message that points outside of itself")
    (number,) = struct.unpack_from(layout, data, at)
    return int(number)
