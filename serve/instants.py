"""Instants as text."""

from datetime import UTC, datetime


def iso(at_ms: int) -> str:
    """Write an instant as ISO 8601 in UTC, with milliseconds: ``2026-11-16T14:20:31.000Z``."""
    seconds, milliseconds = divmod(at_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{milliseconds:03}Z"
