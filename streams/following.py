"""One partition of the log on its way from Kafka to its shard, as long as a consumer has it."""

import asyncio
from dataclasses import dataclass

from domain.ports import Log, Record
from domain.positions import Generation
from streams.arrivals import Acknowledge, Arrivals
from streams.tailer import GATHER_S, MOST_BYTES, Shard


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a partition ended at a time of the log's clock."""

    end: int
    at_ms: int


class Following:
    """Hands over what arrives, the next after the last was taken; reads from the log what did not."""

    def __init__(
        self, log: Log, generation: Generation, partition: int, shard: Shard, *, group: str
    ) -> None:
        self._log, self._generation, self._partition = log, generation, partition
        self._shard, self._group = shard, group
        self._news, self._seen = asyncio.Event(), Seen(-1, 0)
        self.arrivals = Arrivals()

    def arrive(self, record: Record, acknowledge: Acknowledge) -> None:
        """Take a record that came."""
        self.arrivals.add(record, acknowledge)
        self._news.set()

    def see(self, seen: Seen) -> None:
        """Take in where the partition ends: nothing tells when nothing comes."""
        self._seen = seen
        self._news.set()

    def is_behind(self, end: int) -> bool:
        """Whether records before *end* have yet to come."""
        return self.arrivals.end is not None and self.arrivals.end < end

    async def hand_over(self) -> None:
        """Hand over until cancelled."""
        wanted = await self._shard.open(self._partition)
        committed = await self._log.committed(self._group, self._generation)
        self.arrivals.begin(committed[self._partition])
        while True:
            self._news.clear()
            if records := await self._next(wanted):
                wanted = await self._shard.apply(self._partition, wanted, records)
                if sum(len(record.payload) for record in records) < MOST_BYTES // 2:
                    await asyncio.sleep(GATHER_S)
            elif self._seen.end == wanted:
                seen, self._seen = self._seen, Seen(-1, 0)
                wanted = await self._shard.caught_up(self._partition, wanted, seen.at_ms)
            else:
                await self._news.wait()

    async def _next(self, wanted: int) -> list[Record]:
        if self.arrivals.lacks(wanted):
            return await self._log.read(
                self._generation, self._partition, wanted, most_bytes=MOST_BYTES
            )
        return self.arrivals.take(wanted, MOST_BYTES)
