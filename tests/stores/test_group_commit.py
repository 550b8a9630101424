"""The writing thread: who shares a transaction with whom, and who fails with whom."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from domain.errors import Unavailable
from stores import group_commit
from stores.group_commit import GroupCommit
from stores.sqlite import Database

KIND = 7
Job = Callable[[sqlite3.Connection], object]


class Holding:
    """Holds the database's lock, so that what is asked for meanwhile waits together."""

    def __init__(self, database: Database) -> None:
        self._connection = database.connect()

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_: object) -> None:
        self._connection.execute("COMMIT")
        self._connection.close()


def build(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS t (n UNIQUE)")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(tmp_path / "test.db", KIND, 1)
    made.create(build)
    return made


@pytest.fixture
def undone() -> list[str]:
    return []


@pytest.fixture
async def writes(database: Database, undone: list[str]) -> AsyncIterator[GroupCommit]:
    made = GroupCommit(database, rolled_back=lambda: undone.append("undone"))
    yield made
    await made.close()


def put(number: int) -> Job:
    return lambda connection: connection.execute("INSERT INTO t VALUES (?)", (number,)).rowcount


def stored(database: Database) -> list[int]:
    connection = database.connect(reading=True)
    rows = connection.execute("SELECT n FROM t ORDER BY n").fetchall()
    connection.close()
    return [number for (number,) in rows]


async def taken(writes: GroupCommit) -> None:
    """Let the writing thread take what waits for it."""
    await asyncio.sleep(0)
    while not writes._waiting.empty():  # noqa: ASYNC110  (a queue's other end tells nobody)
        await asyncio.sleep(0)


async def together(database: Database, writes: GroupCommit, jobs: list[Job]) -> list[object]:
    """Do *jobs* in one group, behind a first one that waits for the lock alone."""
    with Holding(database):
        first = asyncio.ensure_future(writes.run(put(0)))
        await taken(writes)
        rest = [asyncio.ensure_future(writes.run(job)) for job in jobs]
        await asyncio.sleep(0)
    await first
    return await asyncio.gather(*rest, return_exceptions=True)


async def test_a_job_is_stored_and_answers(database: Database, writes: GroupCommit) -> None:
    assert await writes.run(put(1)) == 1
    assert stored(database) == [1]


async def test_what_waits_together_shares_a_transaction(
    database: Database, writes: GroupCommit
) -> None:
    seen: list[list[int]] = []

    def work(_: sqlite3.Connection, numbers: list[int]) -> list[int]:
        seen.append(numbers)
        return [number * 10 for number in numbers]

    with Holding(database):
        first = asyncio.ensure_future(writes.run_with_others(work, 0))
        await taken(writes)
        rest = [asyncio.ensure_future(writes.run_with_others(work, number)) for number in (1, 2, 3)]
        await asyncio.sleep(0)

    assert await asyncio.gather(first, *rest) == [0, 10, 20, 30]
    assert seen == [[0], [1, 2, 3]]


async def test_a_job_that_fails_is_undone_alone(
    database: Database, writes: GroupCommit, undone: list[str]
) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        put(2)(connection)
        raise LookupError

    outcomes = await together(database, writes, [put(1), fail, put(3)])

    assert [type(outcome) for outcome in outcomes] == [int, LookupError, int]
    assert stored(database) == [0, 1, 3]
    assert undone == ["undone"]


async def test_a_constraint_that_fails_is_the_callers_error(
    database: Database, writes: GroupCommit
) -> None:
    outcomes = await together(database, writes, [put(1), put(1), put(2)])

    assert [type(outcome) for outcome in outcomes] == [int, sqlite3.IntegrityError, int]
    assert stored(database) == [0, 1, 2]


async def test_when_the_transaction_dies_each_is_tried_alone(
    database: Database, writes: GroupCommit, undone: list[str]
) -> None:
    def die(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")
        raise LookupError

    outcomes = await together(database, writes, [put(1), die, put(3)])

    assert [type(outcome) for outcome in outcomes] == [int, LookupError, int]
    assert stored(database) == [0, 1, 3]
    assert len(undone) == 2


async def test_a_caller_that_has_gone_takes_nobody_along(
    database: Database, writes: GroupCommit
) -> None:
    with Holding(database):
        first, second = (asyncio.ensure_future(writes.run(put(number))) for number in (1, 2))
        await asyncio.sleep(0)
        first.cancel()

    assert await second == 1
    assert stored(database) == [1, 2]


async def test_too_much_waiting_is_refused(
    database: Database, writes: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MOST_WAITING", 1)
    with Holding(database):
        first = asyncio.ensure_future(writes.run(put(1)))
        await taken(writes)
        second = asyncio.ensure_future(writes.run(put(2)))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="too much waits"):
            await writes.run(put(3))

    assert [await first, await second] == [1, 1]


async def test_closing_finishes_what_waits(database: Database, writes: GroupCommit) -> None:
    waiting = [asyncio.ensure_future(writes.run(put(number))) for number in range(300)]
    await asyncio.sleep(0)

    await writes.close()

    assert await asyncio.gather(*waiting) == [1] * 300
    with pytest.raises(Unavailable, match="was closed"):
        await writes.run(put(999))
