"""The embedded consumer: in order, from where the shard wants, whatever fails in between."""

import asyncio
from collections.abc import Sequence

import pytest

import streams.tailer
from domain.errors import Unavailable
from domain.hashing import partition_of
from domain.heartbeats import Heartbeat, Kind
from domain.ports import Record
from streams.tailer import Tailer
from tests.clock import Clock
from tests.memory_log import MemoryLog


class Recorder:
    """A shard that notes what it is given, and can fail or lose its memory."""

    def __init__(self) -> None:
        self.taken: dict[int, list[int]] = {}
        self.quiet: dict[int, int] = {}
        self.failures = self.calls = 0
        self.changed = asyncio.Event()

    async def open(self, partition: int) -> int:
        return len(self.taken.setdefault(partition, []))

    async def apply(self, partition: int, offset: int, records: Sequence[Record]) -> int:
        if self.failures:
            self.failures -= 1
            raise Unavailable("restarting")
        self.calls += 1
        taken = self.taken[partition]
        taken += [record.offset for record in records if record.offset >= len(taken)]
        self.changed.set()
        return len(taken)

    async def caught_up(self, partition: int, offset: int, at_ms: int) -> int:
        self.quiet[partition] = offset
        self.changed.set()
        return len(self.taken[partition])

    async def until(self, total: int) -> None:
        async with asyncio.timeout(5):
            while sum(map(len, self.taken.values())) < total or len(self.quiet) < 2:
                self.changed.clear()
                await self.changed.wait()


async def fed(log: MemoryLog, listeners: Sequence[str]) -> None:
    for listener in listeners:
        beat = Heartbeat(id="h", listener_id=listener, track_id="t", kind=Kind.BEAT, at=0)
        await log.put([beat])


async def test_every_record_goes_over_in_the_order_of_its_partition() -> None:
    log, shard = MemoryLog(Clock(0)), Recorder()
    listeners = [f"listener-{number}" for number in range(20)]
    await fed(log, listeners)

    running = asyncio.create_task(Tailer(log, await log.generation(), lambda _: shard).run())
    await shard.until(20)
    running.cancel()

    sizes = [sum(partition_of(name, 2) == part for name in listeners) for part in range(2)]
    assert shard.taken == {part: list(range(size)) for part, size in enumerate(sizes)}
    assert shard.quiet == dict(enumerate(sizes))


async def test_what_comes_shortly_after_goes_over_together() -> None:
    log, shard = MemoryLog(Clock(0)), Recorder()
    await fed(log, ["ann"])
    running = asyncio.create_task(Tailer(log, await log.generation(), lambda _: shard).run())
    await shard.until(1)

    for _ in range(50):
        await fed(log, ["ann"])
        await asyncio.sleep(0)
    await shard.until(51)
    running.cancel()

    assert shard.calls <= 5


async def test_a_shard_that_fails_gets_its_records_again() -> None:
    log, shard = MemoryLog(Clock(0)), Recorder()
    await fed(log, ["ann"])
    shard.failures = 1

    running = asyncio.create_task(Tailer(log, await log.generation(), lambda _: shard).run())
    await shard.until(1)
    running.cancel()

    assert sum(map(len, shard.taken.values())) == 1


async def test_a_shard_that_forgot_gets_its_records_again_though_none_follow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams.tailer, "IDLE_S", 0.01)
    log, shard = MemoryLog(Clock(0)), Recorder()
    await fed(log, ["ann"])
    running = asyncio.create_task(Tailer(log, await log.generation(), lambda _: shard).run())
    await shard.until(1)

    shard.taken = {0: [], 1: []}
    await shard.until(1)
    running.cancel()

    assert shard.taken[partition_of("ann", 2)] == [0]


class Stuck(Recorder):
    """A shard that has a fault of its own in one partition."""

    async def open(self, partition: int) -> int:
        if partition == 0:
            raise ZeroDivisionError
        return await super().open(partition)


async def test_a_partition_that_is_stuck_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams.tailer, "STUCK_S", 0.01)
    log, shard = MemoryLog(Clock(0)), Stuck()
    listeners = [f"listener-{number}" for number in range(20)]
    await fed(log, listeners)

    running = asyncio.create_task(Tailer(log, await log.generation(), lambda _: shard).run())
    async with asyncio.timeout(5):
        while 1 not in shard.quiet:
            shard.changed.clear()
            await shard.changed.wait()
    assert not running.done()
    running.cancel()

    assert len(shard.taken[1]) == sum(partition_of(name, 2) for name in listeners)
    assert 0 not in shard.taken
