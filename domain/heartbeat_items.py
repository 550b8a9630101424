"""A heartbeat as a client or another producer writes it, and why it is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from domain.heartbeats import (
    INVALID,
    KINDS,
    MOST_AT,
    MOST_POSITION_MS,
    MOST_STRETCH,
    Refusal,
    late_or_early,
)
from domain.ids import CONTEXT_BYTES, ID_BYTES, LISTENER_ID_BYTES

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
    return Refusal(field, INVALID, f"{field} must be {NEEDS[field]}")


def missing(field: str) -> Refusal:
    """Refuse a heartbeat that lacks *field*."""
    return Refusal(field, INVALID, f"{field} is required")


_KIND_NUMBERS = {name: int(kind) for name, kind in KINDS.items()}


def columns_of(items: Sequence[HeartbeatItem], owner: str | None) -> Columns:
    """Put items into columns; *owner* is whose they are if they do not say it."""
    return [
        [item.listener_id for item in items] if owner is None else [owner] * len(items),
        [item.track_id for item in items],
        [item.play_id or "" for item in items],
        [item.stretch or 0 for item in items],
        [_KIND_NUMBERS[item.kind] for item in items],
        [item.at for item in items],
        [-1 if item.position_ms is None else item.position_ms for item in items],
        [item.device_id or "" for item in items],
        [item.context or "" for item in items],
        [item.id for item in items],
    ]
