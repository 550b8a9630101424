"""What SQLite's surroundings do to the stores, and what a person is told."""

import asyncio
import pickle
import resource
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.errors import NewerSchema, Unavailable
from domain.ports import StampedRow
from stores.sqlite import explained
from stores.sqlite_log import SqliteLog
from stores.sqlite_tables import SCHEMA, STORE, SqliteTables
from stores.table_sql import TableSql
from stores.tables import ACCOUNTS, LISTENING_HOURS, LISTENING_WEEKS, TRACKS
from tests.clock import Clock
from tests.immutable import immutable

ROOT = Path(__file__).parents[2]
KEY = ("ann", 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
async def tables(path: Path) -> AsyncIterator[SqliteTables]:
    opened = SqliteTables.open(path, now_ms=Clock(), patience_s=0.02)
    yield opened
    await opened.close()


async def write(tables: SqliteTables, state: bytes, stamp: int = 4) -> None:
    await tables.write_stamped([(LISTENING_HOURS, [StampedRow(KEY, state, stamp)])])


async def state_of(tables: SqliteTables) -> bytes | None:
    (row,) = await tables.read_stamped(LISTENING_HOURS, [KEY])
    return None if row is None else row.state


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


async def test_a_lock_held_too_long_is_told_and_passes(path: Path, tables: SqliteTables) -> None:
    with connected(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked by another process: stop that one"):
            await write(tables, b"x")
        assert await state_of(tables) is None

    await write(tables, b"y")
    assert await state_of(tables) == b"y"


async def test_readers_wait_for_the_rare_lock_without_blocking_the_loop(path: Path) -> None:
    reader = SqliteTables.open(path, now_ms=Clock())
    with connected(path) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("COMMIT")
        reading = asyncio.create_task(state_of(reader))
        await asyncio.sleep(0)
        assert not reading.done()

    async with asyncio.timeout(5):
        assert await reading is None
    await reader.close()


async def test_a_rare_lock_held_too_long_is_told(path: Path, tables: SqliteTables) -> None:
    with connected(path) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("COMMIT")
        with pytest.raises(Unavailable, match="locked by another process"):
            await state_of(tables)
        with pytest.raises(Unavailable, match="locked by another process"):
            await tables.sweep()

    assert await tables.scan(ACCOUNTS, ("ann",)) == []


async def test_a_full_disk_is_told_and_loses_nothing(tables: SqliteTables) -> None:
    await write(tables, b"before")
    connection = tables._writes._connected()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    large, small = await asyncio.gather(
        write(tables, bytes(1 << 20), stamp=8),
        write(tables, b"small", stamp=6),
        return_exceptions=True,
    )

    assert isinstance(large, Unavailable)
    assert "no space is left for" in str(large)
    assert small is None
    assert await state_of(tables) == b"small"

    connection.execute("PRAGMA max_page_count = 1000000")
    await write(tables, bytes(1 << 20), stamp=8)
    assert await state_of(tables) == bytes(1 << 20)


async def test_a_store_that_is_locked_opens_and_is_written_when_that_has_passed(
    path: Path, tables: SqliteTables
) -> None:
    await write(tables, b"before")
    with connected(path) as other:
        other.execute("BEGIN IMMEDIATE")
        opened = SqliteTables.open(path, now_ms=Clock(), patience_s=0.02)
        assert await state_of(opened) == b"before"
        with pytest.raises(Unavailable, match="locked by another process"):
            await write(opened, b"x", stamp=8)

    await write(opened, b"after", stamp=8)
    assert await state_of(opened) == b"after"
    await opened.close()


def test_a_store_that_was_never_built_is_not_opened_while_it_is_locked(path: Path) -> None:
    with connected(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked by another process"):
            SqliteTables.open(path, now_ms=Clock(), patience_s=0.02)


async def test_a_store_that_may_not_be_written_opens_and_is_written_when_that_has_passed(
    path: Path, tables: SqliteTables
) -> None:
    await write(tables, b"before")
    with immutable(path, path.with_name("store.db-wal")):
        opened = SqliteTables.open(path, now_ms=Clock(), patience_s=0.02)
        assert await state_of(opened) == b"before"
        for each in (opened, tables):
            with pytest.raises(Unavailable, match="cannot be"):
                await write(each, b"x", stamp=8)

    await write(opened, b"after", stamp=8)
    await write(tables, b"last", stamp=12)
    assert await state_of(tables) == await state_of(opened) == b"last"
    await opened.close()


async def test_an_erasure_that_found_no_space_is_forgotten(tables: SqliteTables) -> None:
    await write(tables, b"before")
    connection = tables._writes._connected()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Unavailable):
        await asyncio.gather(
            *(
                tables.erase_stamped(LISTENING_HOURS, (f"{number:0500}",), stamp=8)
                for number in range(100)
            )
        )
    connection.execute("PRAGMA max_page_count = 1000000")
    erased = {name for (name,) in connection.execute("SELECT partition FROM tombstones")}

    names = [f"{number:0500}" for number in range(100)]
    rows = [StampedRow((name, 1), b"x", 4) for name in names]
    await tables.write_stamped([(LISTENING_HOURS, rows)])

    found = await tables.read_stamped(LISTENING_HOURS, [(name, 1) for name in names])
    assert sum(row is None for row in found) == len(erased) < 100


async def test_a_file_that_may_not_be_written_is_told_and_passes(tables: SqliteTables) -> None:
    connection = tables._writes._connected()
    connection.execute("PRAGMA query_only = ON")
    with pytest.raises(Unavailable, match="give this user write access"):
        await write(tables, b"x")

    await write(tables, b"x")  # by a connection that was opened anew
    assert await state_of(tables) == b"x"


LIMITED = """
import asyncio, resource, sys
from domain.errors import Unavailable
from stores.sqlite_log import SqliteLog

async def main():
    log = SqliteLog.open(sys.argv[1], partitions=1, now_ms=lambda: 1)
    await log.append([(0, b"before")])
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    try:
        await log.append([(0, bytes(1 << 20))])
    except Unavailable as error:
        print(error)
    generation = await log.generation()
    print(len(await log.read(generation, 0, 0, most_bytes=100)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(await log.append([(0, bytes(1 << 20))]))
    await log.close()

asyncio.run(main())
"""


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_FSIZE)[1] != resource.RLIM_INFINITY,
    reason="the size of files is limited here already",
)
def test_a_write_that_the_disk_refuses_is_told_and_passes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "log.db")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    told, *rest = done.stdout.splitlines()
    assert "check the disk, its space and its limits" in told or "no space is left" in told
    assert rest == ["1", "[1]"]


def test_a_database_of_a_newer_version_is_refused(path: Path) -> None:
    SqliteTables.open(path, now_ms=Clock())
    with connected(path) as other:
        other.execute("PRAGMA user_version = 99")

    with pytest.raises(NewerSchema, match=r"schema 99.*upgrade Heartline"):
        SqliteTables.open(path, now_ms=Clock())


def test_a_database_says_what_it_is(path: Path) -> None:
    SqliteTables.open(path, now_ms=Clock())

    with connected(path) as other:
        assert other.execute("PRAGMA application_id").fetchone() == (STORE,)
        assert other.execute("PRAGMA user_version").fetchone() == (SCHEMA,)


async def test_a_store_of_the_first_version_gains_the_catalogue(path: Path) -> None:
    before = SqliteTables.open(path, now_ms=Clock(), tables=[ACCOUNTS, LISTENING_HOURS])
    await before.write_if(ACCOUNTS, ("ann",), {"name": "Ann"}, version=0)
    await before.close()
    with connected(path) as other:
        other.execute("CREATE TABLE catalogue_tracks (track TEXT PRIMARY KEY)")
        other.execute("PRAGMA user_version = 1")

    tables = SqliteTables.open(path, now_ms=Clock())

    (account,) = await tables.read(ACCOUNTS, [("ann",)])
    assert account is not None
    assert await tables.read_stamped(TRACKS, [("t",)]) == [None]
    with connected(path) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
        assert "catalogue_tracks" not in str(
            other.execute("SELECT name FROM sqlite_master").fetchall()
        )
    await tables.close()


@pytest.mark.parametrize("again", [False, True])
def test_nobody_else_may_read_a_log_or_a_store(path: Path, *, again: bool) -> None:
    log = path.with_name("log.db")
    for _ in range(1 + again):
        SqliteTables.open(path, now_ms=Clock())
        SqliteLog.open(log, partitions=1, now_ms=Clock())

    assert [file.stat().st_mode & 0o777 for file in (path, log)] == [0o600, 0o600]


def test_a_log_is_not_taken_for_a_store(path: Path) -> None:
    SqliteLog.open(path, partitions=1, now_ms=Clock())

    with pytest.raises(Unavailable, match="another program's database: move it away"):
        SqliteTables.open(path, now_ms=Clock())


def test_another_programs_database_is_left_alone(path: Path) -> None:
    with connected(path) as other:
        other.execute("CREATE TABLE theirs (n)")

    with pytest.raises(Unavailable, match="another program's database"):
        SqliteTables.open(path, now_ms=Clock())

    with connected(path) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"not a database, but longer than a header of one hundred bytes" * 9)

    with pytest.raises(Unavailable, match="not a SQLite database: move it away"):
        SqliteTables.open(path, now_ms=Clock())


def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.touch()

    SqliteTables.open(path, now_ms=Clock())


@pytest.mark.parametrize("name", ["missing/store.db", ".", "file/store.db"])
def test_a_path_that_cannot_be_opened_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Unavailable, match=r"cannot be opened: .*; check its directory"):
        SqliteTables.open(tmp_path / name, now_ms=Clock())


async def test_a_file_that_went_away_is_not_made_again(path: Path) -> None:
    tables = SqliteTables.open(path, now_ms=Clock())
    await asyncio.to_thread(path.unlink)

    with pytest.raises(Unavailable, match="cannot be opened: check that its directory is there"):
        await state_of(tables)
    with pytest.raises(Unavailable, match="cannot be opened: check that its directory is there"):
        await write(tables, b"x")
    assert not list(path.parent.iterdir())
    await tables.close()


async def test_nobody_else_may_read_it(path: Path, tables: SqliteTables) -> None:
    await write(tables, b"x")

    modes = {file.stat().st_mode & 0o777 for file in path.parent.iterdir()}

    assert modes == {0o600}


async def test_every_commit_is_fsynced(tables: SqliteTables) -> None:
    pragmas = tables._writes._connected()

    assert pragmas.execute("PRAGMA synchronous").fetchone() == (2,)
    assert pragmas.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_what_was_closed_says_so(tables: SqliteTables) -> None:
    await tables.close()

    with pytest.raises(Unavailable, match="was closed"):
        await state_of(tables)
    with pytest.raises(Unavailable, match="was closed"):
        await tables.scan(ACCOUNTS, ("ann",))
    with pytest.raises(Unavailable, match="was closed"):
        await write(tables, b"x")


async def test_a_sweep_tells_how_many_rows_went(path: Path) -> None:
    clock = Clock()
    tables = SqliteTables.open(path, now_ms=clock)
    rows = [StampedRow((f"{number:04}", 1), b"x", 8, ttl_s=60) for number in range(2_500)]
    stays = StampedRow(("stays", 1), b"x", 8)
    await tables.write_stamped([(LISTENING_WEEKS, [*rows, stays])])

    assert await tables.sweep() == 0
    clock.advance(60_000)
    assert await tables.sweep() == 2_500
    assert await tables.sweep() == 0
    assert await tables.read_stamped(LISTENING_WEEKS, [stays.key, rows[0].key]) == [stays, None]
    await tables.close()


async def test_a_sweep_reads_only_what_expires(path: Path, tables: SqliteTables) -> None:
    with connected(path) as other:
        plan = other.execute(f"EXPLAIN QUERY PLAN {TableSql(LISTENING_WEEKS).expired}", (1, 1))
        steps = [step for *_, step in plan]

    assert len(steps) == 1
    assert "USING COVERING INDEX listening_weeks_expiry" in steps[0]


@pytest.mark.parametrize("bounds", [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("descending", [False, True])
async def test_a_scan_sorts_nothing(
    path: Path, tables: SqliteTables, bounds: tuple[bool, bool], descending: bool
) -> None:
    first, last = bounds
    scan = TableSql(LISTENING_HOURS).scan(first=first, last=last, descending=descending)
    with connected(path) as other:
        plan = other.execute(f"EXPLAIN QUERY PLAN {scan}", ["ann", 0, *range(first + last), -1])
        steps = [step for *_, step in plan]

    assert len(steps) == 1
    assert "USING PRIMARY KEY (listener=?" in steps[0]


async def test_a_long_scan_keeps_its_snapshot_to_itself(tables: SqliteTables) -> None:
    rows = [StampedRow(("ann", number), b"x", 4) for number in range(1_000)]
    await tables.write_stamped([(LISTENING_HOURS, rows)])

    async def write_and_read() -> bytes | None:
        await write(tables, b"new", stamp=8)
        return await state_of(tables)

    scanned, read = await asyncio.gather(
        tables.scan_stamped(LISTENING_HOURS, ("ann",)), write_and_read()
    )

    assert read == b"new"
    assert len(scanned) == 1_000


@pytest.mark.parametrize(
    "code", ["BUSY", "FULL", "READONLY", "CANTOPEN", "IOERR", "CORRUPT", "NOTADB", "NOMEM", "PERM"]
)
def test_every_fault_of_the_surroundings_survives_pickling(code: str) -> None:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{code}")

    told = explained(Path("/data/store.db"), error)

    assert isinstance(told, Unavailable)
    assert str(pickle.loads(pickle.dumps(told))) == str(told)
    assert "/data/store.db" in str(told)


def test_a_mistake_of_ours_stays_what_it_is() -> None:
    error = sqlite3.OperationalError("no such table: t")

    assert explained(Path("/data/store.db"), error) is error
