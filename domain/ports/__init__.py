"""What the layers above need of the outside, named by the need. Adapters are in `stores`."""

from domain.ports.dead_letters import DeadLetters
from domain.ports.log import Log, Record
from domain.ports.presence import (
    ERASED_AT,
    Announcement,
    NowPlaying,
    Presence,
    PresenceBoard,
    PresenceChange,
)
from domain.ports.tables import Column, Key, Row, Slice, StampedRow, Table, Tables, Value

__all__ = [
    "ERASED_AT",
    "Announcement",
    "Column",
    "DeadLetters",
    "Key",
    "Log",
    "NowPlaying",
    "Presence",
    "PresenceBoard",
    "PresenceChange",
    "Record",
    "Row",
    "Slice",
    "StampedRow",
    "Table",
    "Tables",
    "Value",
]
