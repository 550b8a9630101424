"""Gatherers on a real Kafka, and what may happen to them there."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from domain.errors import Unavailable
from domain.heartbeats import Heartbeat
from stores.kafka_brokers import LATEST, Brokers
from stores.kafka_dead_letters import DeadLetter, KafkaDeadLetters
from stores.kafka_singles import TOPIC_SETTINGS, KafkaSingles, kafka_singles
from streams.gather import Gatherer, Tally
from streams.single_records import Single
from tests.end_to_end.running import CALL
from tests.serve.bodies import LATE_LIMIT_DAYS
from tests.servers.broker import Broker, own_broker
from tests.streams.bay import bay, heartbeats, listened_by, value_of
from tests.streams.single import written

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with own_broker(tmp_path_factory.mktemp("broker")) as started:
        yield started


def values(beats: Sequence[Heartbeat]) -> list[bytes]:
    return [value_of(beat) for beat in beats]


def in_order(beats: Sequence[Heartbeat]) -> list[Heartbeat]:
    return sorted(beats, key=lambda beat: beat.at)


async def test_a_record_of_nothing_is_kept_aside_as_any_other(kafka: str, tmp_path: Path) -> None:
    here = await bay(kafka, "nothing", tmp_path)
    await here.send([None])

    async with here.gathering() as tally:
        await here.until_told(tally, refused=1)
        (letter,) = await here.dead(1)

    assert (letter.key, letter.value, tally.trouble) == (b"key", None, 0)


async def test_letters_of_nothing_and_many_letters_are_taken(kafka: str) -> None:
    servers = kafka.removeprefix("kafka://")
    there = KafkaDeadLetters(servers, "nothing.dead")
    nothing = DeadLetter(None, None, {"reason": "invalid"})
    try:
        await there.put([nothing] * 5_000)
    finally:
        await there.close()

    brokers = Brokers(servers, patience_s=30)
    try:
        ends = await brokers.offsets("nothing.dead", {0: LATEST})
    finally:
        await brokers.close()
    assert ends == {0: 5_000}


async def test_what_other_producers_write_is_in_the_log_or_kept_aside(
    kafka: str, tmp_path: Path
) -> None:
    here, beats = await bay(kafka, "gathered", tmp_path), heartbeats(0, 2_000)
    old = written(id="old", at=0)

    async with here.gathering() as tally:
        await here.send([*values(beats[:1_000]), b"?"])
        await here.send([*values(beats[1_000:]), b"?"], codec="gzip")
        await here.send([old])
        there = await here.until_gathered(beats)
        letters = await here.dead(3)
        await here.until_told(tally, refused=3)

    assert in_order(there) == beats
    assert sorted(letter.value for letter in letters) == [b"?", b"?", old]
    assert dict(letters[-1].headers)["reason"] == b"too_old"
    assert letters[-1].key == b"key"
    assert (tally.gathered, tally.refused.total(), tally.trouble) == (2_000, 3, 0)


class NeverCommits:
    """Singles of a member that dies before each commit."""

    def __init__(self, singles: KafkaSingles) -> None:
        self._singles = singles
        self.asked = asyncio.Event()

    async def take(self, most: int) -> Sequence[Single]:
        return await self._singles.take(most)

    async def commit(self) -> None:
        self.asked.set()
        await asyncio.Event().wait()


async def test_a_death_between_append_and_commit_changes_no_count(
    kafka: str, tmp_path: Path
) -> None:
    here, beats = await bay(kafka, "twice", tmp_path), heartbeats(0, 1_000)
    await here.send(values(beats))
    log, box = here.log(), KafkaDeadLetters(here.address.servers, f"{here.singles}.dead")
    async with kafka_singles(here.address.servers, here.singles) as singles:
        dying = NeverCommits(singles)
        gatherer = Gatherer(dying, log, box, late_limit_days=LATE_LIMIT_DAYS, tally=Tally())
        task = asyncio.create_task(gatherer.run())
        async with asyncio.timeout(30):
            await dying.asked.wait()
        task.cancel()
    await log.close()
    twice = {beat.id for beat in await here.appended()}
    assert twice

    async with here.gathering():
        await here.until_gathered([beat for beat in beats if beat.id in twice], times=2)
        there = await here.until_gathered(beats)

    assert listened_by(there) == listened_by(beats)


async def test_gatherers_that_come_and_go_and_are_killed_lose_nothing(
    kafka: str, tmp_path: Path
) -> None:
    here, beats = await bay(kafka, "group", tmp_path), heartbeats(0, 6_000)
    killed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CALL, "gather", "--data", str(tmp_path)),
        env={**os.environ, "HEARTLINE_LOG": here.settings.log, "HEARTLINE_PARTITIONS": "3"},
        stderr=asyncio.subprocess.PIPE,
    )
    await here.send(values(beats[:1_000]))
    await here.until_gathered(beats[:1_000])
    async with here.gathering():
        await here.send(values(beats[1_000:3_000]))
        killed.kill()
        await here.send(values(beats[3_000:4_000]))
        async with here.gathering():
            await here.send(values(beats[4_000:5_000]))
        await here.send(values(beats[5_000:]))
        there = await here.until_gathered(beats)
    await killed.communicate()

    assert listened_by(there) == listened_by(beats)


async def test_a_gatherer_in_the_foreground_ends_cleanly(kafka: str, tmp_path: Path) -> None:
    here, beats = await bay(kafka, "foreground", tmp_path), heartbeats(0, 100)
    await here.send([*values(beats), b"?"])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CALL, "gather", "--data", str(tmp_path), "--json"),
        env={**os.environ, "HEARTLINE_LOG": here.settings.log, "HEARTLINE_PARTITIONS": "3"},
        stdout=asyncio.subprocess.PIPE,
    )
    await here.until_gathered(beats)
    await here.dead(1)
    await here.until_committed(101)
    process.send_signal(signal.SIGINT)
    told, _ = await process.communicate()

    assert process.returncode == 0
    assert told == b'{"gathered": 100, "refused": {"invalid": 1}}\n'


@pytest.mark.beside
async def test_a_broker_that_freezes_and_is_killed_loses_nothing(
    broker: Broker, tmp_path: Path
) -> None:
    here = await bay(f"kafka://{broker.servers}", "cut", tmp_path)
    beats = heartbeats(0, 6_000)

    async with here.gathering():
        await here.send(values(beats[:2_000]))
        await here.until_gathered(beats[:1])
        broker.freeze()
        sending = asyncio.create_task(here.send(values(beats[2_000:4_000])))
        with pytest.raises(Unavailable):
            await here.log().generation()
        broker.thaw()
        await sending
        await here.until_gathered(beats[:4_000])
        broker.kill()
        sending = asyncio.create_task(here.send(values(beats[4_000:])))
        broker.start_again()
        await sending
        there = await here.until_gathered(beats)

    assert listened_by(there) == listened_by(beats)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("message.timestamp.type", "CreateTime"), ("compression.type", "producer")],
)
async def test_a_topic_that_somebody_made_otherwise_is_refused(
    kafka: str, setting: str, value: str
) -> None:
    servers, topic = kafka.removeprefix("kafka://"), f"otherwise-{value}"
    brokers = Brokers(servers, patience_s=30)
    await brokers.create_topic(topic, 1, {**TOPIC_SETTINGS, setting: value})
    await brokers.close()

    with pytest.raises(Unavailable, match=f"{topic} of Kafka has {setting}={value}"):
        async with kafka_singles(servers, topic):
            pass
