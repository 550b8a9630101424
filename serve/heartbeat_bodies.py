"""What a body of ``/v1/heartbeats`` is made of, and what is answered."""

from dataclasses import dataclass
from typing import Annotated

import pyarrow as pa
from msgspec import Meta, Struct

from domain.errors import Refused
from domain.heartbeat_items import Columns, HeartbeatItem

MOST_ITEMS = 1_000


class HeartbeatsDocument(Struct, frozen=True):
    """The body of a request."""

    heartbeats: Annotated[list[HeartbeatItem], Meta(min_length=1, max_length=MOST_ITEMS)]


class Rejected(Struct, frozen=True, gc=False):
    """A heartbeat that was not taken: its place in the request, and what to change.

    ``id`` is null when it is not text, ``field`` when the item is not an object at all.
    """

    index: int
    id: str | None
    field: str | None
    reason: str
    message: str


class Receipt(Struct, frozen=True):
    """The answer to a request: how many heartbeats the log has, and which were not taken."""

    accepted: int
    rejected: list[Rejected]


class BadBody(Refused):
    """Raised when a body is not heartbeats at all, so that no item can be told from another."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason, self.message = reason, message

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a body: the heartbeats taken, in columns, and those that were not."""

    rows: Columns | pa.RecordBatch
    accepted: int
    rejected: list[Rejected]

    @property
    def size_bytes(self) -> int:
        """How much Arrow's columns are, unpacked; 0 for lists, which are about as large as the body."""
        return self.rows.nbytes if isinstance(self.rows, pa.RecordBatch) else 0
