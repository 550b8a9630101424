"""What has come of one partition: records that its shard has yet to take, and what is not acknowledged.

Records are kept in one piece without holes, the newest of them, up to a number of bytes. What the shard
wants and is not among them is read from the log, so a record that is dropped here costs one more read.
"""

from collections import deque
from collections.abc import Callable

from domain.ports import Record

MOST_KEPT_BYTES = 2 << 20

Acknowledge = Callable[[], object]


class Arrivals:
    """One partition, as long as one consumer has it."""

    def __init__(self, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._records: deque[Record] = deque()
        self._open: deque[tuple[int, Acknowledge]] = deque()
        self.end: int | None = None  # nothing before it is yet to come

    @property
    def unacknowledged(self) -> int:
        """How many records came and are not acknowledged."""
        return len(self._open)

    def begin(self, offset: int) -> None:
        """Note that nothing before *offset* will come."""
        if self.end is None:
            self.end = offset

    def add(self, record: Record, acknowledge: Acknowledge) -> None:
        """Keep a record that came; one that does not follow the last begins anew."""
        if record.offset != self.end:
            self._records.clear()
            self._bytes = 0
        while self._open and self._open[-1][0] >= record.offset:
            self._open.pop()
        self._open.append((record.offset, acknowledge))
        self._records.append(record)
        self._bytes += len(record.payload)
        self.end = record.offset + 1
        while self._bytes > self._most_bytes:
            self._drop_first()

    def take(self, wanted: int, most_bytes: int) -> list[Record]:
        """Take out the records from *wanted* on, at least one if it is here, then up to *most_bytes*."""
        while self._records and self._records[0].offset < wanted:
            self._drop_first()
        taken: list[Record] = []
        while self._records and self._records[0].offset == wanted + len(taken):
            most_bytes -= len(self._records[0].payload)
            if taken and most_bytes < 0:
                break
            taken.append(self._drop_first())
        return taken

    def lacks(self, wanted: int) -> bool:
        """Whether *wanted* will not come any more, and has to be read from the log."""
        here = bool(self._records) and self._records[0].offset <= wanted
        return self.end is not None and wanted < self.end and not here

    def acknowledge(self, durable: int) -> None:
        """Acknowledge what came of the records before *durable*, in the order of their offsets."""
        while self._open and self._open[0][0] < durable:
            _, acknowledge = self._open.popleft()
            acknowledge()

    def _drop_first(self) -> Record:
        first = self._records.popleft()
        self._bytes -= len(first.payload)
        return first
