"""The log in lists: a fake small enough to be read, with a clock that the test turns."""

import asyncio
import copy
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from domain.batches import batch_of
from domain.hashing import partition_of
from domain.heartbeats import Heartbeat
from domain.payloads import encode
from domain.ports import Record
from domain.positions import Generation, check_partitions

Part = tuple[int, int]  # a generation's number, a partition's


@dataclass(slots=True)
class Marks:
    """What all instances of a log know beside its records."""

    told_ms: int = 0
    trimmed_ms: int = 0
    appends: int = 0
    waiting: list[asyncio.Future[None]] = field(default_factory=list)


class MemoryLog:
    """A `domain.ports.Log` of one process; every record that there ever was is in *records*."""

    def __init__(self, clock: Callable[[], int], partitions: int = 2) -> None:
        self._clock = clock
        self._generations = [Generation(0, partitions)]
        self._kept_from: dict[Part, int] = defaultdict(int)
        self._marks, self._seen = Marks(), 0
        self.records: dict[Part, list[Record]] = defaultdict(list)
        self.commits: dict[tuple[str, int, int], int] = defaultdict(int)

    def another(self) -> "MemoryLog":
        """Open the same log once more, as another process does."""
        return copy.copy(self)

    async def generation(self) -> Generation:
        return self._generations[-1]

    async def generations(self) -> list[Generation]:
        return list(self._generations)

    async def begin_generation(self, partitions: int) -> Generation:
        check_partitions(partitions)
        self._generations.append(Generation(len(self._generations), partitions))
        return self._generations[-1]

    async def append(self, records: Sequence[tuple[int, bytes]]) -> list[int]:
        newest, offsets = self._generations[-1], []
        for partition, _ in records:
            _check(newest, partition)
        at_ms = await self.now_ms()
        for partition, payload in records:
            held = self.records[newest.number, partition]
            held.append(Record(len(held), at_ms, payload))
            offsets.append(held[-1].offset)
        if records:
            self._tell_waiting()
        return offsets

    async def read(
        self, generation: Generation, partition: int, offset: int, *, most_bytes: int
    ) -> list[Record]:
        part = generation.number, partition
        found: list[Record] = []
        size = 0
        for record in self.records[part][max(offset, self._kept_from[part]) :]:
            size += len(record.payload)
            if found and size > most_bytes:
                break
            found.append(record)
        return found

    async def ends(self, generation: Generation) -> list[int]:
        return [len(self.records[generation.number, p]) for p in range(generation.partitions)]

    async def now_ms(self) -> int:
        self._marks.told_ms = max(self._marks.told_ms, self._clock())
        return self._marks.told_ms

    async def wait(self, timeout_s: float) -> None:
        if self._seen == self._marks.appends:
            waiting = asyncio.get_running_loop().create_future()
            self._marks.waiting.append(waiting)
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await waiting
        self._seen = self._marks.appends

    async def commit(self, group: str, generation: Generation, offsets: Mapping[int, int]) -> None:
        for partition in offsets:
            _check(generation, partition)
        for partition, offset in offsets.items():
            key = group, generation.number, partition
            self.commits[key] = max(self.commits[key], offset)

    async def committed(self, group: str, generation: Generation) -> list[int]:
        return [self.commits[group, generation.number, p] for p in range(generation.partitions)]

    async def trim(self, *, before_ms: int, keep_bytes: int) -> int:
        parts = sorted(part for part, records in self.records.items() if records)
        kept = [record for part in parts for record in self.records[part][self._kept_from[part] :]]
        size, removed = sum(len(record.payload) for record in kept), 0
        for appended_ms, part, record in sorted(
            self._read_by_all(parts), key=lambda each: each[:2]
        ):
            if appended_ms >= before_ms and size <= keep_bytes:
                break
            self._kept_from[part] = record.offset + 1
            self._marks.trimmed_ms = max(self._marks.trimmed_ms, appended_ms)
            size, removed = size - len(record.payload), removed + 1
        return removed

    async def trimmed_ms(self) -> int:
        return self._marks.trimmed_ms

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def put(self, beats: Sequence[Heartbeat]) -> None:
        """Append heartbeats of one listener, as ingest does."""
        partition = partition_of(beats[0].listener_id, self._generations[-1].partitions)
        await self.append([(partition, encode(batch_of(beats)))])

    def _read_by_all(self, parts: Sequence[Part]) -> Iterator[tuple[int, Part, Record]]:
        groups = {group for group, _, _ in self.commits}
        for part in parts:
            done = min((self.commits.get((group, *part), 0) for group in groups), default=0)
            for record in self.records[part][self._kept_from[part] : done]:
                yield record.appended_ms, part, record

    def _tell_waiting(self) -> None:
        self._marks.appends += 1
        for waiting in self._marks.waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._marks.waiting.clear()


def _check(generation: Generation, partition: int) -> None:
    if not 0 <= partition < generation.partitions:
        raise ValueError(f"generation {generation.number} has no partition {partition}")
