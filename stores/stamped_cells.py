"""The one cell of a stamped row where the database keeps no column beside it: when it is gone, its state."""

from struct import Struct

NEVER_MS = (1 << 63) - 1  # when a row is gone that lives for ever

_HEAD = Struct(">q")
_FOR_EVER, _UNTIL = b"\x00", b"\x01"


def expiry_ms(now_ms: int, ttl_s: int | None) -> int:
    """Tell when a row written now is gone."""
    return NEVER_MS if ttl_s is None else now_ms + ttl_s * 1_000


def sealed(state: bytes, expires_ms: int) -> bytes:
    """Put a state and its end into one cell."""
    if expires_ms == NEVER_MS:
        return _FOR_EVER + state
    return _UNTIL + _HEAD.pack(expires_ms) + state


def opened(cell: bytes) -> tuple[bytes, int]:
    """Take a cell apart: the state, and when it is gone."""
    if cell[:1] == _FOR_EVER:
        return cell[1:], NEVER_MS
    (expires_ms,) = _HEAD.unpack_from(cell, 1)
    return cell[1 + _HEAD.size :], expires_ms
