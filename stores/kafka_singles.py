"""The topic to which other producers write single heartbeats, read in bulk as a member of a group.

Kafka decompresses what they write (``compression.type=uncompressed``): they may use any codec, and
none of their batches can be larger here than a record may be there.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import chain

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError

from domain.errors import Unavailable
from domain.units import DAY_MS
from stores.kafka_brokers import Brokers

TOPIC = "heartbeats_json"
PARTITIONS = 64
TOPIC_SETTINGS = {
    "cleanup.policy": "delete",
    "message.timestamp.type": "LogAppendTime",
    "compression.type": "uncompressed",
    "retention.ms": str(7 * DAY_MS),
}
NEEDED_SETTINGS = ("cleanup.policy", "message.timestamp.type", "compression.type")
FETCH_BYTES = 256 << 10  # of a partition at once; so much of each is held
GATHER_S = 0.25  # a record of the log costs as much as 500 heartbeats in it
SESSION_MS = 6_000  # one that died is missed after so long


class KafkaSingles:
    """Single records of all producers, shared out among the members of *group*.

    :raises Unavailable: from every method, when Kafka refuses; begin anew then.
    """

    def __init__(self, consumer: AIOKafkaConsumer, patience_s: float) -> None:
        self._consumer, self._patience_s = consumer, patience_s
        self._following: dict[TopicPartition, int] = {}

    async def take(self, most: int) -> list[ConsumerRecord]:
        """Take what comes within GATHER_S, at most *most*; those of a partition are in order."""
        taken: list[ConsumerRecord] = []
        until_s = asyncio.get_running_loop().time() + GATHER_S
        while len(taken) < most and (left_s := until_s - asyncio.get_running_loop().time()) > 0:
            taken += await self._take(most - len(taken), left_s)
        return taken

    async def _take(self, most: int, wait_s: float) -> Iterable[ConsumerRecord]:
        try:
            found = await self._consumer.getmany(timeout_ms=int(wait_s * 1_000), max_records=most)
        except KafkaError as error:
            raise Unavailable(f"Kafka refuses: {error!r}") from error
        self._following |= {part: records[-1].offset + 1 for part, records in found.items()}
        return chain.from_iterable(found.values())

    async def commit(self) -> None:
        """Note that everything taken so far is dealt with.

        What went over to another member meanwhile is not ours to note; that one takes it again.
        """
        ours = self._consumer.assignment()
        offsets = {part: offset for part, offset in self._following.items() if part in ours}
        self._following = {}
        try:
            async with asyncio.timeout(self._patience_s):
                await self._consumer.commit(offsets)
        except CommitFailedError:
            return
        except (KafkaError, TimeoutError) as error:
            raise Unavailable(f"Kafka did not take a commit: {error!r}") from error


@asynccontextmanager
async def kafka_singles(
    servers: str, topic: str, *, patience_s: float = 5.0
) -> AsyncIterator[KafkaSingles]:
    """Join those who read *topic*; it is made if it is not there."""
    await _have_topic(servers, topic, patience_s)
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=servers,
        client_id="heartline",
        group_id=f"gather-{topic}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=FETCH_BYTES,
        session_timeout_ms=SESSION_MS,
        heartbeat_interval_ms=SESSION_MS // 3,
        request_timeout_ms=int(patience_s * 1_000),
    )
    try:
        try:
            await consumer.start()
        except KafkaError as error:
            raise Unavailable(f"Kafka at {servers} is away: {error!r}") from error
        yield KafkaSingles(consumer, patience_s)
    finally:
        await consumer.stop()


async def _have_topic(servers: str, topic: str, patience_s: float) -> None:
    brokers = Brokers(servers, patience_s=patience_s)
    try:
        if topic not in await brokers.topics():
            await brokers.create_topic(topic, PARTITIONS, TOPIC_SETTINGS)
        settings = await brokers.settings(topic)
    finally:
        await brokers.close()
    for name in NEEDED_SETTINGS:
        if settings[name] != TOPIC_SETTINGS[name]:
            raise Unavailable(
                f"the topic {topic} of Kafka has {name}={settings[name]}, and must have"
                f" {TOPIC_SETTINGS[name]}"
            )
