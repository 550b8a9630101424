"""What is SQLite's own about the log: group commit, its clock between processes, its speed of waking."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from domain.errors import Unavailable
from domain.ports import Record
from domain.positions import MOST_GENERATIONS
from stores import sqlite_log
from stores.log_transactions import MOST_PAYLOAD_BYTES, advance
from stores.sqlite_log import SqliteLog
from tests.clock import Clock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
async def log(path: Path) -> AsyncIterator[SqliteLog]:
    opened = SqliteLog.open(path, partitions=2, now_ms=Clock(1_000))
    yield opened
    await opened.close()


async def test_an_append_of_this_instance_ends_the_waiting_at_once(
    log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_log, "POLL_S", 60)
    waiting = asyncio.create_task(log.wait(60))
    await asyncio.sleep(0)

    await log.append([(0, b"a")])

    async with asyncio.timeout(5):
        await waiting


async def test_appends_that_wait_together_share_a_transaction(path: Path, log: SqliteLog) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        appending = [asyncio.ensure_future(log.append([(0, b"a"), (1, b"b")])) for _ in range(200)]
        await asyncio.sleep(0)
        other.execute("COMMIT")
        given = await asyncio.gather(*appending)
        (transactions,) = other.execute("SELECT appends FROM marks").fetchone()

    assert given == [[number, number] for number in range(200)]
    assert transactions <= 2


async def test_the_logs_clock_never_goes_back_between_processes(path: Path, log: SqliteLog) -> None:
    behind = SqliteLog.open(path, partitions=2, now_ms=Clock(400))

    assert await log.now_ms() == 1_000
    assert await behind.now_ms() == 1_000
    assert await behind.append([(0, b"a")]) == [0]
    assert await log.read(await log.generation(), 0, 0, most_bytes=1) == [Record(0, 1_000, b"a")]
    await behind.close()


async def test_advancing_the_clock_never_sets_it_back(path: Path, log: SqliteLog) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        assert [advance(other, at_ms) for at_ms in (5, 3, 8)] == [5, 5, 8]


async def test_the_number_of_partitions_is_that_of_the_first_start(
    path: Path, log: SqliteLog
) -> None:
    again = SqliteLog.open(path, partitions=5, now_ms=Clock(1_000))

    assert (await again.generation()).partitions == 2
    await again.close()


async def test_the_generations_end(path: Path, log: SqliteLog) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE marks SET generation = ?", (MOST_GENERATIONS - 1,))

    with pytest.raises(Unavailable, match="begin a new data directory"):
        await log.begin_generation(2)


async def test_a_record_that_is_too_large_is_refused_alone(log: SqliteLog) -> None:
    outcomes = await asyncio.gather(
        log.append([(0, b"a")]),
        log.append([(0, bytes(MOST_PAYLOAD_BYTES + 1))]),
        log.append([(0, b"b")]),
        return_exceptions=True,
    )

    assert [outcomes[0], outcomes[2]] == [[0], [1]]
    assert isinstance(outcomes[1], ValueError)


async def test_trimming_frees_the_bytes_that_it_counted(path: Path, log: SqliteLog) -> None:
    await log.append([(0, b"x" * 10), (1, b"x" * 20), (0, b"x" * 30)])
    generation = await log.generation()
    await log.commit("shards", generation, {0: 1, 1: 1})

    await log.trim(before_ms=0, keep_bytes=0)

    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT part, bytes FROM partitions").fetchall() == [(0, 30), (1, 0)]
