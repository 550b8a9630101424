"""Wide-column tables on a cluster that speaks CQL, for any number of processes and machines.

A write is durable as the cluster makes it: on a quorum of replicas. When a row is gone stands in the row
as well, and is judged by our clock: the cluster removes it at about that time, and nobody reads it
before either.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from random import Random, SystemRandom
from typing import Any, TypeAlias

from cassandra import InvalidRequest
from cassandra.query import BoundStatement, PreparedStatement, Statement

from domain.ports import Key, Row, Slice, StampedRow, Table, Value
from stores.cql_batches import Write, check, loads, stages, together
from stores.cql_bridge import Rows
from stores.cql_conditions import Conditions
from stores.cql_schema import NoSchema, check_schema, steps
from stores.cql_session import AT_ONCE, PATIENCE_S, CqlSession, connected, new_cluster
from stores.cql_slices import sliced
from stores.cql_values import bound
from stores.key_range import Range
from stores.slice_marks import key_of, mark_of
from stores.stamped_cells import expiry_ms, opened, sealed
from stores.table_cql import TableCql
from stores.tables import TABLES

KEYS_TOGETHER = 16  # read with one statement
ASKING = 32  # statements of one call under way
MOST_TTL_S = 5 * 365 * 86_400  # Cassandra refuses what it would have to keep beyond 2038
PAGE_ROWS = 1_000
FOR_EVER_S = 0

Found: TypeAlias = tuple[Any, ...]


class CqlTables:
    """`domain.ports.Tables` on ScyllaDB or Cassandra. One instance belongs to one event loop.

    As `SqliteTables`, but that of two writes with equal stamps the larger bytes stand, and that a
    write to several partitions may be half done when it raises `Unavailable`.
    """

    def __init__(
        self,
        session: CqlSession,
        keyspace: str,
        *,
        now_ms: Callable[[], int],
        tables: Sequence[Table],
        random: Random,
    ) -> None:
        self._session, self._keyspace, self._now_ms = session, keyspace, now_ms
        self._cql = {table.name: TableCql(table) for table in tables}
        self._conditions = Conditions(session, now_ms, lives_s, random)

    @classmethod
    def open(
        cls,
        hosts: Sequence[str],
        port: int,
        *,
        keyspace: str,
        now_ms: Callable[[], int],
        tables: Sequence[Table] = TABLES,
        patience_s: float = PATIENCE_S,
        at_once: int = AT_ONCE,
        random: Random | None = None,
    ) -> "CqlTables":
        """Connect to a cluster by some of its nodes, all on one port.

        :raises NoSchema: if the keyspace was not made by `stores.cql_schema.migrate`.
        :raises NewerSchema: if a newer version of Heartline made it.
        :raises Unavailable: if no node answers.
        """
        cluster = new_cluster(hosts, port)
        try:
            driver = connected(cluster, keyspace)
            check_schema(driver, keyspace, len(steps(tables)))
        except InvalidRequest as error:
            raise NoSchema(keyspace, 0) from error
        except BaseException:
            cluster.shutdown()
            raise
        random = random or SystemRandom()
        session = CqlSession(
            driver,
            jitter=random,
            at_once=at_once,
            patience_s=patience_s,
            connect=lambda: connected(new_cluster(hosts, port), keyspace),
        )
        return cls(session, keyspace, now_ms=now_ms, tables=tables, random=random)

    async def read_stamped(self, table: Table, keys: Sequence[Key]) -> list[StampedRow | None]:
        """Read rows by their whole keys."""
        found, now = await self._by_key(self._cql[table.name], keys), self._now_ms()
        return [live_stamped(found.get(key), now) for key in keys]

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
        now = self._now_ms()
        live = partial(live_stamped, now_ms=now)
        rows = await self._scan(table, partition, Range(first, last, descending, limit), live)
        return [row for found in rows if (row := live(found))][:limit]

    async def count_stamped(
        self, table: Table, partitions: Sequence[Key], *, state: bytes
    ) -> list[int]:
        """Count rows that hold *state*; they are read for that, for each has an expiry of its own."""
        scans = await asyncio.gather(*(self.scan_stamped(table, each) for each in partitions))
        return [sum(row.state == state for row in rows) for rows in scans]

    async def slice_stamped(self, table: Table, *, after: bytes = b"", limit: int) -> Slice:
        """Read rows of all partitions in the order of the cluster's tokens."""
        behind = key_of(table, after) if after else ()
        found = await sliced(self._session, self._cql[table.name], behind, limit)
        now = self._now_ms()
        rows = [row for each in found if (row := live_stamped(each, now))]
        return Slice(rows, mark_of(found[-1][:-2]) if len(found) == limit else None)

    async def write_stamped(self, writes: Sequence[tuple[Table, Sequence[StampedRow]]]) -> None:
        """Write rows, those of one partition together; what follows in *writes* follows in time."""
        check(writes)
        for stage in stages(writes):
            await self._write(stage)

    async def erase_stamped(self, table: Table, partition: Key, *, stamp: int) -> None:
        """Delete a partition's rows of smaller stamps, those that come within `GRACE_S` included."""
        erase = await self._session.prepare(self._cql[table.name].erase)
        await self._session.ask(bound(erase, (stamp - 1, *partition)))

    async def read(self, table: Table, keys: Sequence[Key]) -> list[Row | None]:
        """Read rows of a versioned table by their whole keys."""
        found, now = await self._by_key(self._cql[table.name], keys), self._now_ms()
        return [live_versioned(table, found.get(key), now) for key in keys]

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
        now = self._now_ms()
        live = partial(live_versioned, table, now_ms=now)
        rows = await self._scan(table, partition, Range(first, last, descending, limit), live)
        return [row for found in rows if (row := live(found))][:limit]

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
        given = [values.get(name) for name in table.values]
        return await self._conditions.write(self._cql[table.name], key, given, version, ttl_s)

    async def delete_if(self, table: Table, key: Key, *, version: int) -> bool:
        """Delete a row if its version is still *version*."""
        return await self._conditions.delete(self._cql[table.name], key, version)

    async def sweep(self) -> int:
        """Nothing: the cluster removes rows whose time has passed."""
        return 0

    async def close(self) -> None:
        """Let go of the cluster."""
        await self._session.close()

    async def _write(self, stage: Sequence[Write]) -> None:
        now = self._now_ms()
        prepared = {
            table.name: await self._session.prepare(self._cql[table.name].upsert)
            for table, _ in stage
        }

        def bind(table: Table, row: StampedRow) -> BoundStatement:
            cell = sealed(row.state, expiry_ms(now, row.ttl_s))
            values = (*row.key, cell, row.stamp, lives_s(row.ttl_s))
            return bound(prepared[table.name], values)

        await self._ask_all(map(together, loads(stage, bind, self._owner)), lambda _rows: None)

    async def _by_key(self, cql: TableCql, keys: Sequence[Key]) -> dict[Key, Found]:
        """Read a row or none for each of *keys*, many with one statement."""
        one, columns, found = (
            await self._session.prepare(cql.read),
            len(cql.keys),
            dict[Key, Found](),
        )

        def keep(rows: Rows) -> None:
            found.update((row[:columns], row) for row in rows)

        asked = {key: bound(one, key) for key in dict.fromkeys(keys) if may_be(cql.table, key)}
        if cql.together and len(asked) > 1:
            each = await self._session.prepare(cql.read_each)
            await self._ask_all(self._together(asked, each), keep)
        else:
            await self._ask_all(iter(asked.values()), keep)
        return found

    def _together(
        self, asked: Mapping[Key, BoundStatement], each: PreparedStatement
    ) -> Iterator[Statement]:
        """Ask for many keys of one node with one statement; it finds what they combine to as well."""
        by_node: dict[object, list[Key]] = {}
        for key, statement in asked.items():
            by_node.setdefault(self._owner(statement.routing_key), []).append(key)
        for keys in by_node.values():
            for start in range(0, len(keys), KEYS_TOGETHER):
                columns = zip(*keys[start : start + KEYS_TOGETHER], strict=True)
                yield each.bind([list(dict.fromkeys(column)) for column in columns])

    async def _scan(
        self, table: Table, partition: Key, within: Range, live: Callable[[Found], object]
    ) -> Rows:
        """Read a partition's rows until *within*'s limit of them is *live*."""
        if within.limit == 0 or not may_be(table, partition):
            return []
        text = self._cql[table.name].scan(
            first=within.first is not None,
            last=within.last is not None,
            descending=within.descending,
        )
        statement = bound(await self._session.prepare(text), (*partition, *within.bounds))
        most = within.limit
        if most is None:
            return await self._session.ask(statement)
        statement.fetch_size = min(most, PAGE_ROWS)
        return await self._session.ask(
            statement, lambda rows: sum(1 for row in rows if live(row)) >= most
        )

    async def _ask_all(self, statements: Iterator[Statement], take: Callable[[Rows], None]) -> None:
        async def ask_some() -> None:
            for statement in statements:
                take(await self._session.ask(statement))

        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(ASKING):
                    tasks.create_task(ask_some())
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed

    def _owner(self, routing_key: bytes) -> object:
        return self._session.owner(self._keyspace, routing_key)


def may_be(table: Table, key: Key) -> bool:
    """Whether there can be a row of that key: CQL has no empty partition key."""
    return len(table.partition) > 1 or key[0] != ""


def lives_s(ttl_s: int | None) -> int:
    """Tell the cluster how long to keep a row; beyond what it takes it is only hidden from readers."""
    return FOR_EVER_S if ttl_s is None or ttl_s > MOST_TTL_S else ttl_s


def live_stamped(row: Found | None, now_ms: int) -> StampedRow | None:
    """Make a row of what was read; None where there is none, or its time has passed."""
    if row is None or row[-2] is None:
        return None
    state, expires_ms = opened(row[-2])
    return StampedRow(row[:-2], state, row[-1]) if expires_ms > now_ms else None


def live_versioned(table: Table, row: Found | None, now_ms: int) -> Row | None:
    """As `live_stamped`, of a versioned table."""
    if row is None:
        return None
    version, expires_ms, _writer = row[-3:]
    if version is None or expires_ms <= now_ms:
        return None
    keys = len(table.partition) + len(table.clustering)
    return Row(row[:keys], dict(zip(table.values, row[keys:-3], strict=True)), version)
