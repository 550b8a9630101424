"""Faults of Faust that our consumer is built around. When one of these fails, Faust has changed: see
what the consumer can do without (docs/decisions: Faust acknowledges what the shards have committed).
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import faust
import pytest
from faust.contrib.asgi import faust_app_running
from faust.transport.consumer import Consumer

from domain.positions import Generation
from stores.kafka_log import KafkaLog
from tests.streams.consumer_group import now_ms

ONE = Generation(0, 1)
PATIENCE_S = 60.0
Body = Callable[["Bodies", Any], Any]


class Acks:
    """As much of Faust's consumer as counts acknowledgements."""

    def __init__(self, committed: int | None, acked: Sequence[int]) -> None:
        self._gap = {"p": ()}
        self._acked = {"p": list(acked)}
        self._acked_index = {"p": set(acked)}
        self._committed_offset = {"p": committed}


@pytest.mark.parametrize(
    ("committed", "acked", "next_committed"),
    [
        pytest.param(31, [32, 33], 34, id="over-a-record-that-was-never-acknowledged"),
        pytest.param(None, [1, 2], 3, id="over-the-head-in-a-fresh-group"),
        pytest.param(0, [5, 6], 7, id="over-five-at-the-beginning"),
        pytest.param(31, [33, 34], None, id="right-when-two-are-missing"),
        pytest.param(31, [31, 32, 34], 33, id="right-when-in-order"),
    ],
)
def test_acknowledgements_out_of_order_are_committed(
    committed: int | None, acked: Sequence[int], next_committed: int | None
) -> None:
    acks: Any = Acks(committed, acked)
    assert Consumer._new_offset(acks, "p") == next_committed  # type: ignore[arg-type]


class Bodies:
    """What agents do, each with a mistake at the first record."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def see(self, values: Sequence[bytes]) -> None:
        self.seen += values
        if b"0" in values:
            raise ValueError("a mistake in the body")

    async def iterates(self, stream: Any) -> None:
        async for value in stream:
            self.see([value])

    async def takes(self, stream: Any) -> None:
        async for values in stream.take(1, within=1):
            self.see(values)

    async def acknowledges_by_itself(self, stream: Any) -> None:
        async for event in stream.noack().events():
            self.see([event.value])
            event.ack()


class Broken:
    """A Faust app with one agent, on a topic of three records."""

    def __init__(self, servers: str, body: Callable[[Any], Any], data: Path) -> None:
        self.topic = f"faults-{uuid4().hex[:12]}"
        self.log = KafkaLog(servers, partitions=1, now_ms=now_ms, topic=self.topic)
        self.app = faust.App(
            f"{self.topic}.agents",
            broker=f"kafka://{servers}",
            broker_commit_interval=0.1,
            datadir=str(data),
            stream_wait_empty=False,
            table_standby_replicas=0,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
        )
        topic = self.app.topic(self.topic, key_serializer="raw", value_serializer="raw")
        self.app.agent(topic, name="agent")(body)

    async def run_until_committed(self, offset: int) -> None:
        await self.log.append([(0, b"%d" % each) for each in range(3)])
        async with faust_app_running(self.app, stop_timeout=PATIENCE_S):
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    (committed,) = await self.log.committed(self.app.conf.id, ONE)
                    if committed == offset:
                        break
                    await asyncio.sleep(0.05)
        await self.log.close()


@pytest.mark.beside
@pytest.mark.servers
@pytest.mark.parametrize("body", [Bodies.iterates, Bodies.takes])
async def test_a_record_on_which_the_body_raises_is_committed(
    kafka: str, body: Body, tmp_path: Path
) -> None:
    bodies = Bodies()
    broken = Broken(kafka.removeprefix("kafka://"), partial(body, bodies), tmp_path)

    await broken.run_until_committed(3)

    assert bodies.seen == [b"0", b"1", b"2"]


@pytest.mark.beside
@pytest.mark.servers
async def test_what_an_agent_did_not_acknowledge_never_comes_again_and_is_committed_over(
    kafka: str, tmp_path: Path
) -> None:
    bodies = Bodies()
    broken = Broken(kafka.removeprefix("kafka://"), bodies.acknowledges_by_itself, tmp_path)

    await broken.run_until_committed(3)

    assert bodies.seen == [b"0", b"1", b"2"]
