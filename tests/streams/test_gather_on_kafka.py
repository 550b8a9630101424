import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from domain.batches import heartbeats_of
from domain.columns import decode
from domain.errors import Unavailable
from domain.heartbeats import Heartbeat
from heartline.addresses import KafkaAddress
from heartline.gathering import membership, topic_of
from heartline.settings import Settings
from stores.kafka_log import KafkaLog
from stores.kafka_singles import kafka_singles
from streams.gather import Tally, keep_gathering
from tests.streams.single import written

pytestmark = pytest.mark.servers

PATIENCE_S = 60
ALL = 1 << 30
PARTITIONS = 3


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Bay:
    """Topics of one test: what producers write to, what gatherers append to, what they refuse."""

    settings: Settings
    address: KafkaAddress
    tallies: list[Tally] = field(default_factory=list)

    @property
    def singles(self) -> str:
        return topic_of(self.address)

    @asynccontextmanager
    async def gathering(self) -> AsyncIterator[Tally]:
        """One more gatherer for a while."""
        tally = Tally()
        self.tallies.append(tally)
        join = membership(self.settings, self.address, tally)
        task = asyncio.create_task(keep_gathering(join, tally))
        try:
            yield tally
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def send(self, values: Sequence[bytes], codec: str | None = None) -> None:
        """Write records as another producer does."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.address.servers, compression_type=codec, linger_ms=5
        )
        await producer.start()
        sent = [await producer.send(self.singles, value, b"key") for value in values]
        await asyncio.gather(*sent)
        await producer.stop()

    async def appended(self) -> list[Heartbeat]:
        """Everything in the log, as often as it is there."""
        log = self.log()
        try:
            generation = await log.generation()
            return [
                beat
                for part in range(generation.partitions)
                for record in await log.read(generation, part, 0, most_bytes=ALL)
                for beat in heartbeats_of(decode(record.payload))
            ]
        finally:
            await log.close()

    def log(self) -> KafkaLog:
        return KafkaLog(
            self.address.servers,
            partitions=self.settings.partitions,
            now_ms=now_ms,
            topic=self.address.topic,
        )

    async def dead(self, count: int) -> list[ConsumerRecord]:
        """The first *count* dead letters."""
        consumer = AIOKafkaConsumer(
            f"{self.singles}.dead",
            bootstrap_servers=self.address.servers,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            async with asyncio.timeout(PATIENCE_S):
                return [await consumer.getone() for _ in range(count)]
        finally:
            await consumer.stop()

    async def until_gathered(self, ids: Sequence[str]) -> list[Heartbeat]:
        """Wait until every heartbeat is in the log; tells what is there."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with suppress(Unavailable):
                    there = await self.appended()
                    if {beat.id for beat in there} >= set(ids):
                        return there
                await asyncio.sleep(0.1)


async def bay(servers: str, topic: str, tmp_path: Any) -> Bay:
    """Make the topics of a test."""
    url = f"{servers}/{topic}-{now_ms()}"  # the broker may be one that stays
    address = KafkaAddress.parse(url)
    assert address
    made = Bay(Settings(data=tmp_path, log=url, partitions=PARTITIONS), address)
    async with kafka_singles(address.servers, made.singles):
        return made


def numbered(start: int, end: int) -> list[str]:
    return [f"h{n}" for n in range(start, end)]


def values_of(ids: Sequence[str]) -> list[bytes]:
    at = now_ms()
    return [written(id=one, listener_id=f"l{hash(one) % 50}", at=at) for one in ids]


async def test_records_of_other_producers_are_in_the_log_or_kept_aside(
    kafka: str, tmp_path: Any
) -> None:
    here = await bay(kafka, "gathered", tmp_path)
    ids = numbered(0, 2_000)

    async with here.gathering() as tally:
        await here.send([*values_of(ids[:1_000]), b"?"])
        await here.send([*values_of(ids[1_000:]), b"?"], codec="gzip")
        await here.send([written(id="old", at=0)])
        there = await here.until_gathered(ids)
        letters = await here.dead(3)

    assert sorted(beat.id for beat in there) == sorted(ids)
    assert [letter.value for letter in letters] == [b"?", b"?", written(id="old", at=0)]
    assert dict(letters[2].headers)["reason"] == b"too_old"
    assert letters[2].key == b"key"
    assert (tally.gathered, tally.refused.total(), tally.trouble) == (2_000, 3, 0)
