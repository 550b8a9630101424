"""One member of a consumer group, as a process that can be killed: `consumer_group.py SERVERS TOPIC MEMBER`.

Its shard makes durable at once what it takes, and says so on standard output: partition and offset.
"""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

from domain.ports import Log, Record
from domain.positions import Generation
from stores.kafka_log import KafkaLog
from streams.consumer import Consumer
from streams.membership import Membership

SHARDS = "test-shards"  # with the topic before it


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def membership(servers: str, topic: str, member: str) -> Membership:
    return Membership(servers, topic, f"{topic}.consumers", f"{topic}.{member}")


class DurableShard:
    def __init__(self, log: Log, generation: Generation, group: str) -> None:
        self._log, self._generation, self._group = log, generation, group

    async def open(self, partition: int) -> int:
        return (await self._log.committed(self._group, self._generation))[partition]

    async def apply(self, partition: int, offset: int, records: Sequence[Record]) -> int:
        wanted = await self.open(partition)
        fresh = [record.offset for record in records if record.offset >= wanted]
        if offset > wanted or not fresh:
            return wanted
        for each in fresh:
            sys.stdout.write(f"{partition} {each}\n")
        sys.stdout.flush()
        await self._log.commit(self._group, self._generation, {partition: fresh[-1] + 1})
        return fresh[-1] + 1

    async def caught_up(self, partition: int, offset: int, at_ms: int) -> int:
        return await self.open(partition)


def end(why: str) -> NoReturn:
    sys.stderr.write(f"{why}\n")
    os._exit(70)


async def main(servers: str, topic: str, member: str) -> None:
    log = KafkaLog(servers, partitions=1, now_ms=now_ms, topic=topic)
    generation = await log.generation()
    shard = DurableShard(log, generation, f"{topic}.{SHARDS}")
    place = membership(servers, topic, member)
    await Consumer(
        log,
        generation,
        lambda _: shard,
        membership=place,
        durable_group=f"{topic}.{SHARDS}",
        end=end,
    ).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
