"""Records of a partition, opened and put into groups that are folded in one go."""

from collections.abc import Callable, Sequence

from domain.errors import UnreadableRecord
from domain.payloads import Opened, open_payload
from domain.ports import Record

MOST_ROWS = 50_000  # heartbeats folded in one go
LeaveOut = Callable[[Record, UnreadableRecord], None]  # what is done with a bad one


def grouped(
    records: Sequence[Record], leave_out: LeaveOut
) -> list[list[tuple[Record, Opened | None]]]:
    """Open records and put them into groups that are worth a pass; a bad one is in there as None."""
    groups: list[list[tuple[Record, Opened | None]]] = []
    rows = MOST_ROWS
    for record in records:
        opened = _open(record, leave_out)
        if rows >= MOST_ROWS:
            groups.append([])
            rows = 0
        groups[-1].append((record, opened))
        rows += opened.rows if opened else 0
    return groups


def _open(record: Record, leave_out: LeaveOut) -> Opened | None:
    try:
        return open_payload(record.payload)
    except UnreadableRecord as error:
        leave_out(record, error)
        return None
