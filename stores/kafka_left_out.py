"""The dead letters of a log on Kafka: its records that do not decode, with the reason."""

from collections.abc import Sequence

from domain.ports import Record
from domain.positions import Generation
from stores.kafka_dead_letters import DeadLetter, KafkaDeadLetters
from stores.kafka_log import topic_of


class KafkaLeftOut:
    """`domain.ports.DeadLetters` of the log that is called *log*, on the topic ``<log>.dead``."""

    def __init__(self, servers: str, log: str) -> None:
        self._log, self._letters = log, KafkaDeadLetters(servers, f"{log}.dead")

    async def put(
        self, generation: Generation, partition: int, records: Sequence[tuple[Record, str]]
    ) -> None:
        """Keep records, each with the reason."""
        topic = topic_of(self._log, generation)
        await self._letters.put([_letter(topic, partition, *each) for each in records])

    async def close(self) -> None:
        """Let go of the brokers."""
        await self._letters.close()


def _letter(topic: str, partition: int, record: Record, reason: str) -> DeadLetter:
    headers = {
        "reason": "unreadable",
        "message": reason,
        "topic": topic,
        "partition": str(partition),
        "offset": str(record.offset),
        "appended_ms": str(record.appended_ms),
    }
    return DeadLetter(None, record.payload, headers)
