"""The log in a list: a fake small enough to be read, with a clock that the test turns."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence

from domain.batches import batch_of, encode
from domain.hashing import partition_of
from domain.heartbeats import Heartbeat
from domain.ports import Record
from domain.positions import Generation
from tests.clock import Clock


class MemoryLog:
    """A `domain.ports.Log` of one process."""

    def __init__(self, clock: Clock, partitions: int = 2) -> None:
        self._clock = clock
        self._generations = [Generation(0, partitions)]
        self.records: dict[tuple[int, int], list[Record]] = defaultdict(list)
        self.commits: dict[tuple[str, int, int], int] = defaultdict(int)

    async def generation(self) -> Generation:
        return self._generations[-1]

    async def generations(self) -> list[Generation]:
        return list(self._generations)

    async def begin_generation(self, partitions: int) -> Generation:
        self._generations.append(Generation(len(self._generations), partitions))
        return self._generations[-1]

    async def append(self, records: Sequence[tuple[int, bytes]]) -> list[int]:
        number, offsets = self._generations[-1].number, []
        for partition, payload in records:
            held = self.records[number, partition]
            held.append(Record(len(held), self._clock(), payload))
            offsets.append(held[-1].offset)
        return offsets

    async def read(
        self, generation: Generation, partition: int, offset: int, *, most_bytes: int
    ) -> list[Record]:
        found: list[Record] = []
        size = 0
        for record in self.records[generation.number, partition][offset:]:
            size += len(record.payload)
            if found and size > most_bytes:
                break
            found.append(record)
        return found

    async def ends(self, generation: Generation) -> list[int]:
        return [len(self.records[generation.number, p]) for p in range(generation.partitions)]

    async def now_ms(self) -> int:
        return self._clock()

    async def wait(self, timeout_s: float) -> None:
        """Let others run: who waits here may be waiting for them to append."""
        await asyncio.sleep(0)

    async def commit(self, group: str, generation: Generation, offsets: Mapping[int, int]) -> None:
        for partition, offset in offsets.items():
            key = group, generation.number, partition
            self.commits[key] = max(self.commits[key], offset)

    async def committed(self, group: str, generation: Generation) -> list[int]:
        return [self.commits[group, generation.number, p] for p in range(generation.partitions)]

    async def trim(self, *, before_ms: int, keep_bytes: int) -> int:
        return 0

    async def trimmed_ms(self) -> int:
        return 0

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def put(self, beats: Sequence[Heartbeat]) -> None:
        """Append heartbeats of one listener, as ingest does."""
        partition = partition_of(beats[0].listener_id, self._generations[-1].partitions)
        await self.append([(partition, encode(batch_of(beats)))])
