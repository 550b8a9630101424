"""What is remembered of tombstones, and when it must be forgotten."""

import sqlite3
from collections.abc import Iterator

import pytest

from domain.ports import Column, StampedRow, Table
from stores.tombstones import CREATE_TOMBSTONES, Tombstones

HOURS = Table(
    "hours", {"owner": Column.TEXT, "shelf": Column.INT}, {"hour": Column.INT}, stamped=True
)
ANN = ("ann", 1)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:", isolation_level=None)
    made.execute(CREATE_TOMBSTONES)
    yield made
    made.close()


def surviving(tombstones: Tombstones, connection: sqlite3.Connection) -> list[int]:
    tombstones.refresh(connection)
    rows = [StampedRow((*ANN, 0), b"", stamp) for stamp in range(10)]
    others = [StampedRow(("ann", 2, 0), b"", 0), StampedRow(("bob", 1, 0), b"", 0)]
    survivors = tombstones.survivors(HOURS, [*rows, *others])
    assert survivors[-2:] == others
    return [row.stamp for row in survivors[:-2]]


def test_a_tombstone_defeats_smaller_stamps(connection: sqlite3.Connection) -> None:
    tombstones = Tombstones()

    assert tombstones.add(connection, "hours", ANN, 7)

    assert surviving(tombstones, connection) == [7, 8, 9]


def test_a_tombstone_of_another_table_defeats_nothing(connection: sqlite3.Connection) -> None:
    tombstones = Tombstones()

    assert tombstones.add(connection, "weeks", ANN, 7)

    assert surviving(tombstones, connection) == list(range(10))


@pytest.mark.parametrize("stamp", [6, 7])
def test_a_tombstone_that_says_no_more_is_not_added(
    connection: sqlite3.Connection, stamp: int
) -> None:
    tombstones = Tombstones()
    tombstones.add(connection, "hours", ANN, 7)

    assert not tombstones.add(connection, "hours", ANN, stamp)

    assert surviving(Tombstones(), connection) == [7, 8, 9]


def test_a_larger_tombstone_takes_the_place_of_a_smaller_one(
    connection: sqlite3.Connection,
) -> None:
    first, second = Tombstones(), Tombstones()
    first.add(connection, "hours", ANN, 5)
    assert surviving(second, connection) == [5, 6, 7, 8, 9]

    assert first.add(connection, "hours", ANN, 8)

    assert surviving(second, connection) == [8, 9]
    assert connection.execute("SELECT count(*) FROM tombstones").fetchone() == (1,)


def test_a_tombstone_that_was_rolled_back_is_forgotten(connection: sqlite3.Connection) -> None:
    tombstones = Tombstones()
    connection.execute("BEGIN")
    tombstones.add(connection, "hours", ANN, 9)
    assert surviving(tombstones, connection) == [9]
    connection.execute("ROLLBACK")
    Tombstones().add(connection, "hours", ANN, 5)  # which takes the same number

    tombstones.forget()

    assert surviving(tombstones, connection) == [5, 6, 7, 8, 9]
