"""Consumers in their group, on a real Kafka."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import pytest

from domain.ports import Record
from domain.positions import Generation
from stores.kafka_log import KafkaLog
from streams.consumer import Consumer
from tests.streams.consumer_group import SHARDS, membership, now_ms

pytestmark = [pytest.mark.beside, pytest.mark.servers]

PARTS = 4
REBALANCES = 2  # one when a member goes, one when it comes back
FIRST = Generation(0, PARTS)
ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0


class Ended(Exception):
    pass


def end(why: str) -> NoReturn:
    raise Ended(why)


class Recorder:
    """A shard that takes what comes in its turn; what is durable the test says."""

    def __init__(self) -> None:
        self.taken: dict[int, list[int]] = {part: [] for part in range(PARTS)}
        self.quiet: dict[int, int] = {}
        self.skipped: list[tuple[int, int]] = []

    async def open(self, partition: int) -> int:
        return len(self.taken[partition])

    async def apply(self, partition: int, offset: int, records: Sequence[Record]) -> int:
        taken = self.taken[partition]
        if offset > len(taken):
            self.skipped.append((partition, offset))
        else:
            taken += [record.offset for record in records if record.offset >= len(taken)]
        return len(taken)

    async def caught_up(self, partition: int, offset: int, at_ms: int) -> int:
        self.quiet[partition] = offset
        return len(self.taken[partition])

    @property
    def sizes(self) -> list[int]:
        return [len(self.taken[part]) for part in range(PARTS)]


class Group:
    """A log of its own, and what its groups have committed."""

    def __init__(self, servers: str) -> None:
        self.servers, self.topic = servers, f"group-{uuid4().hex[:12]}"
        self.log = KafkaLog(servers, partitions=PARTS, now_ms=now_ms, topic=self.topic)
        self.shards = f"{self.topic}.{SHARDS}"

    async def append(self, count: int) -> None:
        await self.log.append(
            [(part, b"%d" % each) for each in range(count) for part in range(PARTS)]
        )

    async def acknowledged(self) -> list[int]:
        return await self.log.committed(f"{self.topic}.consumers", FIRST)

    async def make_durable(self, offset: int) -> None:
        await self.log.commit(self.shards, FIRST, dict.fromkeys(range(PARTS), offset))

    def consumer(
        self, shard: Recorder, member: str, kind: type[Consumer] = Consumer, **more: Any
    ) -> Consumer:
        return kind(
            self.log,
            FIRST,
            lambda _: shard,
            membership=membership(self.servers, self.topic, member),
            durable_group=self.shards,
            end=end,
            **more,
        )


@pytest.fixture
async def group(kafka: str) -> AsyncIterator[Group]:
    made = Group(kafka.removeprefix("kafka://"))
    await made.log.generation()
    yield made
    await made.log.close()


@asynccontextmanager
async def running(*consumers: Consumer) -> AsyncIterator[list["asyncio.Task[None]"]]:
    tasks = [asyncio.create_task(each.run()) for each in consumers]
    yield tasks
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.05)


async def until_taken(shard: Recorder, count: int) -> None:
    async def all_there() -> bool:
        return shard.sizes == [count] * PARTS

    await until(all_there)


async def until_acknowledged(group: Group, offset: int) -> None:
    async def all_there() -> bool:
        return await group.acknowledged() == [offset] * PARTS

    await until(all_there)


async def test_a_rebalance_while_nothing_is_durable_skips_nothing(group: Group) -> None:
    shard = Recorder()
    first, second = group.consumer(shard, "a"), group.consumer(shard, "b")
    await group.append(20)
    async with running(first):
        await until_taken(shard, 20)
        async with running(second):

            async def shared() -> bool:
                return len(first._followed) == len(second._followed) == PARTS // 2

            await until(shared)
            await group.append(20)
            await until_taken(shard, 40)
            assert await group.acknowledged() == [0] * PARTS

            await group.make_durable(30)
            await until_acknowledged(group, 30)
            await group.make_durable(40)
            await until_acknowledged(group, 40)

    assert shard.taken == {part: list(range(40)) for part in range(PARTS)}
    assert shard.skipped == []
    assert shard.quiet == dict.fromkeys(range(PARTS), 40)


class Member:
    """A consumer as a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.told: list[tuple[int, int]] = []
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, group: Group, member: str) -> "Member":
        command = [sys.executable, "-m", "tests.streams.consumer_group"]
        return cls(
            await asyncio.create_subprocess_exec(
                *command, group.servers, group.topic, member, stdout=PIPE, stderr=PIPE, cwd=ROOT
            )
        )

    async def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        await self._reading
        await self.process.wait()

    async def _read(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            partition, offset = line.split()
            self.told.append((int(partition), int(offset)))


async def test_a_killed_member_loses_nothing(group: Group) -> None:
    stays, dies = await Member.start(group, "stays"), await Member.start(group, "dies")
    members = [stays, dies]
    try:
        await group.append(10)
        async with asyncio.timeout(PATIENCE_S):
            while not (stays.told and dies.told):
                await group.append(1)
                await asyncio.sleep(0.2)
        await dies.kill()
        await group.append(20)
        members.append(await Member.start(group, "dies"))
        (end_,) = set(await group.log.ends(FIRST))
        await until_acknowledged(group, end_)
    finally:
        for member in members:
            await member.kill()

    told = {each for member in members for each in member.told}
    assert told == {(part, offset) for part in range(PARTS) for offset in range(end_)}
    assert members[-1].told
    for member in members:
        assert_in_order(member.told)


async def test_a_member_that_was_frozen_loses_its_partitions_and_comes_back(group: Group) -> None:
    stays, freezes = await Member.start(group, "stays"), await Member.start(group, "freezes")
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not (stays.told and freezes.told):
                await group.append(1)
                await asyncio.sleep(0.2)
        freezes.process.send_signal(signal.SIGSTOP)
        await group.append(10)
        (end_,) = set(await group.log.ends(FIRST))
        await until_acknowledged(group, end_)
        freezes.process.send_signal(signal.SIGCONT)
        before = len(freezes.told)
        async with asyncio.timeout(PATIENCE_S):
            while len(freezes.told) == before:
                await group.append(1)
                await asyncio.sleep(0.2)
        (end_,) = set(await group.log.ends(FIRST))
        await until_acknowledged(group, end_)
    finally:
        await stays.kill()
        await freezes.kill()

    assert {*stays.told, *freezes.told} == {
        (part, offset) for part in range(PARTS) for offset in range(end_)
    }


def assert_in_order(told: Sequence[tuple[int, int]]) -> None:
    """One by one; who gets a partition again goes on where the group is, before or behind that."""
    for part in range(PARTS):
        offsets = [offset for partition, offset in told if partition == part]
        again = [after for before, after in pairwise(offsets) if after != before + 1]
        assert len(again) <= REBALANCES, offsets


class Deaf(Consumer):
    """As if Faust brought nothing any more."""

    async def _take(self, event: object) -> None:
        await asyncio.Event().wait()


class Broken(Consumer):
    async def _take(self, event: object) -> None:
        raise ValueError("broken")


async def test_a_consumer_to_which_faust_brings_nothing_ends(group: Group) -> None:
    await group.append(1)
    async with running(group.consumer(Recorder(), "a", Deaf, stalled_s=1.0)) as (task,):
        with pytest.raises(Ended, match=r"partition \d has stood at 0"):
            await asyncio.wait_for(asyncio.shield(task), PATIENCE_S)


async def test_a_consumer_in_which_faust_crashed_ends(group: Group) -> None:
    await group.append(1)
    async with running(group.consumer(Recorder(), "a", Broken)) as (task,):
        with pytest.raises(Ended, match="broken"):
            await asyncio.wait_for(asyncio.shield(task), PATIENCE_S)
