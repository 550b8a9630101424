"""One partition between Faust and its shard."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from domain.ports import Record
from domain.positions import Generation
from streams.following import Following, Seen
from streams.tailer import MOST_BYTES, insist
from tests.clock import Clock
from tests.memory_log import MemoryLog

FIRST = Generation(0, 1)
GROUP = "consumers"


class Recorder:
    """A shard that notes its calls, and can be made to forget."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.calls: list[list[int]] = []
        self.quiet: list[tuple[int, int]] = []
        self.changed = asyncio.Event()

    def forget_all_but(self, count: int) -> None:
        del self.taken[count:]

    async def open(self, partition: int) -> int:
        return len(self.taken)

    async def apply(self, partition: int, offset: int, records: Sequence[Record]) -> int:
        assert sum(len(record.payload) for record in records) <= MOST_BYTES
        self.calls.append([record.offset for record in records])
        if offset <= len(self.taken):
            self.taken += [each.offset for each in records if each.offset >= len(self.taken)]
        self.changed.set()
        return len(self.taken)

    async def caught_up(self, partition: int, offset: int, at_ms: int) -> int:
        self.quiet.append((offset, at_ms))
        self.changed.set()
        return len(self.taken)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.taken) < count:
                self.changed.clear()
                await self.changed.wait()

    async def until_quiet(self, times: int) -> None:
        async with asyncio.timeout(5):
            while len(self.quiet) < times:
                self.changed.clear()
                await self.changed.wait()


class Way:
    """A partition's way from the log, by Faust, to its shard."""

    def __init__(self, *sizes: int) -> None:
        self.log, self.shard = MemoryLog(Clock(0), partitions=1), Recorder()
        self.following = Following(self.log, FIRST, 0, self.shard, group=GROUP)
        self.sizes = sizes

    async def fill(self) -> None:
        await self.log.append([(0, b"x" * size) for size in self.sizes])

    def bring(self, first: int, last: int) -> None:
        for record in self.log.records[0, 0][first : last + 1]:
            self.following.arrive(record, int)


@asynccontextmanager
async def running(way: Way) -> AsyncIterator[Recorder]:
    await way.fill()
    task = asyncio.create_task(insist(0, way.following.hand_over))
    yield way.shard
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_came_together_goes_over_together_up_to_the_size_of_a_call() -> None:
    way = Way(*[MOST_BYTES // 4] * 10)
    async with running(way) as shard:
        way.bring(0, 9)
        await shard.until(10)

    assert shard.taken == list(range(10))
    assert max(map(len, shard.calls)) == 4


async def test_what_the_group_is_beyond_is_read_from_the_log() -> None:
    way = Way(1, 1, 1)
    await way.log.commit(GROUP, FIRST, {0: 2})
    async with running(way) as shard:
        await shard.until(3)

    assert shard.taken == [0, 1, 2]


async def test_a_hole_in_what_came_is_read_from_the_log() -> None:
    way = Way(*[1] * 10)
    async with running(way) as shard:
        way.bring(0, 2)
        await shard.until(3)
        way.bring(6, 7)
        await shard.until(8)

    assert shard.taken[:8] == list(range(8))


async def test_a_shard_that_forgot_gets_it_again_though_nothing_comes() -> None:
    way = Way(*[1] * 5)
    async with running(way) as shard:
        way.bring(0, 4)
        await shard.until(5)
        shard.forget_all_but(2)
        way.following.see(Seen(5, 100))
        await shard.until_quiet(1)
        await shard.until(5)

    assert shard.taken == list(range(5))


async def test_silence_is_told_once_for_each_look_and_only_at_the_end() -> None:
    way = Way(1, 1)
    async with running(way) as shard:
        way.following.see(Seen(2, 100))
        way.bring(0, 1)
        await shard.until(2)
        way.following.see(Seen(2, 200))
        await shard.until_quiet(1)
        way.following.see(Seen(2, 300))
        await shard.until_quiet(2)

    assert shard.quiet[-1] == (2, 300)
    assert {offset for offset, _ in shard.quiet} == {2}


def test_it_is_behind_while_something_has_yet_to_come() -> None:
    way = Way()
    way.following.arrivals.begin(3)

    assert not way.following.is_behind(3)
    assert way.following.is_behind(4)
