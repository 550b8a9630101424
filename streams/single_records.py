"""Heartbeats that other producers write, one JSON object a record: judged in bulk.

The usual chunk is right as a whole; one with anything wrong is taken apart record by record. The clock
of a record is its append time: at which instant it is read does not change what becomes of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from domain.heartbeat_items import Admission, Columns, HeartbeatItem, columns_of
from domain.heartbeats import INVALID, Refusal
from domain.json_items import UNREADABLE, are_right, decode_item, judge
from domain.units import DAY_MS, FUTURE_MS

CHUNK = 1_000  # records that one bad one takes out of the fast path
MOST_BYTES = 64 << 10  # of a record

_TOO_LARGE = Refusal("", INVALID, f"a heartbeat must be at most {MOST_BYTES} bytes")


class Single(Protocol):
    """A record of the topic: what `aiokafka.ConsumerRecord` tells of one."""

    @property
    def key(self) -> bytes | None:
        """What it was sent with."""
        ...

    @property
    def value(self) -> bytes | None:
        """The heartbeat."""
        ...

    @property
    def timestamp(self) -> int:
        """When it was appended, in ms since the epoch."""
        ...

    @property
    def partition(self) -> int:
        """The partition that it was appended to."""
        ...

    @property
    def offset(self) -> int:
        """Its place there."""
        ...


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of records: the heartbeats taken, in columns, and the records that were not."""

    rows: Columns
    refused: list[tuple[Single, Refusal]]


def judge_records(records: Sequence[Single], late_limit_days: int) -> Judged:
    """Take the heartbeats of *records*; each of them is taken, or refused with the reason."""
    good: list[HeartbeatItem] = []
    refused: list[tuple[Single, Refusal]] = []
    for start in range(0, len(records), CHUNK):
        chunk = records[start : start + CHUNK]
        items = _read_whole(chunk, late_limit_days)
        if items is not None:
            good += items
            continue
        for record in chunk:
            found = _read_one(record, late_limit_days)
            if isinstance(found, HeartbeatItem):
                good.append(found)
            else:
                refused.append((record, found))
    return Judged(columns_of(good, None), refused)


def _read_whole(records: Sequence[Single], late_limit_days: int) -> list[HeartbeatItem] | None:
    values = [record.value or b"" for record in records]
    if max(map(len, values)) > MOST_BYTES:
        return None
    try:
        items = list(map(decode_item, values))
    except UNREADABLE:
        return None
    ages_ms = np.array([record.timestamp for record in records])
    ages_ms -= np.array([item.at for item in items])
    if ages_ms.min() < -FUTURE_MS or ages_ms.max() > late_limit_days * DAY_MS:
        return None
    anybodys = Admission(None, 0, late_limit_days)
    return items if are_right(items, b"".join(values), anybodys) else None


def _read_one(record: Single, late_limit_days: int) -> HeartbeatItem | Refusal:
    value = record.value or b""
    if len(value) > MOST_BYTES:
        return _TOO_LARGE
    return judge(value, Admission(None, record.timestamp, late_limit_days))
