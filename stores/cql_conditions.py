"""Conditional writes of versioned rows by Paxos (lightweight transactions), each with a known outcome.

Who does not hear whether a write was done reads the row at serial consistency, which ends what is under
way: every write leaves its writer's number in the row.
"""

from collections.abc import Callable, Sequence
from random import Random

from cassandra import ConsistencyLevel

from domain.errors import Unavailable
from domain.ports import Key, Value
from stores.cql_bridge import Rows
from stores.cql_session import CqlSession
from stores.stamped_cells import expiry_ms
from stores.table_cql import TableCql

TRIES = 4
WRITER_BITS = 62
MOST_VERSION = (1 << 63) - 2


class Conditions:
    """Writes and deletes versioned rows of a cluster if they have the version that was read."""

    def __init__(
        self,
        session: CqlSession,
        now_ms: Callable[[], int],
        lives_s: Callable[[int | None], int],
        random: Random,
    ) -> None:
        self._session, self._now_ms, self._lives_s, self._random = session, now_ms, lives_s, random

    async def write(
        self, cql: TableCql, key: Key, values: Sequence[Value], version: int, ttl_s: int | None
    ) -> bool:
        """Write a row over a live one of *version* (0: over none); tells whether it was."""
        if not 0 <= version <= MOST_VERSION:
            return False
        for _ in range(TRIES):
            writer = self._random.getrandbits(WRITER_BITS)
            expires = expiry_ms(self._now_ms(), ttl_s)
            row = [self._lives_s(ttl_s), *values, version + 1, expires, writer, *key]
            try:
                return await self._written(cql, row, version)
            except Unavailable:
                found = await self._settled(cql, key)
                if found and found[0][-1] == writer:
                    return True
        raise Unavailable(f"the store: too many write {cql.table.name} at the same time")

    async def delete(self, cql: TableCql, key: Key, version: int) -> bool:
        """Delete a live row of *version*; tells whether it was.

        Of two who delete one version while the cluster does not answer, both may hear that they did.
        """
        if not 0 < version <= MOST_VERSION:
            return False
        for _ in range(TRIES):
            try:
                return await self._applied(cql.delete_if, [*key, version, self._now_ms()])
            except Unavailable:
                if not await self._settled(cql, key):
                    return True
        raise Unavailable(f"the store: too many write {cql.table.name} at the same time")

    async def _written(self, cql: TableCql, row: Sequence[Value], version: int) -> bool:
        if version:
            return await self._applied(cql.write_if, [*row, version, self._now_ms()])
        return await self._applied(cql.write_if_none, row) or await self._applied(
            cql.write_if_expired, [*row, self._now_ms()]
        )

    async def _applied(self, text: str, parameters: Sequence[Value]) -> bool:
        statement = (await self._session.prepare(text)).bind(parameters)
        (row,) = await self._session.ask_once(statement)
        return bool(row[0])  # what follows differs between ScyllaDB and Cassandra

    async def _settled(self, cql: TableCql, key: Key) -> Rows:
        """Read a row as it stands when nothing is under way any more."""
        statement = (await self._session.prepare(cql.read)).bind(key)
        statement.consistency_level = ConsistencyLevel.LOCAL_SERIAL
        return await self._session.ask(statement)
