"""Records of a partition that do not decode: said, and kept where somebody can look at them."""

import logging

from actors.shard_metrics import ShardMetrics
from domain.errors import UnreadableRecord
from domain.ports import DeadLetters, Record
from domain.positions import Generation

log_ = logging.getLogger(__name__)


class LeftOut:
    """Those of one partition; without *letters* only a message says so."""

    def __init__(
        self,
        generation: Generation,
        partition: int,
        letters: DeadLetters | None,
        metrics: ShardMetrics,
    ) -> None:
        self._generation, self._partition = generation, partition
        self._letters, self._metrics = letters, metrics
        self._records: list[tuple[Record, str]] = []

    def note(self, record: Record, error: UnreadableRecord) -> None:
        """Take in a record that all goes on without."""
        at = {"partition": self._partition, "offset": record.offset}
        log_.error("record at offset %d is left out: %s", record.offset, error, extra=at)
        self._metrics.left_out()
        self._records.append((record, str(error)))

    async def put_aside(self) -> None:
        """Keep what was noted, durably; if it raises, the same is kept when it is tried again."""
        if self._records and self._letters:
            await self._letters.put(self._generation, self._partition, self._records)
        self.forget()

    def forget(self) -> None:
        """Begin anew: the records will come again."""
        self._records = []
