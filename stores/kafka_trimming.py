"""Deleting the oldest records of a log on Kafka that every group has read.

Kafka could do so itself, but knows nothing of groups that lag. What it cannot tell is how large a
partition's records are: deleted ones stay in its files for a while. So the size of a record is taken
from a sample, and a number of bytes to keep becomes a time from which on records are kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from stores.kafka_brokers import EARLIEST, LATEST, Brokers

LATEST_TIME_MS = 1 << 43  # beyond every append time for two centuries
NOTHING = (0, "0")

Noted = tuple[int, str]  # what a group has committed of a partition: an offset, and a word with it


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one topic holds of each partition: from which offset, to before which, in bytes a record."""

    topic: str
    firsts: Sequence[int]
    ends: Sequence[int]
    record_bytes: Sequence[float]

    @property
    def size_bytes(self) -> float:
        """About how large all of it is."""
        return self.bytes_from(self.firsts)

    def bytes_from(self, offsets: Sequence[int]) -> float:
        """Tell about how large the records from *offsets* on are."""
        counts = (end - offset for end, offset in zip(self.ends, offsets, strict=True))
        return sum(count * size for count, size in zip(counts, self.record_bytes, strict=True))


class Trimming:
    """Trims the topics of one log, whose *name* the group is called by that notes what was trimmed."""

    def __init__(self, brokers: Brokers, name: str) -> None:
        self._brokers, self._name, self._group = brokers, name, f"{name}.trimmed"

    async def trim(self, topics: Mapping[str, int], *, before_ms: int, keep_bytes: int) -> int:
        """Trim *topics*, given with their numbers of partitions; tells how many records went."""
        readers = await self._readers(topics)
        if not readers:
            return 0
        held = [await self._stretch(topic, count) for topic, count in topics.items()]
        if sum(stretch.size_bytes for stretch in held) > keep_bytes:
            before_ms = max(before_ms, await self._time_that_leaves(held, keep_bytes))
        removed = 0
        for stretch in held:
            cuts = {}
            for part, until in enumerate(await self._from(stretch, before_ms)):
                read = min(noted.get((stretch.topic, part), NOTHING)[0] for noted in readers)
                if min(until, read) > stretch.firsts[part]:
                    cuts[part] = min(until, read)
            await self._note(stretch.topic, cuts)
            await self._brokers.delete_before(stretch.topic, cuts)
            removed += sum(cut - stretch.firsts[part] for part, cut in cuts.items())
        return removed

    async def trimmed_ms(self) -> int:
        """Tell the append time of the newest record that was trimmed; 0 if none was."""
        noted = await self._brokers.committed(self._group)
        return int(noted.get((self._name, 0), NOTHING)[1])

    async def _readers(self, topics: Mapping[str, int]) -> list[dict[tuple[str, int], Noted]]:
        groups = [name for name in await self._brokers.groups() if name != self._group]
        noted = [await self._brokers.committed(group) for group in groups]
        return [each for each in noted if any(topic in topics for topic, _ in each)]

    async def _stretch(self, topic: str, partitions: int) -> Stretch:
        firsts, ends = [
            await self._offsets(topic, partitions, time_ms) for time_ms in (EARLIEST, LATEST)
        ]
        middles = [(first + end) // 2 for first, end in zip(firsts, ends, strict=True)]
        sampled = [await self._brokers.fetch(topic, *each, 1) for each in enumerate(middles)]
        sizes = [fmean([len(each.payload) for each in one.records] or [0]) for one in sampled]
        return Stretch(topic, firsts, ends, sizes)

    async def _time_that_leaves(self, held: Sequence[Stretch], keep_bytes: int) -> int:
        """Find the earliest time from which on there are at most *keep_bytes*."""
        too_early, late_enough = 0, LATEST_TIME_MS
        while late_enough - too_early > 1:
            tried = (too_early + late_enough) // 2
            left = [stretch.bytes_from(await self._from(stretch, tried)) for stretch in held]
            if sum(left) <= keep_bytes:
                late_enough = tried
            else:
                too_early = tried
        return late_enough

    async def _from(self, stretch: Stretch, time_ms: int) -> list[int]:
        """Tell the first offset of each partition from a time on; its end where there is none."""
        found = await self._offsets(stretch.topic, len(stretch.ends), max(time_ms, 0))
        return [end if first < 0 else first for first, end in zip(found, stretch.ends, strict=True)]

    async def _offsets(self, topic: str, partitions: int, time_ms: int) -> list[int]:
        times = dict.fromkeys(range(partitions), time_ms)
        found = await self._brokers.offsets(topic, times)
        return [found[part] for part in range(partitions)]

    async def _note(self, topic: str, cuts: Mapping[int, int]) -> None:
        """Note how new the newest record is that goes, before it goes."""
        newest_ms = before_ms = await self.trimmed_ms()
        for part, cut in cuts.items():
            going = await self._brokers.fetch(topic, part, cut - 1, 1)
            newest_ms = max([newest_ms, *(each.appended_ms for each in going.records[:1])])
        if newest_ms > before_ms:
            await self._brokers.commit(self._group, self._name, {0: 0}, note=str(newest_ms))
