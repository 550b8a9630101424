"""Records of a partition, opened and put into groups that are folded in one go."""

import logging
from collections.abc import Sequence

from domain.errors import UnreadableRecord
from domain.payloads import Opened, open_payload
from domain.ports import Record

MOST_ROWS = 50_000  # heartbeats folded in one go

log_ = logging.getLogger(__name__)


def grouped(records: Sequence[Record]) -> list[list[tuple[Record, Opened | None]]]:
    """Open records and put them into groups that are worth a pass; a bad one is in there as None."""
    groups: list[list[tuple[Record, Opened | None]]] = []
    rows = MOST_ROWS
    for record in records:
        opened = _open(record)
        if rows >= MOST_ROWS:
            groups.append([])
            rows = 0
        groups[-1].append((record, opened))
        rows += opened.rows if opened else 0
    return groups


def _open(record: Record) -> Opened | None:
    try:
        return open_payload(record.payload)
    except UnreadableRecord as error:
        left_out(record.offset, error)
        return None


def left_out(offset: int, error: UnreadableRecord) -> None:
    """Say that a record is damaged, and that all goes on without it."""
    log_.error("record at offset %d is left out: %s", offset, error)
