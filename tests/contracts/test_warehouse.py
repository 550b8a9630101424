"""What the warehouse and the archive do, in files and on S3. To add a place, add it to `PLACES`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest

from domain.batches import SCHEMA, batch_of, heartbeats_of
from domain.errors import Unavailable
from domain.hashing import partition_of
from domain.heartbeats import Heartbeat, Kind
from domain.log_records import records_of
from domain.payloads import encode, encode_erase
from domain.ports import Log, Record
from domain.positions import ARCHIVE, Generation
from domain.units import DAY_MS, MINUTE_MS
from heartline.settings import Settings
from heartline.warehouses import open_warehouse
from stores.kafka_log import KafkaLog
from stores.sqlite_log import SqliteLog
from stores.warehouse import ARCHIVED, BUCKETS, SMALL_FILES, Warehouse
from streams.archive import Archive
from tests.clock import MONDAY_MS, Clock, RunningClock
from tests.memory_log import MemoryLog

Open = Callable[[], Warehouse]
LATEST_MS = MONDAY_MS + 300 * DAY_MS


def files(folder: Path, _request: pytest.FixtureRequest) -> tuple[Settings, Mapping[str, str]]:
    return Settings(folder), {}


def s3(folder: Path, request: pytest.FixtureRequest) -> tuple[Settings, Mapping[str, str]]:
    given: Mapping[str, str] = request.getfixturevalue("s3")
    bucket, _, rest = given["HEARTLINE_OBJECTS"].partition("?")
    objects = f"{bucket}/{folder.parent.name}/{folder.name}?{rest}"
    return Settings(folder, objects=objects), given


PLACES = {"files": files, "s3": s3}


@pytest.fixture(params=["files", pytest.param("s3", marks=pytest.mark.servers)])
def settings(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    made, environ = PLACES[request.param](tmp_path, request)
    for name, value in environ.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def opened(settings: Settings) -> Open:
    return lambda: open_warehouse(settings, make=True)


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog(Clock(MONDAY_MS + DAY_MS), 3)


def beats(name: str, count: int, *, at: int = MONDAY_MS, play: str = "p") -> list[Heartbeat]:
    return [
        Heartbeat(
            id=f"{name}-{number}",
            listener_id=name,
            track_id="t\u00e4\u2603",
            play_id=play,
            stretch=number,
            kind=Kind.BEAT,
            at=at + number * MINUTE_MS // 2,
            position_ms=number,
            device_id="phone",
            context="album:1",
        )
        for number in range(count)
    ]


def held(warehouse: Warehouse, *, since_ms: int = 1) -> list[Heartbeat]:
    """Every heartbeat that the warehouse has; by default without erasures, which are of the instant 0."""
    tables = [
        warehouse.read(SCHEMA.names, bucket=bucket, first_ms=since_ms, last_ms=LATEST_MS)
        for bucket in range(BUCKETS)
    ]
    found = [
        beat for table in tables for batch in table.to_batches() for beat in heartbeats_of(batch)
    ]
    return sorted(found, key=lambda beat: (beat.listener_id, beat.at, beat.id))


async def test_every_heartbeat_comes_whole(log: MemoryLog, opened: Open) -> None:
    sent = [*beats("ann", 3), *beats("bob", 5, at=MONDAY_MS + DAY_MS - MINUTE_MS)]
    await log.put(sent[:3])
    await log.put(sent[3:])
    warehouse = opened()

    await Archive(log, warehouse).write_all()

    assert held(warehouse) == sent
    assert warehouse.archived(await log.generation()) == await log.ends(await log.generation())


async def test_where_it_stood_in_the_log_is_told(log: MemoryLog, opened: Open) -> None:
    await log.put(beats("ann", 2))
    await log.put(beats("ann", 1, at=MONDAY_MS + DAY_MS))
    warehouse = opened()
    await Archive(log, warehouse).write_all()

    where = ["generation", "partition", "offset", "appended_ms"]
    rows = [
        row
        for bucket in range(BUCKETS)
        for row in warehouse.read(where, bucket=bucket, first_ms=0, last_ms=LATEST_MS).to_pylist()
    ]

    partition = partition_of("ann", 3)
    stood = [(0, partition, offset, MONDAY_MS + DAY_MS) for offset in (0, 0, 1)]
    assert sorted(tuple(row.values()) for row in rows) == stood


async def test_only_the_days_and_the_bucket_asked_for_are_read(
    log: MemoryLog, opened: Open
) -> None:
    for day in range(4):
        await log.put(beats("ann", 2, at=MONDAY_MS + day * DAY_MS))
    warehouse = opened()
    await Archive(log, warehouse).write_all()
    first_ms, last_ms = MONDAY_MS + DAY_MS + 1, MONDAY_MS + 2 * DAY_MS

    found = [
        warehouse.read(["at"], bucket=bucket, first_ms=first_ms, last_ms=last_ms)
        for bucket in range(BUCKETS)
    ]

    assert sorted(table.num_rows for table in found) == [0] * (BUCKETS - 1) + [2]


async def test_another_archive_goes_on_where_the_first_ended(log: MemoryLog, opened: Open) -> None:
    await log.put(beats("ann", 2))
    await Archive(log, opened()).write_all()
    await log.put(beats("ann", 1, at=MONDAY_MS + DAY_MS))
    again, warehouse = opened(), opened()

    await Archive(log, again).write_all()

    assert len(held(again)) == 3
    warehouse.refresh()
    assert warehouse.version == again.version


async def test_what_was_written_is_not_written_again_when_the_commit_to_the_log_was_lost(
    log: MemoryLog, opened: Open
) -> None:
    await log.put(beats("ann", 2))
    await Archive(log, opened()).write_all()
    log.commits.clear()
    warehouse = opened()

    await Archive(log, warehouse).write_all()

    generation = await log.generation()
    assert len(held(warehouse)) == 2
    assert await log.committed(ARCHIVE, generation) == await log.ends(generation)


async def test_of_two_that_write_the_same_records_one_is_refused(
    log: MemoryLog, opened: Open
) -> None:
    for number in range(30):
        await log.put(beats(f"listener-{number}", 2))
    archives = [Archive(log, opened(), most_bytes=500) for _ in range(2)]

    await asyncio.gather(*(archive.write_all() for archive in archives))

    assert len(held(opened())) == 60
    assert sum(archive.records for archive in archives) == 30


async def test_a_writer_that_saw_an_older_table_adds_nothing(log: MemoryLog, opened: Open) -> None:
    await log.put(beats("ann", 2))
    late = opened()
    await Archive(log, opened()).write_all()
    nothing = ARCHIVED.empty_table()

    assert not late.append(nothing, {(0, 0): 1})

    late.refresh()
    assert late.append(nothing, {(0, 0): 1})


async def test_older_generations_come_first_and_whole(log: MemoryLog, opened: Open) -> None:
    await log.put(beats("ann", 2))
    await log.begin_generation(5)
    await log.put(beats("ann", 3, at=MONDAY_MS + DAY_MS))
    warehouse = opened()
    archive = Archive(log, warehouse)

    assert await archive.write_some() == 1
    assert len(held(warehouse)) == 2
    assert await archive.write_some() == 1

    assert len(held(warehouse)) == 5
    assert warehouse.archived(await log.generation()) == await log.ends(await log.generation())


async def test_a_record_that_cannot_be_read_is_left_out(
    log: MemoryLog, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    payloads = [encode(batch_of(beats(f"ann-{number}", 2))) for number in range(40)]
    payloads[3], payloads[20] = b"nonsense", payloads[20][:-1]
    await log.append([(0, payload) for payload in payloads])
    warehouse = opened()

    await Archive(log, warehouse).write_all()

    rows = [
        row
        for bucket in range(BUCKETS)
        for row in warehouse.read(
            ["listener_id", "offset"], bucket=bucket, first_ms=0, last_ms=LATEST_MS
        ).to_pylist()
    ]
    assert sorted((row["offset"], row["listener_id"]) for row in rows) == [
        (number, f"ann-{number}") for number in range(40) if number not in {3, 20} for _ in range(2)
    ]
    assert [record.__dict__["offset"] for record in caplog.records] == [3, 20]
    assert warehouse.archived(await log.generation())[0] == 40


class GrowingLog(MemoryLog):
    """Somebody appends whenever it is read."""

    async def read(
        self, generation: Generation, partition: int, offset: int, *, most_bytes: int
    ) -> list[Record]:
        found = await super().read(generation, partition, offset, most_bytes=most_bytes)
        await self.put(beats("bob", 1))
        return found


async def test_a_round_ends_while_heartbeats_come_in(opened: Open) -> None:
    log = GrowingLog(Clock(MONDAY_MS + DAY_MS), 1)
    await log.put(beats("ann", 1))
    warehouse = opened()

    await Archive(log, warehouse).write_all()

    assert [beat.listener_id for beat in held(warehouse)] == ["ann"]


async def test_an_erased_listener_is_gone_and_stays_so(log: MemoryLog, opened: Open) -> None:
    await log.put(beats("ann", 2))
    await log.put(beats("o'brien", 2))
    await log.put(beats("bob", 2))
    first, second = Archive(log, opened()), Archive(log, opened())
    await first.write_all()
    await second.write_all()
    for name in ("ann", "o'brien"):
        await log.append([(partition_of(name, 3), encode_erase(name))])
    await first.write_all()
    await log.put(beats("ann", 2, at=MONDAY_MS + DAY_MS))
    warehouse = opened()

    await second.write_all()

    warehouse.refresh()
    assert {beat.listener_id for beat in held(warehouse)} == {"bob"}
    assert warehouse.erased() == {"ann", "o'brien"}


async def test_what_is_erased_in_the_record_that_follows_never_comes(
    log: MemoryLog, opened: Open
) -> None:
    await log.put(beats("ann", 2))
    await log.append([(partition_of("ann", 3), encode_erase("ann"))])
    warehouse = opened()

    await Archive(log, warehouse).write_all()

    assert held(warehouse) == []


async def test_records_that_the_log_no_longer_had_are_known_to_be_missing(
    log: MemoryLog, opened: Open
) -> None:
    await log.put(beats("ann", 2))
    await log.put(beats("ann", 2, at=MONDAY_MS + DAY_MS))
    generation, partition = await log.generation(), partition_of("ann", 3)
    await log.commit("shards", generation, {partition: 1})
    assert await log.trim(before_ms=1 << 50, keep_bytes=0) == 1
    warehouse = opened()
    assert warehouse.lacking_ms == 0

    await Archive(log, warehouse).write_all()

    assert warehouse.lacking_ms == MONDAY_MS + DAY_MS
    assert opened().lacking_ms == MONDAY_MS + DAY_MS


async def test_the_log_keeps_what_the_warehouse_lacks(log: MemoryLog, opened: Open) -> None:
    warehouse = opened()
    archive = Archive(log, warehouse)
    await archive.write_all()
    await log.put(beats("ann", 2))
    await log.commit("shards", await log.generation(), dict.fromkeys(range(3), 1))

    assert await log.trim(before_ms=1 << 50, keep_bytes=0) == 0
    await archive.write_all()
    assert await log.trim(before_ms=1 << 50, keep_bytes=0) == 1


async def test_small_files_become_one_and_nothing_is_lost(log: MemoryLog, opened: Open) -> None:
    warehouse = opened()
    archive = Archive(log, warehouse)
    sent = []
    for number in range(SMALL_FILES):
        sent += (fresh := beats("ann", 1, at=MONDAY_MS + number, play=f"p{number}"))
        await log.put(fresh)
        await archive.write_some()

    assert await archive.tidy() == SMALL_FILES
    assert await archive.tidy(thoroughly=True) == 0

    assert held(warehouse) == sorted(sent, key=lambda beat: beat.at)
    assert warehouse.archived(await log.generation()) == await log.ends(await log.generation())


def sqlite_log(folder: Path, _request: pytest.FixtureRequest) -> Log:
    return SqliteLog.open(folder / "log.db", partitions=3, now_ms=Clock(MONDAY_MS))


def kafka_log(folder: Path, request: pytest.FixtureRequest) -> Log:
    servers = str(request.getfixturevalue("kafka")).removeprefix("kafka://")
    topic = f"{folder.parent.name}-{folder.name}"
    return KafkaLog(servers, partitions=3, now_ms=RunningClock(0), topic=topic)


@pytest.fixture(params=[sqlite_log, pytest.param(kafka_log, marks=pytest.mark.servers)])
async def real_log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Log]:
    opened: Log = request.param(tmp_path, request)
    yield opened
    await opened.close()


async def test_any_log_is_carried_and_let_go_of(real_log: Log, tmp_path: Path) -> None:
    sent = [*beats("ann", 3), *beats("bob", 3)]
    await real_log.append(records_of([batch_of(sent)], 3))
    warehouse = open_warehouse(Settings(tmp_path), make=True)

    await Archive(real_log, warehouse).write_all()
    await real_log.begin_generation(5)
    await real_log.append(records_of([batch_of(beats("cid", 3))], 5))
    await Archive(real_log, warehouse).write_all()

    assert held(warehouse) == [*sent, *beats("cid", 3)]
    for each in await real_log.generations():
        assert await real_log.committed(ARCHIVE, each) == await real_log.ends(each)
        assert warehouse.archived(each) == await real_log.ends(each)


@pytest.mark.servers
def test_what_s3_refuses_is_told_in_a_line_without_the_secret(
    tmp_path: Path, s3: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ({**s3, "AWS_SECRET_ACCESS_KEY": "a-wrong-secret"}).items():
        monkeypatch.setenv(name, value)
    settings = Settings(tmp_path, objects=s3["HEARTLINE_OBJECTS"])

    with pytest.raises(Unavailable, match=r"the warehouse: .*403 Forbidden") as raised:
        open_warehouse(settings, make=True)

    told = str(raised.value)
    assert "a-wrong-secret" not in told
    assert told.isprintable()
