"""What a body of ``/v1/heartbeats`` is made of, and what became of it."""

from dataclasses import dataclass
from typing import Annotated

import pyarrow as pa
from msgspec import Meta, Struct

from domain.heartbeat_items import Columns, HeartbeatItem
from serve.receipts import Rejected

MOST_ITEMS = 1_000


class HeartbeatsDocument(Struct, frozen=True):
    """The body of a request."""

    heartbeats: Annotated[list[HeartbeatItem], Meta(min_length=1, max_length=MOST_ITEMS)]


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
