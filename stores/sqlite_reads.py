"""Reads of one database on the event loop: a row by its key costs 10 µs, a thread's answer 100 µs.

A thread is worse than slow beside a busy loop: SQLite gives the interpreter lock away at every row,
and gets it back 5 ms later. So long reads are cut into slices with a breath between them instead.

Short reads of one turn of the event loop share a snapshot, for beginning one takes half of a read's
time. Nobody can tell: whoever heard of a write, or asks after it, is called in a later turn.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, TypeVar

from domain.errors import Unavailable
from stores.sqlite import LOCKED, Database, code_of, explained

SLICE = 100  # rows: about half a millisecond
RETRY_S = 0.005
MOST_SPARE = 4

R = TypeVar("R")
Rows = list[tuple[Any, ...]]


class Reads:
    """Reads of one database through one connection, which is opened anew when it went bad."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: sqlite3.Connection | None = None
        self._spare: list[sqlite3.Connection] = []  # a suspended read keeps its snapshot to itself
        self._closed = False

    async def here(self, read: Callable[[sqlite3.Connection], R]) -> R:
        """Do a short *read*; one that meets a lock (rare: readers do not wait for writers) waits.

        :raises Unavailable: if the database cannot be read.
        """
        return await self._patiently(lambda: read(self._at_once()))

    async def row(self, sql: str, key: Sequence[Any]) -> tuple[Any, ...] | None:
        """Read the one row, or none, of a statement."""
        try:
            row: tuple[Any, ...] | None = self._at_once().execute(sql, key).fetchone()
        except sqlite3.Error:
            row = await self.here(lambda connection: connection.execute(sql, key).fetchone())
        return row

    async def few_rows(self, sql: str, parameters: Sequence[Any]) -> Rows:
        """Read the rows of a statement; they are usually few, and as right if they are many."""
        try:
            rows = self._at_once().execute(sql, parameters).fetchmany(SLICE)
        except sqlite3.Error:
            rows = None
        if rows is None or len(rows) == SLICE:
            return await self.rows(sql, parameters)
        return rows

    async def rows(
        self,
        sql: str,
        parameters: Sequence[Any],
        *,
        together: int = SLICE,
        enough: Callable[[Rows], bool] = lambda _: False,
    ) -> Rows:
        """Read the rows of a statement from one snapshot, until a slice is *enough*."""
        connection = self._spare.pop() if self._spare else await self._patiently(self._open)
        try:
            cursor = await self._patiently(lambda: connection.execute(sql, parameters))
            rows = part = await self._patiently(lambda: cursor.fetchmany(together))
            while len(part) == together and not enough(part):
                await asyncio.sleep(0)
                part = await self._patiently(lambda: cursor.fetchmany(together))
                rows += part
            cursor.close()
        except BaseException:
            connection.close()
            raise
        self._keep(connection)
        return rows

    async def aside(self, read: Callable[[sqlite3.Connection], R]) -> R:
        """Do a *read* that takes seconds but gives few rows, on a thread and connection of its own."""
        return await asyncio.to_thread(self._read_aside, read)

    def close(self) -> None:
        """Let go of the database."""
        self._closed = True
        self._disconnect()

    def _read_aside(self, read: Callable[[sqlite3.Connection], R]) -> R:
        try:
            with closing(self._database.connect(reading=True)) as connection:
                return read(connection)
        except sqlite3.Error as error:
            raise explained(self._database.path, error) from error

    async def _patiently(self, read: Callable[[], R]) -> R:
        try:
            return read()
        except sqlite3.Error as error:
            if code_of(error) not in LOCKED:
                raise self._reason(error) from error
        return await self._retry(read)

    async def _retry(self, read: Callable[[], R]) -> R:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._database.patience_s
        while True:
            await asyncio.sleep(RETRY_S)
            try:
                return read()
            except sqlite3.Error as error:
                if code_of(error) not in LOCKED or loop.time() >= until:
                    raise self._reason(error) from error

    def _reason(self, error: sqlite3.Error) -> Exception:
        reason = explained(self._database.path, error)
        if isinstance(reason, Unavailable) and code_of(error) not in LOCKED:
            self._disconnect()
        return reason

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _at_once(self) -> sqlite3.Connection:
        """The connection, in a transaction that ends before the next turn of the event loop."""
        connection = self._connected()
        if not connection.in_transaction:
            connection.execute("BEGIN")
            asyncio.get_running_loop().call_soon(self._end_turn, connection)
        return connection

    def _end_turn(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error:  # it failed, and began anew or was closed
            if connection is self._connection:
                self._disconnect()

    def _open(self) -> sqlite3.Connection:
        if self._closed:
            raise Unavailable(f"{self._database.path} was closed")
        return self._database.connect(reading=True)

    def _keep(self, connection: sqlite3.Connection) -> None:
        if self._closed or len(self._spare) == MOST_SPARE:
            connection.close()
        else:
            self._spare.append(connection)

    def _disconnect(self) -> None:
        connections = [*self._spare, *filter(None, [self._connection])]
        self._spare, self._connection = [], None
        for connection in connections:
            connection.close()
