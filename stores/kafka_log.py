"""The partitioned log on Kafka.

**A generation is a topic** with its fixed number of partitions: the first is called as the log is, each
further one has its number behind it. Offsets are Kafka's: nothing is compacted and nothing is written in
a transaction, so those of a partition are dense.

**Append times** are given by the brokers (`LogAppendTime`). Their clocks and ours agree to SKEW_MS; the
log's clock is ours, that much behind.

**Appending is repeated** until the brokers have acknowledged, without Kafka's idempotence: a record that
is there twice has the same heartbeats twice, which counts them once.

**Nothing is deleted by Kafka itself**, since it does not know what a group has yet to read; `trim` is.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError

from domain.errors import Unavailable
from domain.ports import Record
from domain.positions import MOST_GENERATIONS, Generation, check_partitions
from stores.kafka_brokers import LATEST, Brokers
from stores.kafka_trimming import NOTHING, Trimming

TOPIC = "play_heartbeats"
SKEW_MS = 500
POLL_S = 0.05  # how soon appends of other processes are noticed
BATCH_BYTES = 1 << 20
MOST_PAYLOAD_BYTES = 2 << 20
TOPIC_SETTINGS = {
    "cleanup.policy": "delete",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(MOST_PAYLOAD_BYTES + BATCH_BYTES),
    "retention.ms": "-1",
    "retention.bytes": "-1",
    # The payloads are compressed already.
    "compression.type": "producer",
}
NEEDED_SETTINGS = ("cleanup.policy", "message.timestamp.type")


class KafkaLog:
    """`domain.ports.Log` on a Kafka cluster. One instance belongs to one event loop, `wait` to one task.

    Until a group has committed something, nothing is trimmed; a group that was ever there holds back
    what it has not read.
    """

    def __init__(
        self,
        servers: str,
        *,
        partitions: int,
        now_ms: Callable[[], int],
        topic: str = TOPIC,
        patience_s: float = 5.0,
    ) -> None:
        check_partitions(partitions)
        self._servers, self._patience_s = servers, patience_s
        self._topic, self._partitions = topic, partitions
        self._now_ms, self._told_ms = now_ms, 0
        self._brokers = Brokers(servers, patience_s=patience_s)
        self._trimming = Trimming(self._brokers, topic)
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._newest: Generation | None = None
        self._first_made = False
        self._appended = asyncio.Event()
        self._seen: list[int] | None = None

    async def generation(self) -> Generation:
        """Tell the newest generation."""
        return (await self.generations())[-1]

    async def generations(self) -> list[Generation]:
        """Tell all generations, the newest last."""
        found = await self._made(await self._there())
        self._newest = found[-1]
        return found

    async def begin_generation(self, partitions: int) -> Generation:
        """Begin the next generation; nobody may be appending with the old number of partitions."""
        check_partitions(partitions)
        begun = Generation((await self.generation()).number + 1, partitions)
        if begun.number == MOST_GENERATIONS:
            raise Unavailable(f"the log has had all its {MOST_GENERATIONS} generations")
        topic = self._topic_of(begun)
        if not await self._brokers.create_topic(topic, partitions, TOPIC_SETTINGS):
            raise Unavailable(f"somebody else has just begun generation {begun.number}")
        self._newest = begun
        return begun

    async def append(self, records: Sequence[tuple[int, bytes]]) -> list[int]:
        """Append records. If it raises Unavailable, any of them may be there; appending them again is right.

        :raises ValueError: if the newest generation has no such partition; then none is there.
        """
        if not records:
            return []
        generation = self._newest or await self.generation()
        if any(not 0 <= partition < generation.partitions for partition, _ in records):
            generation = await self.generation()
        _check_fit(records, generation)
        offsets = await self._send(self._topic_of(generation), records)
        self._appended.set()
        return offsets

    async def read(
        self, generation: Generation, partition: int, offset: int, *, most_bytes: int
    ) -> list[Record]:
        """Read records from *offset* on, or from the oldest one kept."""
        brokers, topic = await self._there(), self._topic_of(generation)
        found: list[Record] = []
        left = most_bytes
        while True:
            fetched = await brokers.fetch(topic, partition, offset, left)
            for record in fetched.records:
                left -= len(record.payload)
                if found and left < 0:
                    return found
                found.append(record)
            if not fetched.records or left <= 0:
                return found
            offset = fetched.records[-1].offset + 1
            if offset >= fetched.end:
                return found

    async def ends(self, generation: Generation) -> list[int]:
        """Tell the offset that each partition's next record will have."""
        times = dict.fromkeys(range(generation.partitions), LATEST)
        found = await (await self._there()).offsets(self._topic_of(generation), times)
        return [found[part] for part in range(generation.partitions)]

    async def now_ms(self) -> int:
        """Tell the log's clock: ours, as far behind as the brokers' may be."""
        self._told_ms = max(self._told_ms, self._now_ms() - SKEW_MS)
        return self._told_ms

    async def wait(self, timeout_s: float) -> None:
        """Return when something was appended since the last call, or after *timeout_s*."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        while True:
            self._appended.clear()
            ends = await self.ends(self._newest or await self.generation())
            left_s = until - loop.time()
            if ends != self._seen or left_s <= 0:
                break
            try:
                async with asyncio.timeout(min(POLL_S, left_s)):
                    await self._appended.wait()
            except TimeoutError:
                continue
        self._seen = ends

    async def commit(self, group: str, generation: Generation, offsets: Mapping[int, int]) -> None:
        """Note the next offsets that *group* wants; smaller ones than are noted change nothing.

        Two that commit the same partition at once may leave the smaller one: records are then read again.
        """
        if wrong := [part for part in offsets if not 0 <= part < generation.partitions]:
            raise ValueError(f"generation {generation.number} has no partition {wrong[0]}")
        before = await self.committed(group, generation)
        later = {part: offset for part, offset in offsets.items() if offset > before[part]}
        await (await self._there()).commit(group, self._topic_of(generation), later)

    async def committed(self, group: str, generation: Generation) -> list[int]:
        """Tell the committed offset of each partition."""
        noted = await (await self._there()).committed(group)
        topic = self._topic_of(generation)
        return [noted.get((topic, part), NOTHING)[0] for part in range(generation.partitions)]

    async def trim(self, *, before_ms: int, keep_bytes: int) -> int:
        """Delete the oldest records that every group has read; *keep_bytes* holds about."""
        made = await self._made(await self._there())
        topics = {self._topic_of(generation): generation.partitions for generation in made}
        return await self._trimming.trim(topics, before_ms=before_ms, keep_bytes=keep_bytes)

    async def trimmed_ms(self) -> int:
        """Tell the append time of the newest record that `trim` deleted."""
        await self._there()
        return await self._trimming.trimmed_ms()

    async def close(self) -> None:
        """Finish what is being sent and let go of the brokers."""
        if self._producer is not None:
            await self._let_go(self._producer)
        await self._brokers.close()

    def _topic_of(self, generation: Generation) -> str:
        return topic_of(self._topic, generation)

    async def _there(self) -> Brokers:
        """Tell the brokers, which have the first generation by then."""
        if not self._first_made:
            if not (made := await self._made(self._brokers)):
                await self._brokers.create_topic(self._topic, self._partitions, TOPIC_SETTINGS)
            for generation in made:
                await self._check_settings(self._topic_of(generation))
            self._first_made = True
        return self._brokers

    async def _check_settings(self, topic: str) -> None:
        """Refuse a topic that somebody made in a way that loses records or the times of appends."""
        settings = await self._brokers.settings(topic)
        for name in NEEDED_SETTINGS:
            if settings[name] != TOPIC_SETTINGS[name]:
                raise Unavailable(
                    f"the topic {topic} of Kafka has {name}={settings[name]}, and must have"
                    f" {TOPIC_SETTINGS[name]}"
                )

    async def _made(self, brokers: Brokers) -> list[Generation]:
        ours = re.compile(rf"{re.escape(self._topic)}(?:\.(\d+))?")
        topics = (await brokers.topics()).items()
        matches = [(found, count) for name, count in topics if (found := ours.fullmatch(name))]
        made = [Generation(int(found[1] or 0), count) for found, count in matches]
        return sorted(made, key=lambda each: each.number)

    async def _send(self, topic: str, records: Sequence[tuple[int, bytes]]) -> list[int]:
        producer = await self._producing()
        sent = []
        try:
            for partition, payload in records:
                sent.append(await producer.send(topic, payload, partition=partition))
            return [done.offset for done in await asyncio.gather(*sent)]
        except KafkaError as error:
            await asyncio.gather(*sent, return_exceptions=True)
            if not (error.retriable or isinstance(error, KafkaTimeoutError)):
                # A producer whose own routine has failed says the same for ever.
                await self._let_go(producer)
            raise Unavailable(f"Kafka did not take what was appended: {error!r}") from error

    async def _let_go(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
        await producer.stop()

    async def _producing(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._servers,
                    client_id="heartline",
                    acks="all",
                    max_batch_size=BATCH_BYTES,
                    max_request_size=MOST_PAYLOAD_BYTES + BATCH_BYTES,
                    request_timeout_ms=int(self._patience_s * 1_000),
                )
                try:
                    await producer.start()
                except KafkaError as error:
                    await producer.stop()
                    raise Unavailable(f"Kafka at {self._servers} is away: {error!r}") from error
                self._producer = producer
            return self._producer


def topic_of(log: str, generation: Generation) -> str:
    """Name the topic of a generation of the log that is called *log*."""
    return f"{log}.{generation.number}" if generation.number else log


def _check_fit(records: Sequence[tuple[int, bytes]], generation: Generation) -> None:
    for partition, payload in records:
        if not 0 <= partition < generation.partitions:
            raise ValueError(
                f"the log has no partition {partition}, it has {generation.partitions}"
            )
        if len(payload) > MOST_PAYLOAD_BYTES:
            raise ValueError(f"a record of {len(payload)} bytes is too large")
