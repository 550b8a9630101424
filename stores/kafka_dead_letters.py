"""Records that nobody can take, kept aside on a topic of Kafka with the reason, to be looked at.

The value is the record as it was, up to MOST_BYTES, its key likewise; everything else is in the headers,
also that there was neither.
Kafka deletes the oldest beyond a month or a GiB.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from domain.errors import Unavailable
from domain.units import DAY_MS
from stores.kafka_brokers import Brokers

MOST_BYTES = 64 << 10
MOST_KEY_BYTES = 1 << 10
TOPIC_SETTINGS = {
    "cleanup.policy": "delete",
    "message.timestamp.type": "LogAppendTime",
    "retention.ms": str(30 * DAY_MS),
    "retention.bytes": str(1 << 30),
    "segment.bytes": str(64 << 20),
}
TOGETHER = 1_000  # letters, for each of which many have the whole patience
BATCH_BYTES = 512 << 10  # of a request; a broker takes a MiB
PARTITIONS = 1  # so that what the topic keeps is bounded as a whole


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that was not taken: as it came, and where from and why, in words."""

    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str]


class KafkaDeadLetters:
    """Where dead letters go.

    :raises Unavailable: when Kafka does not answer for *patience_s*.
    """

    def __init__(self, servers: str, topic: str, *, patience_s: float = 5.0) -> None:
        self._servers, self._topic, self._patience_s = servers, topic, patience_s
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        """Keep *letters*; they are with the brokers on return. Those kept twice do no harm."""
        for begin in range(0, len(letters), TOGETHER):
            try:
                async with asyncio.timeout(self._patience_s):
                    await self._put(letters[begin : begin + TOGETHER])
            except (KafkaError, TimeoutError) as error:
                raise Unavailable(f"Kafka did not take dead letters: {error!r}") from error

    async def close(self) -> None:
        """Let go of the brokers."""
        if self._producer is not None:
            await self._producer.stop()

    async def _put(self, letters: Sequence[DeadLetter]) -> None:
        producer = await self._producing()
        sent = [await self._send(producer, letter) for letter in letters]
        await asyncio.gather(*sent)

    async def _send(
        self, producer: AIOKafkaProducer, letter: DeadLetter
    ) -> "asyncio.Future[object]":
        key, value, headers = letter.key, letter.value, dict(letter.headers)
        if key is None and value is None:  # the client sends nothing that has neither
            value, headers["value"] = b"", "none"
        if value is not None and len(value) > MOST_BYTES:
            headers["value_bytes"] = str(len(value))
        if key is not None and len(key) > MOST_KEY_BYTES:
            headers["key_bytes"] = str(len(key))
        sent: asyncio.Future[object] = await producer.send(
            self._topic,
            value if value is None else value[:MOST_BYTES],
            key if key is None else key[:MOST_KEY_BYTES],
            headers=[(name, text.encode()) for name, text in headers.items()],
        )
        return sent

    async def _producing(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                await self._make_topic()
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._servers,
                    client_id="heartline",
                    acks="all",
                    request_timeout_ms=int(self._patience_s * 1_000),
                    max_batch_size=BATCH_BYTES,
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _make_topic(self) -> None:
        brokers = Brokers(self._servers, patience_s=self._patience_s)
        try:
            if self._topic not in await brokers.topics():
                await brokers.create_topic(self._topic, PARTITIONS, TOPIC_SETTINGS)
        finally:
            await brokers.close()
