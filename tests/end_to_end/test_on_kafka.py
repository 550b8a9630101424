"""The whole of Heartline with its log on a real Kafka."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from domain.hashing import partition_of
from stores.kafka_log import TOPIC
from tests.end_to_end.numbered_load import NumberedLoad
from tests.end_to_end.running import (
    CALL,
    MINUTE_MS,
    PATIENCE_S,
    Up,
    beats_of,
    ended,
    environment,
    listen,
    listened_ms,
    start,
    until,
)
from tests.servers.fleet import PROGRAMS
from tests.servers.kafka import Kafka
from tests.servers.programs import Missing
from tests.servers.running import Running, launch, stop, wait_until_ready

pytestmark = [
    pytest.mark.beside,
    pytest.mark.end_to_end,
    pytest.mark.servers,
    pytest.mark.timeout(300),
]

PARTITIONS = 8


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A Kafka of our own, since it is hurt."""
    try:
        Kafka().install(PROGRAMS)
    except Missing as missing:
        pytest.skip(str(missing))
    home = tmp_path_factory.mktemp("kafka")
    running = launch(Kafka(), home, PROGRAMS, usual_ports=False, with_us=True)
    wait_until_ready(running)
    yield running
    os.kill(running.pid, signal.SIGCONT)
    stop(running)


@pytest.fixture(scope="module")
def up(broker: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    flags = ["--log", url(broker), "--partitions", str(PARTITIONS), "--consumers", "2"]
    started = start(tmp_path_factory.mktemp("up") / "data", *flags)
    yield started
    ended(started)


def url(broker: Running) -> str:
    return broker.settings["HEARTLINE_LOG"]


def told_by(up: Up, broker: Running, *command: str) -> dict[str, object]:
    """Ask a command that has the log from the environment."""
    done = subprocess.run(
        [sys.executable, "-c", CALL, *command, "--data", str(up.data), "--json"],
        capture_output=True,
        text=True,
        env={**environment(), "HEARTLINE_LOG": url(broker)},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def test_what_was_listened_is_counted_and_nothing_is_in_the_data_directory(
    up: Up, broker: Running
) -> None:
    _, ann = up.listener("ann")
    listen(ann, "one", minutes=10)

    until(lambda: listened_ms(ann) == 10 * MINUTE_MS)

    assert not (up.data / "log.db").exists()
    assert told_by(up, broker, "status")["url"] == up.url


async def test_what_another_producer_writes_to_kafka_is_counted_once(
    up: Up, broker: Running
) -> None:
    listener_id, amy = up.listener("amy")
    beats = beats_of("single", 10, listener_id=listener_id)
    singles = [json.dumps(beat).encode() for beat in beats]
    producer = AIOKafkaProducer(bootstrap_servers=f"127.0.0.1:{broker.place.port}")
    await producer.start()
    await asyncio.gather(
        *[await producer.send("heartbeats_json", single) for single in [*singles, b"?", *singles]]
    )
    await producer.stop()
    for pid in up.find("ray::_Gatherer"):
        os.kill(pid, signal.SIGKILL)

    until(lambda: listened_ms(amy) == 10 * MINUTE_MS)


def test_a_killed_shard_goes_on_from_kafka(up: Up) -> None:
    _, eve = up.listener("eve")
    listen(eve, "before", minutes=2)
    for pid in up.find("ray::_Shard"):
        os.kill(pid, signal.SIGKILL)
    listen(eve, "after", minutes=5)

    until(lambda: listened_ms(eve) == 5 * MINUTE_MS)


def test_a_killed_consumer_goes_on_where_its_group_was(up: Up) -> None:
    _, kim = up.listener("kim")
    listen(kim, "before", minutes=2)
    for pid in up.find("ray::_Consumer"):
        os.kill(pid, signal.SIGKILL)
    listen(kim, "after", minutes=5)

    until(lambda: listened_ms(kim) == 5 * MINUTE_MS)


def test_a_record_that_does_not_decode_goes_to_the_dead_letters(up: Up, broker: Running) -> None:
    servers = url(broker).removeprefix("kafka://")
    listener_id, liz = up.listener("liz")
    asyncio.run(appended(servers, partition_of(listener_id, PARTITIONS), b"nonsense"))
    listen(liz, "after", minutes=3)

    until(lambda: listened_ms(liz) == 3 * MINUTE_MS)
    assert asyncio.run(first(servers, f"{TOPIC}.dead")) == b"nonsense"


async def appended(servers: str, partition: int, payload: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await producer.send_and_wait(TOPIC, payload, partition=partition)


async def first(servers: str, topic: str) -> bytes | None:
    """Read the first record of the only partition of a topic."""
    async with AIOKafkaConsumer(bootstrap_servers=servers) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek(TopicPartition(topic, 0), 0)
        async with asyncio.timeout(PATIENCE_S):
            record = await consumer.getone()
    value: bytes | None = record.value
    return value


def test_a_broker_that_is_frozen_loses_nothing_and_counts_nothing_twice(
    up: Up, broker: Running
) -> None:
    _, tom = up.listener("tom")
    load = NumberedLoad(tom)
    load.start()
    until(lambda: load.acknowledged > 20)

    os.kill(broker.pid, signal.SIGSTOP)
    until(lambda: len(load.refused) > 0)
    os.kill(broker.pid, signal.SIGCONT)
    before = load.acknowledged
    until(lambda: load.acknowledged > before + 20)
    load.finish()

    until(load.is_counted)
    assert {answer.status_code for answer in load.answers} == {503}
    assert told_by(up, broker, "recount")["differences"] == []
