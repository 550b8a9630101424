"""Reads that share a snapshot for one turn of the event loop."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from domain.errors import Unavailable
from stores.sqlite import Database
from stores.sqlite_reads import SLICE, Reads

ONE, ALL = "SELECT value FROM numbers WHERE name = ?", "SELECT value FROM numbers"


def build(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE numbers (name TEXT, value INTEGER)")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "numbers.db"


@pytest.fixture
async def reads(path: Path) -> AsyncIterator[Reads]:
    database = Database(path, kind=7, schema=1, patience_s=0.02)
    database.create(build)
    opened = Reads(database)
    yield opened
    opened.close()


@pytest.fixture
def other(path: Path, reads: Reads) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO numbers VALUES ('ann', 1)")
        yield connection


async def value(reads: Reads) -> int | None:
    row = await reads.row(ONE, ("ann",))
    return None if row is None else row[0]


async def test_reads_of_one_turn_share_a_snapshot(reads: Reads, other: sqlite3.Connection) -> None:
    first = await value(reads)
    other.execute("UPDATE numbers SET value = 2")

    assert (first, await value(reads), await reads.few_rows(ALL, ())) == (1, 1, [(1,)])


async def test_the_next_turn_sees_what_was_written(reads: Reads, other: sqlite3.Connection) -> None:
    await value(reads)
    other.execute("UPDATE numbers SET value = 2")
    await asyncio.sleep(0)

    assert await value(reads) == 2


async def test_whoever_hears_of_a_write_sees_it(reads: Reads, path: Path) -> None:
    def write(number: int) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("DELETE FROM numbers")
            connection.execute("INSERT INTO numbers VALUES ('ann', ?)", (number,))

    async def read_always() -> None:
        while True:
            await value(reads)
            await asyncio.sleep(0)

    reading = asyncio.create_task(read_always())
    for number in range(4):
        await asyncio.to_thread(write, number)
        assert await value(reads) == number
    reading.cancel()


async def test_many_rows_are_read_like_few(reads: Reads, other: sqlite3.Connection) -> None:
    other.executemany("INSERT INTO numbers VALUES ('bob', ?)", [(n,) for n in range(SLICE)])

    assert len(await reads.few_rows(ALL, ())) == SLICE + 1


async def test_a_snapshot_that_cannot_end_is_let_go(
    reads: Reads, other: sqlite3.Connection
) -> None:
    await value(reads)
    await reads.here(lambda connection: connection.execute("ROLLBACK"))
    await asyncio.sleep(0)
    other.execute("UPDATE numbers SET value = 2")

    assert await value(reads) == 2


async def test_a_snapshot_outlives_no_database(reads: Reads, other: sqlite3.Connection) -> None:
    await value(reads)
    reads.close()
    await asyncio.sleep(0)

    with pytest.raises(Unavailable, match="was closed"):
        await value(reads)
