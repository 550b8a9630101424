"""A consumer group as Kafka and Faust make one: who has which partition, and what comes to whom.

Faust is only played: it brings the records of a partition from where its group was, in order, now and
then once more; it counts acknowledgements with its own code, faults included.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NoReturn

from faust.transport.consumer import Consumer as FaustConsumer
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from domain.errors import Unavailable
from domain.positions import SHARDS, Generation
from streams.consumer import LOOK_S, Consumer
from streams.membership import Membership
from streams.tailer import Shard
from tests.simulator.comparison import Wrong
from tests.simulator.linked_log import LinkedLog
from tests.simulator.virtual_time import Process
from tests.simulator.world import World

KAFKA = "kafka://simulated:9092/log"
CONSUMERS = "log.consumers"
SESSION_S = 2.0  # after which a member that is gone is noticed
POLL_S = 0.3
ONCE_MORE = 0.05


class Group:
    """The members of one start; one that joins or is gone has everybody begin anew."""

    def __init__(self, world: World, generation: Generation) -> None:
        self._world, self._generation = world, generation
        self._members: list[Member] = []

    async def consume(self, process: Process, shards: Callable[[int], Shard]) -> None:
        """Be a member until the process ends."""
        member = Member(self._world, self._generation, process, shards)
        self._members.append(member)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(member.look())
            await asyncio.sleep(0)
            await self._rebalance()
            while True:
                await asyncio.sleep(SESSION_S)
                await process.awake()
                if not all(each.process.alive for each in self._members):
                    await self._rebalance()

    async def _rebalance(self) -> None:
        self._members = [each for each in self._members if each.process.alive]
        for each in self._members:
            await asyncio.wait([each.process.run(each.take_all())])
        for place, each in enumerate(self._members):
            numbers = range(place, self._generation.partitions, len(self._members))
            await asyncio.wait([each.process.run(each.give(numbers))])


class Member:
    """The real consumer, and what Faust does for it."""

    def __init__(
        self,
        world: World,
        generation: Generation,
        process: Process,
        shards: Callable[[int], Shard],
    ) -> None:
        self.process = process
        self._world, self._generation = world, generation
        self._log = LinkedLog(world, process)
        self._app: Any = SimpleNamespace(rebalancing=False, crashed=False, consumer=self)
        self._acks = Acks()
        self._bringing: list[asyncio.Task[None]] = []
        self._consumer = Consumer(
            self._log,
            generation,
            shards,
            membership=Membership("", "log", CONSUMERS, process.name),
            durable_group=SHARDS,
            end=_end,
        )

    async def look(self) -> None:
        """Look and commit, again and again."""
        async with self._consumer._tasks:
            while True:
                await self.process.awake()
                await self._consumer._look(self._app)
                await self._commit()
                await asyncio.sleep(LOOK_S)

    async def take_all(self) -> None:
        """Take all partitions from it."""
        for task in self._bringing:
            task.cancel()
        self._bringing.clear()
        held = {TP("log", part) for part in self._consumer._followed}
        await self._consumer._revoked(self._app, held)
        self._acks = Acks()

    async def give(self, partitions: Sequence[int]) -> None:
        """Give it these partitions, each from where the group is."""
        await self._consumer._assigned(self._app, {TP("log", part) for part in partitions})
        self._bringing += [self.process.run(self._bring(part)) for part in partitions]

    def ack(self, message: ConsumerMessage) -> bool:
        """What a message calls of Faust's consumer."""
        self._acks.add(message.partition, message.offset)
        return True

    async def _bring(self, partition: int) -> None:
        begun = offset = self._committed(partition)
        self._acks.begin(partition, begun)
        while True:
            await self.process.awake()
            try:
                records = await self._log.read(
                    self._generation, partition, offset, most_bytes=1_000
                )
            except Unavailable:
                records = []
            for record in records:
                message = ConsumerMessage(
                    "log", partition, record.offset, record.appended_ms / 1_000, 0, None, None,
                    record.payload, None,
                )  # fmt: skip
                message.incref()
                event: Any = SimpleNamespace(message=message, app=self._app)
                await self._consumer._take(event)
                offset = record.offset + 1
            if not self._world.calm and self._world.dice.random() < ONCE_MORE:
                offset = min(offset, self._committed(partition))
            await asyncio.sleep(self._world.latency() if records else POLL_S)

    async def _commit(self) -> None:
        for partition, offset in self._acks.committed():
            if offset > self._world.promised[self._generation.number, partition]:
                raise Wrong(f"acknowledged {offset} of partition {partition}, not durable yet")
            await self._world.log.commit(CONSUMERS, self._generation, {partition: offset})

    def _committed(self, partition: int) -> int:
        return self._world.log.commits[CONSUMERS, self._generation.number, partition]


class Acks:
    """What Faust keeps of acknowledgements, and its code that turns them into offsets."""

    def __init__(self) -> None:
        self._acked: dict[int, list[int]] = defaultdict(list)
        self._acked_index: dict[int, set[int]] = defaultdict(set)
        self._committed_offset: dict[int, int | None] = defaultdict(lambda: None)
        self._gap: dict[int, Sequence[int]] = defaultdict(tuple)

    def begin(self, partition: int, offset: int) -> None:
        """Note where the group is; Faust takes 0 for nothing."""
        self._committed_offset[partition] = offset

    def add(self, partition: int, offset: int) -> None:
        """Note an acknowledgement."""
        if offset not in self._acked_index[partition]:
            self._acked_index[partition].add(offset)
            self._acked[partition].append(offset)

    def committed(self) -> list[tuple[int, int]]:
        """Tell the offsets that Faust commits now."""
        found = []
        for partition in sorted(self._acked):
            offset = FaustConsumer._new_offset(self, partition)  # type: ignore[arg-type]
            if offset is not None:
                self._committed_offset[partition] = offset
                found.append((partition, offset))
        return found


def _end(why: str) -> NoReturn:
    raise Wrong(why)
