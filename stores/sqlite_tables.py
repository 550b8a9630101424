"""Wide-column tables in one SQLite file, for several processes of one machine.

An expired row is not read any more, but still defeats smaller stamps until `sweep` takes it. A
versioned row that was deleted, or has expired, begins again at version 1.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

from domain.ports import Key, Row, Slice, StampedRow, Table, Value
from stores.group_commit import GroupCommit
from stores.key_range import Range
from stores.slice_marks import key_of, mark_of
from stores.sqlite import Database
from stores.sqlite_reads import Reads, Rows
from stores.table_sql import ROWS_TOGETHER, TableSql
from stores.tables import TABLES
from stores.tombstones import CREATE_TOMBSTONES, Tombstones

STORE = 0x484C5354  # "HLST"
SCHEMA = 3  # 2 has the catalogue in tables of its own, 3 has playlists
SWEPT_TOGETHER = 1_000
KEYS_TOGETHER = 128  # read with one statement: about a quarter of a millisecond
BREATH_S = 0.005  # between slices, for other processes' writes

by_key = attrgetter("key")


class SqliteTables:
    """`domain.ports.Tables` on one SQLite file. One instance belongs to one event loop.

    A row that is read has no ``ttl_s``: that is said when it is written. Values of a versioned row
    that are not given are null. An integer beyond 64 bits raises `OverflowError`,
    a lone surrogate `UnicodeEncodeError`.
    """

    def __init__(
        self, database: Database, *, now_ms: Callable[[], int], tables: Sequence[Table]
    ) -> None:
        self._now_ms = now_ms
        self._sql = {table.name: TableSql(table) for table in tables}
        self._tombstones = Tombstones()
        self._reads = Reads(database)
        self._writes = GroupCommit(database, rolled_back=self._tombstones.forget)

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        now_ms: Callable[[], int],
        tables: Sequence[Table] = TABLES,
        patience_s: float = 5.0,
    ) -> "SqliteTables":
        """Open the file, or make it with all *tables*; locks are waited for *patience_s*.

        :raises NewerSchema: if a newer version of Heartline wrote it.
        :raises Unavailable: if it cannot be used.
        """
        database = Database(Path(path), STORE, SCHEMA, patience_s)
        opened = cls(database, now_ms=now_ms, tables=tables)
        database.create(opened._build)
        return opened

    async def read_stamped(self, table: Table, keys: Sequence[Key]) -> list[StampedRow | None]:
        """Read rows by their whole keys."""
        rows = await self._by_key(self._sql[table.name], keys)
        return [None if row is None else stamped_row(row) for row in rows]

    async def scan_stamped(
        self,
        table: Table,
        partition: Key,
        *,
        first: Value = None,
        last: Value = None,
        descending: bool = False,
        limit: int | None = None,
    ) -> list[StampedRow]:
        """Read a partition's rows in the order of their clustering keys."""
        within = Range(first, last, descending, limit)
        return [stamped_row(row) for row in await self._scan(table, partition, within)]

    async def count_stamped(
        self, table: Table, partitions: Sequence[Key], *, state: bytes
    ) -> list[int]:
        """Count rows that hold *state*: partitions together, none of their rows leaves the database."""
        sql, found = self._sql[table.name], dict[Key, int]()
        after: list[Value] = [state, self._now_ms()]
        async for counted in self._together(sql.count_each, sorted(set(partitions)), after):
            found.update((row[:-1], row[-1]) for row in counted)
        return [found.get(partition, 0) for partition in partitions]

    async def slice_stamped(self, table: Table, *, after: bytes = b"", limit: int) -> Slice:
        """Read live rows of all partitions in the order of their keys."""
        behind = key_of(table, after) if after else ()
        statement = self._sql[table.name].slice(behind=bool(behind))
        found = await self._reads.rows(statement, (*behind, self._now_ms(), limit))
        rows = [stamped_row(row) for row in found]
        return Slice(rows, mark_of(rows[-1].key) if len(rows) == limit else None)

    async def write_stamped(self, writes: Sequence[tuple[Table, Sequence[StampedRow]]]) -> None:
        """Write all rows or none, those of a table in the order of their keys."""
        ordered = [(self._sql[table.name], sorted(rows, key=by_key)) for table, rows in writes]
        await self._writes.run(lambda connection: self._upsert(connection, ordered))

    async def erase_stamped(self, table: Table, partition: Key, *, stamp: int) -> None:
        """Delete a partition's rows of smaller stamps, and leave a tombstone for later ones."""
        sql = self._sql[table.name]

        def erase(connection: sqlite3.Connection) -> None:
            if self._tombstones.add(connection, table.name, partition, stamp):
                connection.execute(sql.erase, (*partition, stamp))

        await self._writes.run(erase)

    async def read(self, table: Table, keys: Sequence[Key]) -> list[Row | None]:
        """Read rows of a versioned table by their whole keys."""
        sql = self._sql[table.name]
        rows = await self._by_key(sql, keys)
        return [None if row is None else versioned_row(sql, row) for row in rows]

    async def scan(
        self,
        table: Table,
        partition: Key,
        *,
        first: Value = None,
        last: Value = None,
        descending: bool = False,
        limit: int | None = None,
    ) -> list[Row]:
        """Read a partition's rows of a versioned table in the order of their clustering keys."""
        sql, within = self._sql[table.name], Range(first, last, descending, limit)
        return [versioned_row(sql, row) for row in await self._scan(table, partition, within)]

    async def write_if(
        self,
        table: Table,
        key: Key,
        values: Mapping[str, Value],
        *,
        version: int,
        ttl_s: int | None = None,
    ) -> bool:
        """Write a row if its version is still *version*."""
        if unknown := values.keys() - table.values.keys():
            raise ValueError(f"{table.name} has no column {min(unknown)}")
        sql = self._sql[table.name]
        given = [values.get(name) for name in table.values]

        def write(connection: sqlite3.Connection) -> bool:
            now = self._now_ms()
            expires = expiry(now, ttl_s)
            if version == 0:
                statement, parameters = sql.insert_if_none, (*key, *given, 1, expires, now)
            else:
                statement, parameters = sql.update_if, (*given, expires, *key, version, now)
            return changed(connection, statement, parameters)

        return await self._writes.run(write)

    async def delete_if(self, table: Table, key: Key, *, version: int) -> bool:
        """Delete a row if its version is still *version*."""
        sql = self._sql[table.name]
        return await self._writes.run(
            lambda connection: changed(connection, sql.delete_if, (*key, version, self._now_ms()))
        )

    async def sweep(self) -> int:
        """Remove rows whose time has passed, a slice at a time: writers wait for none of them long."""
        return sum([await self._sweep(sql) for sql in self._sql.values()])

    async def close(self) -> None:
        """Finish what is being written and let go of the file."""
        self._reads.close()
        await self._writes.close()

    def _build(self, connection: sqlite3.Connection) -> None:
        connection.execute(CREATE_TOMBSTONES)
        for sql in self._sql.values():
            connection.execute(sql.create)
            connection.execute(sql.create_expiry)
        connection.execute("DROP TABLE IF EXISTS catalogue_tracks")  # of version 1

    async def _by_key(self, sql: TableSql, keys: Sequence[Key]) -> list[tuple[Any, ...] | None]:
        """Read a row or none for each of *keys*: neighbours together, each slice from one snapshot."""
        now = self._now_ms()
        if len(keys) == 1:
            return [await self._reads.row(sql.read, (*keys[0], now))]
        found = dict[Key, tuple[Any, ...]]()
        async for rows in self._together(sql.read_each, sorted(set(keys)), [now]):
            found.update((row[: len(sql.keys)], row) for row in rows)
        return [found.get(key) for key in keys]

    async def _together(
        self, statement: Callable[[int], str], keys: Sequence[Key], after: Sequence[Value]
    ) -> AsyncIterator[Rows]:
        """Read what a statement for so many keys gives for each slice of *keys*."""
        for start in range(0, len(keys), KEYS_TOGETHER):
            if start:
                await asyncio.sleep(0)
            part = padded(keys[start : start + KEYS_TOGETHER])
            parameters = [*chain.from_iterable(part), *after]
            yield await self._reads.here(partial(select, statement(len(part)), parameters))

    async def _scan(self, table: Table, partition: Key, within: Range) -> Rows:
        sql = self._sql[table.name].scan(
            first=within.first is not None,
            last=within.last is not None,
            descending=within.descending,
        )
        limit = -1 if within.limit is None else within.limit
        return await self._reads.few_rows(sql, (*partition, self._now_ms(), *within.bounds, limit))

    def _upsert(
        self, connection: sqlite3.Connection, writes: Iterable[tuple[TableSql, list[StampedRow]]]
    ) -> None:
        self._tombstones.refresh(connection)
        now = self._now_ms()
        for sql, rows in writes:
            standing = self._tombstones.survivors(sql.table, rows)
            for start in range(0, len(standing), ROWS_TOGETHER):
                part = standing[start : start + ROWS_TOGETHER]
                connection.execute(sql.upsert(len(part)), flat(part, now))

    async def _sweep(self, sql: TableSql) -> int:
        removed, found = 0, SWEPT_TOGETHER
        while found == SWEPT_TOGETHER:
            expired = (self._now_ms(), SWEPT_TOGETHER)
            keys = await self._reads.aside(partial(select, sql.expired, expired))
            found = len(keys)
            if keys:
                removed += await self._writes.run(partial(self._delete_expired, sql, keys))
                await asyncio.sleep(BREATH_S)
        return removed

    def _delete_expired(self, sql: TableSql, keys: Rows, connection: sqlite3.Connection) -> int:
        now = self._now_ms()
        rows = [(*key, now) for key in keys]
        return connection.executemany(sql.delete_expired, rows).rowcount


def padded(keys: Sequence[Key]) -> list[Key]:
    """Add keys that no row has until their number is a power of two: few statements are prepared."""
    nobody = (None,) * len(keys[0])
    return [*keys, *[nobody] * ((1 << (len(keys) - 1).bit_length()) - len(keys))]


def select(statement: str, parameters: Sequence[Value], connection: sqlite3.Connection) -> Rows:
    """Read all rows of a statement."""
    return connection.execute(statement, parameters).fetchall()


def flat(rows: Sequence[StampedRow], now_ms: int) -> list[Value]:
    """Put the parameters of all *rows* behind one another."""
    return [
        value
        for row in rows
        for value in (*row.key, row.state, row.stamp, expiry(now_ms, row.ttl_s))
    ]


def expiry(now_ms: int, ttl_s: int | None) -> int | None:
    """Tell when a row written now is gone; None: never."""
    return None if ttl_s is None else now_ms + ttl_s * 1_000


def changed(connection: sqlite3.Connection, statement: str, parameters: Sequence[Value]) -> bool:
    """Run a statement that changes one row or none, and tell whether it did."""
    return connection.execute(statement, parameters).rowcount == 1


def stamped_row(row: tuple[Any, ...]) -> StampedRow:
    """Make a row of what `TableSql.read` selects of a stamped table."""
    return StampedRow(row[:-2], row[-2], row[-1])


def versioned_row(sql: TableSql, row: tuple[Any, ...]) -> Row:
    """Make a row of what `TableSql.read` selects of a versioned table."""
    keys = len(sql.keys)
    return Row(row[:keys], dict(zip(sql.table.values, row[keys:-1], strict=True)), row[-1])
