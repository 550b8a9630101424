"""Topics of one test of gatherers on a real Kafka, and what is done with them."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient

from domain.batches import heartbeats_of
from domain.columns import decode
from domain.errors import Unavailable
from domain.heartbeats import Heartbeat, Kind
from domain.recount import Interval, listened
from heartline.addresses import KafkaAddress
from heartline.gathering import membership, topic_of
from heartline.settings import Settings
from stores.kafka_log import KafkaLog
from stores.kafka_singles import kafka_singles
from streams.gather import Tally, keep_gathering

PATIENCE_S = 60
ALL = 1 << 30
PARTITIONS = 3
LISTENERS = 50


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Bay:
    """Topics of one test: what producers write to, what gatherers append to, what they refuse."""

    settings: Settings
    address: KafkaAddress

    @property
    def singles(self) -> str:
        return topic_of(self.address)

    @asynccontextmanager
    async def gathering(self) -> AsyncIterator[Tally]:
        """One more gatherer for a while."""
        tally = Tally()
        join = membership(self.settings, self.address, tally)
        task = asyncio.create_task(keep_gathering(join, tally))
        try:
            yield tally
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def send(self, values: Sequence[bytes | None], codec: str | None = None) -> None:
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

    async def until_committed(self, records: int) -> None:
        """Wait until the gatherers have passed that many records on."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address.servers)
        await admin.start()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await until_so(lambda: self._committed(admin), records)
        finally:
            await admin.close()

    async def until_told(self, tally: Tally, refused: int) -> None:
        """Wait until a gatherer has told how many records it refused, which comes last."""

        async def told() -> int:
            return tally.refused.total()

        async with asyncio.timeout(PATIENCE_S):
            await until_so(told, refused)

    async def _committed(self, admin: AIOKafkaAdminClient) -> int:
        offsets = await admin.list_consumer_group_offsets(f"gather-{self.singles}")
        return sum(max(0, each.offset) for each in offsets.values())

    async def until_gathered(self, beats: Sequence[Heartbeat], times: int = 1) -> list[Heartbeat]:
        """Wait until the log has all *beats*, *times* each at least; tells what it has."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with suppress(Unavailable):
                    there = await self.appended()
                    counts = Counter(beat.id for beat in there)
                    if all(counts[beat.id] >= times for beat in beats):
                        return there
                await asyncio.sleep(0.1)


async def until_so(tell: Callable[[], Awaitable[int]], many: int) -> None:
    """Wait until there are as many."""
    while True:
        if await tell() >= many:
            return
        await asyncio.sleep(0.05)


async def bay(servers: str, topic: str, data: Path) -> Bay:
    """Make the topics of a test."""
    url = f"{servers}/{topic}-{now_ms()}"  # the broker may be one that stays
    address = KafkaAddress.parse(url)
    assert address
    made = Bay(Settings(data=data, log=url, partitions=PARTITIONS), address)
    async with kafka_singles(address.servers, made.singles):
        return made


def heartbeats(start: int, end: int) -> list[Heartbeat]:
    """Heartbeats of some listeners who all listen on, up to now."""
    at = now_ms() - (end - start) * 1_000
    return [
        Heartbeat(
            id=f"h{number}",
            listener_id=f"listener-{number % LISTENERS}",
            track_id="track",
            play_id=f"play-{number % LISTENERS}",
            kind=Kind.BEAT,
            at=at + (number - start) * 1_000,
        )
        for number in range(start, end)
    ]


def value_of(beat: Heartbeat) -> bytes:
    """Write a heartbeat as another producer does."""
    return msgspec.json.encode(
        {
            "id": beat.id,
            "listener_id": beat.listener_id,
            "track_id": beat.track_id,
            "play_id": beat.play_id,
            "kind": beat.kind.name.lower(),
            "at": beat.at,
        }
    )


def listened_by(beats: Sequence[Heartbeat]) -> dict[str, list[Interval]]:
    """Tell what each listened to, by the rule."""
    by_listener = defaultdict(list)
    for beat in beats:
        by_listener[beat.listener_id].append(beat)
    return {listener: listened(those) for listener, those in by_listener.items()}
