"""What a body of ``/v1/heartbeats`` is made of, and why a heartbeat in it is refused."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pyarrow as pa
from msgspec import Meta, Struct

from domain.errors import Refused
from domain.heartbeats import KINDS, MOST_AT, MOST_POSITION_MS, MOST_STRETCH, Refusal, late_or_early
from domain.ids import CONTEXT_BYTES, ID_BYTES, LISTENER_ID_BYTES

MOST_ITEMS = 1_000

Id = Annotated[str, Meta(min_length=1, max_length=ID_BYTES)]
Text = Annotated[str, Meta(max_length=ID_BYTES)]


class HeartbeatItem(Struct, frozen=True, kw_only=True, gc=False):
    """One heartbeat as a client writes it; null is as good as missing, unknown names are ignored."""

    id: Id
    listener_id: Annotated[str, Meta(min_length=1, max_length=LISTENER_ID_BYTES)] | None = None
    track_id: Id
    kind: Literal["start", "beat", "pause", "stop", "seek", "skip"]
    at: Annotated[int, Meta(ge=0, le=MOST_AT)]
    play_id: Text | None = None
    stretch: Annotated[int, Meta(ge=0, le=MOST_STRETCH)] | None = None
    position_ms: Annotated[int, Meta(ge=-1, le=MOST_POSITION_MS)] | None = None
    device_id: Text | None = None
    context: Annotated[str, Meta(max_length=CONTEXT_BYTES)] | None = None


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
class Admission:
    """Whose heartbeats a request may carry, and how far their instants may be from now."""

    owner: str | None  # None: any listener's, and each heartbeat says whose
    now_ms: int
    late_limit_days: int

    def refuse(self, at: int) -> Refusal | None:
        """Refuse an instant that is too far from now."""
        return late_or_early(at, now_ms=self.now_ms, late_limit_days=self.late_limit_days)

    def requires(self, field: str) -> bool:
        """Whether a heartbeat cannot do without *field*."""
        return field in REQUIRED or (field == "listener_id" and self.owner is None)


Columns = list[list[Any]]  # a batch before it is Arrow: a list for each field of `SCHEMA`


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


REQUIRED = frozenset({"id", "track_id", "kind", "at"})
_TEXT = "text of {} to {} bytes without control characters"
NEEDS = {  # in the order in which an item's fields are blamed
    "id": _TEXT.format(1, ID_BYTES),
    "listener_id": f"1 to {LISTENER_ID_BYTES} printable ASCII characters without a space",
    "track_id": _TEXT.format(1, ID_BYTES),
    "kind": f"one of {', '.join(KINDS)}",
    "at": "an integer, milliseconds since the epoch",
    "play_id": _TEXT.format(0, ID_BYTES),
    "stretch": f"an integer from 0 to {MOST_STRETCH}",
    "position_ms": f"an integer from 0 to {MOST_POSITION_MS}",
    "device_id": _TEXT.format(0, ID_BYTES),
    "context": _TEXT.format(0, CONTEXT_BYTES),
}


def wrong(field: str) -> Refusal:
    """Refuse a heartbeat for the value of *field*."""
    return Refusal(field, "invalid", f"{field} must be {NEEDS[field]}")


def missing(field: str) -> Refusal:
    """Refuse a heartbeat that lacks *field*."""
    return Refusal(field, "invalid", f"{field} is required")
