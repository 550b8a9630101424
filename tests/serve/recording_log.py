"""A log that keeps what was appended to it, and misbehaves as it is told."""

import asyncio
from collections.abc import Sequence

from domain.batches import heartbeats_of
from domain.columns import decode
from domain.hashing import partition_of
from domain.heartbeats import Heartbeat
from domain.positions import Generation


class RecordingLog:
    """The end of a log, in memory. *failures*: what the next appends raise, if anything."""

    def __init__(self, partitions: int = 4) -> None:
        self.appends: list[list[tuple[int, bytes]]] = []
        self.failures: list[Exception] = []
        self.open = asyncio.Event()  # an append hangs while it is not set
        self.open.set()
        self.asked = asyncio.Event()
        self._generation = Generation(0, partitions)

    def heartbeats(self) -> list[Heartbeat]:
        """What was appended, checked to be in the right partition, in the order of appending."""
        found = []
        for partition, payload in (record for records in self.appends for record in records):
            for beat in heartbeats_of(decode(payload)):
                assert partition_of(beat.listener_id, self._generation.partitions) == partition
                found.append(beat)
        return found

    async def generation(self) -> Generation:
        return self._generation

    async def begin_generation(self, partitions: int) -> Generation:
        self._generation = Generation(self._generation.number + 1, partitions)
        return self._generation

    async def append(self, records: Sequence[tuple[int, bytes]]) -> list[int]:
        self.asked.set()
        await self.open.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.appends.append(list(records))
        return [len(self.appends)] * len(records)
