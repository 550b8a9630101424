"""Records of the log that do not decode, on a real Kafka."""

import asyncio
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from domain.ports import Record
from domain.positions import Generation
from stores.kafka_dead_letters import MOST_BYTES
from stores.kafka_left_out import KafkaLeftOut


@pytest.mark.servers
async def test_dead_letters_say_where_a_record_was_and_why_it_was_left_out(kafka: str) -> None:
    servers, log = kafka.removeprefix("kafka://"), f"left-{uuid4().hex[:12]}"
    letters = KafkaLeftOut(servers, log)

    await asyncio.gather(
        letters.put(Generation(0, 4), 3, [(Record(7, 1000, b"nonsense"), "not ours")]),
        letters.put(Generation(2, 8), 5, [(Record(8, 2000, b"x" * (MOST_BYTES + 1)), "cut")]),
    )
    await letters.close()

    consumer = AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition(f"{log}.dead", 0)])
    found = [await asyncio.wait_for(consumer.getone(), 30) for _ in range(2)]
    await consumer.stop()
    first, second = sorted(found, key=lambda each: len(each.value))
    assert first.value == b"nonsense"
    assert dict(first.headers) == {
        "reason": b"unreadable",
        "message": b"not ours",
        "topic": log.encode(),
        "partition": b"3",
        "offset": b"7",
        "appended_ms": b"1000",
    }
    assert len(second.value) == MOST_BYTES
    assert dict(second.headers)["topic"] == f"{log}.2".encode()
    assert dict(second.headers)["value_bytes"] == b"%d" % (MOST_BYTES + 1)
