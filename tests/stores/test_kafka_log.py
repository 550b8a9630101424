import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from domain.errors import Unavailable
from domain.ports import Log
from domain.positions import Generation
from stores.kafka_brokers import Brokers
from stores.kafka_log import MOST_PAYLOAD_BYTES, TOPIC_SETTINGS, KafkaLog
from tests.servers.broker import Broker, own_broker
from tests.servers.ports import free_ports

FIRST = Generation(0, 2)
ALL = 1 << 30
PATIENCE_S = 2.0
TOPICS = ["settled", "settled.1"]
Call = Callable[[Log], Awaitable[object]]
CALLS: dict[str, Call] = {
    "generation": lambda log: log.generation(),
    "append": lambda log: log.append([(0, b"a")]),
    "read": lambda log: log.read(FIRST, 0, 0, most_bytes=1),
    "ends": lambda log: log.ends(FIRST),
    "wait": lambda log: log.wait(1),
    "commit": lambda log: log.commit("shards", FIRST, {0: 1}),
    "committed": lambda log: log.committed("shards", FIRST),
    "trim": lambda log: log.trim(before_ms=0, keep_bytes=0),
    "trimmed_ms": lambda log: log.trimmed_ms(),
}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def opened(
    servers: str, topic: str, patience_s: float = PATIENCE_S
) -> AsyncIterator[KafkaLog]:
    log = KafkaLog(
        servers, partitions=FIRST.partitions, now_ms=now_ms, topic=topic, patience_s=patience_s
    )
    try:
        yield log
    finally:
        await log.close()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with own_broker(tmp_path_factory.mktemp("broker")) as started:
        yield started


async def appended_at_last(log: Log, payload: bytes) -> int:
    """Append as a client does that tries again, to a broker that is on its way back."""
    async with asyncio.timeout(60):
        while True:
            with suppress(Unavailable):
                return (await log.append([(0, payload)]))[0]


async def payloads(log: Log) -> list[bytes]:
    return [record.payload for record in await log.read(FIRST, 0, 0, most_bytes=ALL)]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_a_log_that_is_away_is_unavailable(call: Call) -> None:
    (port,) = free_ports(1)
    async with opened(f"127.0.0.1:{port}", "away", patience_s=0.2) as log:
        with pytest.raises(Unavailable, match=str(port)):
            await call(log)


@pytest.mark.beside
@pytest.mark.servers
async def test_what_was_acknowledged_outlives_a_broker_that_is_killed(broker: Broker) -> None:
    async with opened(broker.servers, "killed") as log:
        assert await log.append([(0, b"before")]) == [0]
        await log.commit("shards", FIRST, {0: 1})
        broker.kill()
        with pytest.raises(Unavailable):
            await log.append([(1, b"meanwhile")])
        with pytest.raises(Unavailable):
            await log.ends(FIRST)

        broker.start_again()

        await appended_at_last(log, b"after")

        appended = await payloads(log)
        assert appended[0] == b"before"
        assert set(appended[1:]) == {b"after"}
        assert await log.committed("shards", FIRST) == [1, 0]


@pytest.mark.beside
@pytest.mark.servers
async def test_what_a_frozen_broker_did_not_answer_may_be_appended_again(broker: Broker) -> None:
    async with opened(broker.servers, "frozen") as log:
        await log.append([(0, b"before")])
        broker.freeze()
        with pytest.raises(Unavailable):
            await log.append([(0, b"again")])
        broker.thaw()

        offset = await appended_at_last(log, b"again")

        appended = await payloads(log)
        assert offset == len(appended) - 1
        assert appended[0] == b"before"
        assert set(appended[1:]) == {b"again"}


@pytest.mark.servers
async def test_large_records_go_through_and_larger_ones_are_refused(kafka: str) -> None:
    async with opened(kafka.removeprefix("kafka://"), "large", patience_s=30) as log:
        large = [(0, bytes([number]) * MOST_PAYLOAD_BYTES) for number in range(8)]

        assert await log.append(large) == list(range(8))
        assert await payloads(log) == [payload for _, payload in large]
        with pytest.raises(ValueError, match="too large"):
            await log.append([(0, b"x" * (MOST_PAYLOAD_BYTES + 1))])


@pytest.mark.servers
async def test_a_producer_that_has_failed_is_replaced(kafka: str) -> None:
    async with opened(kafka.removeprefix("kafka://"), "failed") as log:
        await log.append([(0, b"before")])
        assert log._producer
        log._producer._message_accumulator.fail_all(KafkaError("the sender is gone"))
        with pytest.raises(Unavailable, match="the sender is gone"):
            await log.append([(0, b"meanwhile")])

        assert await log.append([(0, b"after")]) == [1]


@pytest.mark.servers
async def test_topics_are_stamped_by_the_broker_and_kept_until_trimmed(kafka: str) -> None:
    servers = kafka.removeprefix("kafka://")
    async with opened(servers, "settled") as log:
        await log.begin_generation(3)

        admin = AIOKafkaAdminClient(bootstrap_servers=servers)
        await admin.start()
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in TOPICS]
        (answer,) = await admin.describe_configs(resources)
        await admin.close()

    settings = [{name: value for name, value, *_ in topic[4]} for topic in answer.resources]
    assert len(settings) == len(TOPICS)
    for topic in settings:
        assert topic["message.timestamp.type"] == "LogAppendTime"
        assert (topic["retention.ms"], topic["retention.bytes"]) == ("-1", "-1")
        assert topic["cleanup.policy"] == "delete"


@pytest.mark.servers
@pytest.mark.parametrize(
    ("setting", "value"),
    [("message.timestamp.type", "CreateTime"), ("cleanup.policy", "compact")],
)
async def test_a_topic_that_somebody_made_otherwise_is_refused(
    kafka: str, setting: str, value: str
) -> None:
    servers, topic = kafka.removeprefix("kafka://"), f"otherwise-{value}"
    brokers = Brokers(servers, patience_s=30)
    await brokers.create_topic(topic, 2, {**TOPIC_SETTINGS, setting: value})
    await brokers.close()

    async with opened(servers, topic) as log:
        with pytest.raises(Unavailable, match=f"{topic} of Kafka has {setting}={value}"):
            await log.generation()


@pytest.mark.servers
async def test_two_that_begin_a_generation_at_once_agree_on_one(kafka: str) -> None:
    servers = kafka.removeprefix("kafka://")
    async with opened(servers, "begun") as log, opened(servers, "begun") as other:
        await log.generation()

        outcomes = await asyncio.gather(
            log.begin_generation(3), other.begin_generation(4), return_exceptions=True
        )

        begun = [outcome for outcome in outcomes if isinstance(outcome, Generation)]
        assert [await log.generation(), await other.generation()] == begun[-1:] * 2
        assert len(await log.generations()) == 1 + len(begun)
