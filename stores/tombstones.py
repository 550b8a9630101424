"""Erased partitions of stamped tables: what defeats the writes that come later with smaller stamps.

They are remembered, and read again only when a number tells that there are new ones; that number is
read inside the write transaction, so a tombstone of any process counts from its commit on.
"""

import sqlite3

import msgspec

from domain.ports import Key, StampedRow, Table

CREATE_TOMBSTONES = (
    "CREATE TABLE IF NOT EXISTS tombstones (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL, partition BLOB NOT NULL, stamp INTEGER NOT NULL,"
    " UNIQUE (name, partition)) STRICT"
)
ADD = "INSERT OR REPLACE INTO tombstones (name, partition, stamp) VALUES (?, ?, ?)"
NEWEST = "SELECT max(number) FROM tombstones"
NEWER = "SELECT number, name, partition, stamp FROM tombstones WHERE number > ? ORDER BY number"


class Tombstones:
    """The tombstones of one database, as far as one writing connection has seen them."""

    def __init__(self) -> None:
        self._newest = 0
        self._stamps: dict[str, dict[Key, int]] = {}

    def forget(self) -> None:
        """Remember nothing: what was read may have been rolled back."""
        self._newest = 0
        self._stamps = {}

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Learn of new ones; to be called in the write transaction that relies on it."""
        (newest,) = connection.execute(NEWEST).fetchone()
        if newest is None or newest == self._newest:
            return
        for number, name, partition, stamp in connection.execute(NEWER, (self._newest,)).fetchall():
            key = tuple(msgspec.msgpack.decode(partition))
            self._stamps.setdefault(name, {})[key] = stamp
            self._newest = number

    def survivors(self, table: Table, rows: list[StampedRow]) -> list[StampedRow]:
        """Leave out the *rows* that a tombstone defeats."""
        stamps = self._stamps.get(table.name)
        if not stamps:
            return rows
        columns = len(table.partition)
        return [row for row in rows if row.stamp >= stamps.get(row.key[:columns], row.stamp)]

    def add(self, connection: sqlite3.Connection, name: str, partition: Key, stamp: int) -> bool:
        """Add one, unless one with that stamp or a larger one stands; tell whether it was added."""
        self.refresh(connection)
        standing = self._stamps.get(name, {}).get(partition)
        if standing is not None and standing >= stamp:
            return False
        connection.execute(ADD, (name, msgspec.msgpack.encode(partition), stamp))
        return True
