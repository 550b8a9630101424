import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.catalogue import Artist, Change, EntityKind, Removed, Track
from domain.ports import Log
from domain.positions import GENERATION_SHIFT
from stores.catalogue_log import PARTITIONS, CatalogueLog
from stores.kafka_log import KafkaLog
from stores.sqlite_log import SqliteLog
from tests.clock import Clock, RunningClock
from tests.memory_log import MemoryLog

NINA, MILES = Artist("a", "Nina"), Artist("m", "Miles")
SECOND = 1 << GENERATION_SHIFT


@pytest.fixture(params=["sqlite", "memory", pytest.param("kafka", marks=pytest.mark.servers)])
async def records(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Log]:
    clock = Clock(5_000)
    log: Log = MemoryLog(clock, PARTITIONS)
    if request.param == "sqlite":
        log = SqliteLog.open(tmp_path / "catalogue.db", partitions=PARTITIONS, now_ms=clock)
    if request.param == "kafka":
        servers = str(request.getfixturevalue("kafka")).removeprefix("kafka://")
        topic = f"{tmp_path.parent.name}-{tmp_path.name}.catalogue"
        log = KafkaLog(servers, topic=topic, partitions=PARTITIONS, now_ms=RunningClock(0))
    yield log
    await log.close()


@pytest.fixture
def log(records: Log) -> CatalogueLog:
    return CatalogueLog(records)


async def changes_behind(log: CatalogueLog, place: int) -> list[Change]:
    found: list[Change] = []
    while records := await log.read(place):
        found += [change for record in records for change in record.changes]
        place = records[-1].position
    return found


async def test_what_is_published_is_read_in_its_order(log: CatalogueLog) -> None:
    first = await log.publish([NINA, MILES])
    second = await log.publish([Removed(EntityKind.ARTIST, "a")])

    (one, other) = await log.read(0)

    assert (one.position, one.changes) == (first, [NINA, MILES])
    assert 5_000 <= one.appended_ms <= other.appended_ms
    assert (other.position, other.changes) == (second, [Removed(EntityKind.ARTIST, "a")])
    assert await log.read(first) == [other]
    assert await log.read(second) == []
    assert await log.end() == second


async def test_many_changes_have_one_place_behind_them(log: CatalogueLog) -> None:
    place = await log.publish([Track(f"t{number}", "x") for number in range(3_000)])

    assert place == await log.end() == 3
    assert len(await changes_behind(log, 0)) == 3_000


async def test_publishing_nothing_tells_the_end(log: CatalogueLog) -> None:
    place = await log.publish([NINA])

    assert await log.publish([]) == place


async def test_what_cannot_be_held_is_not_published(log: CatalogueLog) -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        await log.publish([NINA, Artist("", "x")])

    assert await log.end() == 0


async def test_a_group_has_what_it_committed(log: CatalogueLog) -> None:
    place = await log.publish([NINA])
    assert await log.applied() == 0

    await log.commit(place)

    assert await log.applied() == place
    assert await log.applied("index") == 0


async def test_waiting_ends_when_it_is_applied_or_takes_too_long(log: CatalogueLog) -> None:
    place = await log.publish([NINA])
    waiting = asyncio.create_task(log.await_applied(place, 5.0))
    assert not await log.await_applied(place, 0.0)

    await log.commit(place)

    assert await waiting


async def test_another_log_than_that_of_the_store_goes_on_behind_it(log: CatalogueLog) -> None:
    await log.publish([NINA])

    await log.begin_behind(1)
    assert await log.end() == 1
    await log.begin_behind(SECOND + 7)  # two generations on

    place = await log.publish([MILES])
    assert place == 2 * SECOND + 1
    assert await changes_behind(log, 0) == [NINA, MILES]
    assert await changes_behind(log, SECOND + 7) == [MILES]
    await log.commit(1)
    assert await log.applied() == 1
    await log.commit(place)
    assert await log.applied() == place


async def test_a_record_that_does_not_decode_has_no_changes(
    log: CatalogueLog, records: Log, caplog: pytest.LogCaptureFixture
) -> None:
    await records.append([(0, b"nonsense")])
    await log.publish([NINA])

    assert [list(record.changes) for record in await log.read(0)] == [[], [NINA]]
    assert "left out a record" in caplog.text
