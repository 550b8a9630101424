"""A heartbeat: what a client says about every 30 seconds, and when it is refused."""

from enum import IntEnum

from msgspec import Struct

from domain.ids import CONTEXT_BYTES, is_id, is_listener_id, is_text
from domain.units import DAY_MS, FUTURE_MS

MOST_STRETCH = (1 << 31) - 1
MOST_AT = 253_402_300_799_999  # the last ms of the year 9999
MOST_POSITION_MS = (1 << 53) - 1


class Kind(IntEnum):
    """What a heartbeat says of the instant it carries; the number is what travels in batches."""

    START = 0
    BEAT = 1
    PAUSE = 2
    STOP = 3
    SEEK = 4
    SKIP = 5
    ERASE = 6  # never from a client: everything of the listener goes, now and later


KINDS = {kind.name.lower(): kind for kind in Kind if kind is not Kind.ERASE}
LAST_COUNTED = Kind.STOP  # audio was sounding up to the instant of these; seek and skip never count


class Heartbeat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """One heartbeat, whole. ``play_id`` "" and ``position_ms`` -1 mean that the client did not say."""

    id: str
    listener_id: str
    track_id: str
    kind: Kind
    at: int
    play_id: str = ""
    stretch: int = 0
    position_ms: int = -1
    device_id: str = ""
    context: str = ""


# Why a heartbeat is not taken.
REASONS = INVALID, IN_THE_FUTURE, TOO_OLD = "invalid", "in_the_future", "too_old"


class Refusal(Struct, frozen=True):
    """Why one heartbeat of a request is not taken: the field, the reason's name, and a sentence."""

    field: str
    reason: str
    message: str


def late_or_early(at: int, *, now_ms: int, late_limit_days: int) -> Refusal | None:
    """Refuse an instant too far from *now_ms*; both bounds themselves are taken."""
    if at > now_ms + FUTURE_MS:
        return Refusal("at", IN_THE_FUTURE, "at is more than 2 minutes ahead of our clock")
    if at < now_ms - late_limit_days * DAY_MS:
        return Refusal("at", TOO_OLD, f"at is more than {late_limit_days} days ago")
    return None


def invalid_field(heartbeat: Heartbeat) -> str | None:
    """Name the first field whose value cannot be taken, if there is one."""
    checks = (
        ("id", is_id(heartbeat.id)),
        ("listener_id", is_listener_id(heartbeat.listener_id)),
        ("track_id", is_id(heartbeat.track_id)),
        ("play_id", is_text(heartbeat.play_id, 128)),
        ("stretch", 0 <= heartbeat.stretch <= MOST_STRETCH),
        ("at", 0 <= heartbeat.at <= MOST_AT),
        ("position_ms", -1 <= heartbeat.position_ms <= MOST_POSITION_MS),
        ("device_id", is_text(heartbeat.device_id, 128)),
        ("context", is_text(heartbeat.context, CONTEXT_BYTES)),
    )
    return next((field for field, holds in checks if not holds), None)
