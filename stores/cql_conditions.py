"""Conditional writes of versioned rows by Paxos (lightweight transactions), each with a known outcome.

Who does not hear whether a write was done reads the row at serial consistency, which ends what is under
way: every write leaves its writer's number in the row. Not ended is a question that still waits at a
node, and may be done later. So a deletion writes a row that is gone, and who writes over that names the
deleter: a write over none that comes late finds what it did not ask for, and brings nothing back.

Versions begin again in a row that is made anew. If a row is deleted, made anew and has version n again
while a question over version n waits, that may be done to it, or its writer told that another has won.
"""

from collections.abc import Awaitable, Callable, Sequence
from random import Random

from cassandra import ConsistencyLevel

from domain.errors import Unavailable
from domain.ports import Key, Value
from stores.cql_bridge import Rows
from stores.cql_session import CqlSession
from stores.stamped_cells import expiry_ms
from stores.table_cql import VERSION, TableCql

TRIES = 4
WRITER_BITS = 62
MOST_VERSION = (1 << 63) - 2
GONE_MS = 0  # when a row that was deleted has expired
GONE_S = 86_400  # how long it stays: longer than any question waits


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
        """Write a row over a live one of *version* (0: over none); tells whether it was.

        :raises Unavailable: if that is not known.
        """
        if not 0 <= version <= MOST_VERSION:
            return False
        writer, expires = self._new_writer(), expiry_ms(self._now_ms(), ttl_s)
        row = [self._lives_s(ttl_s), *values, version + 1, expires, writer, *key]
        if version:
            return await self._over_version(cql, key, row, writer, version)
        return await self._over_none(cql, key, row, writer)

    async def delete(self, cql: TableCql, key: Key, version: int) -> bool:
        """Delete a live row of *version*; tells whether it was.

        :raises Unavailable: if that is not known.
        """
        if not 0 < version <= MOST_VERSION:
            return False
        writer, nothing = self._new_writer(), [None] * len(cql.table.values)
        row = [GONE_S, *nothing, version + 1, GONE_MS, writer, *key]
        return await self._over_version(cql, key, row, writer, version)

    def _new_writer(self) -> int:
        return self._random.getrandbits(WRITER_BITS)

    async def _over_version(
        self, cql: TableCql, key: Key, row: Sequence[Value], writer: int, version: int
    ) -> bool:
        def judge(found: Rows) -> bool | None:
            if not found:
                return None
            stands, _expires, by = found[0][-len(VERSION) :]
            if by == writer:
                return True
            return False if stands == version + 1 else None

        return await self._known(
            cql,
            key,
            lambda: self._applied(cql.write_if, [*row, version, self._now_ms()]),
            judge,
        )

    async def _over_none(self, cql: TableCql, key: Key, row: Sequence[Value], writer: int) -> bool:
        """Write where no row is, else over the very row that is gone.

        Which of these is settled before the question that may come late: after one over none that was
        not heard, what is gone may have been our own.
        """

        def judge(found: Rows) -> bool | None:
            if not found:
                return None
            stands, expires, by = found[0][-len(VERSION) :]
            if by == writer:
                return True
            return False if stands == 1 and expires > self._now_ms() else None

        if await self._known(cql, key, lambda: self._applied(cql.write_if_none, row), judge):
            return True
        found = await self._settled(cql, key)
        if not found:
            return False
        _stands, expires, gone = found[0][-len(VERSION) :]
        if expires > self._now_ms():
            return False
        return await self._known(
            cql, key, lambda: self._applied(cql.write_over, [*row, gone]), judge
        )

    async def _known(
        self,
        cql: TableCql,
        key: Key,
        ask: Callable[[], Awaitable[bool]],
        judge: Callable[[Rows], bool | None],
    ) -> bool:
        """Ask until the outcome is known; *judge* tells it by the row, None if that does not show it.

        A refusal counts only if every earlier question was answered: one that was not may have been
        what stands in the way, or may have been done and written over.
        """
        heard = True
        for _ in range(TRIES):
            refused = False
            try:
                if await ask():
                    return True
                refused = True
            except Unavailable:
                heard = False
            if heard:
                return False
            outcome = judge(await self._settled(cql, key))
            if outcome is not None:
                return outcome
            if refused:
                raise Unavailable(f"the store: whether it wrote {cql.table.name} is not known")
        raise Unavailable(f"the store: too many write {cql.table.name} at the same time")

    async def _applied(self, text: str, parameters: Sequence[Value]) -> bool:
        statement = (await self._session.prepare(text)).bind(parameters)
        (row,) = await self._session.ask_once(statement)
        return bool(row[0])  # what follows differs between ScyllaDB and Cassandra

    async def _settled(self, cql: TableCql, key: Key) -> Rows:
        """Read a row as it stands when nothing is under way any more."""
        statement = (await self._session.prepare(cql.read)).bind(key)
        statement.consistency_level = ConsistencyLevel.LOCAL_SERIAL
        return await self._session.ask(statement)
