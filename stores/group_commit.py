"""The one thread that writes a database: what waits together shares a transaction and its fsync.

Each member of a group keeps its own all or none: one that fails is undone by its savepoint, and when
the whole transaction dies (a full disk), the members are tried again, each in a transaction alone.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from queue import Empty, SimpleQueue
from typing import Any, Literal, TypeVar

from domain.errors import Unavailable
from stores.sqlite import LOCKED, Database, code_of, explained, patiently

MOST_TOGETHER = 256
MOST_WAITING = 20_000

A = TypeVar("A")
R = TypeVar("R")
Work = Callable[[sqlite3.Connection, list[A]], Sequence[R | Exception]]


@dataclass(slots=True, eq=False)
class Member:
    """One call that waits: what it wants done, and what came of it."""

    work: Work[Any, Any]
    argument: Any
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = field(default=None)

    def settle(self) -> None:
        """Answer the caller, unless it has gone."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class GroupCommit:
    """Write transactions of one database, durable when they return.

    *rolled_back* is called whenever something was undone, on the writing thread: what was remembered
    of the database may then be wrong.
    """

    def __init__(
        self,
        database: Database,
        *,
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
        rolled_back: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._synchronous: Literal["FULL", "NORMAL"] = synchronous
        self._rolled_back = rolled_back
        self._waiting: SimpleQueue[Member | None] = SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    async def run(self, job: Callable[[sqlite3.Connection], R]) -> R:
        """Do *job* in a transaction; it may be done twice, the first time without any effect."""

        def work(connection: sqlite3.Connection, _: list[None]) -> Sequence[R | Exception]:
            return [job(connection)]

        member = self._enter(work, None)
        result: R = await member.future
        return result

    async def run_with_others(self, work: Work[A, R], argument: A) -> R:
        """Do *work*, given the arguments of all neighbours in the group that want the same work.

        It returns an error for an argument that is wrong: raising one would undo the neighbours.
        """
        member = self._enter(work, argument)
        result: R = await member.future
        return result

    async def close(self) -> None:
        """Finish what waits, and let go of the database."""
        self._closed = True
        thread, self._thread = self._thread, None
        if thread is not None:
            self._waiting.put(None)
            await asyncio.to_thread(thread.join)

    def _enter(self, work: Work[A, R], argument: A) -> Member:
        if self._closed:
            raise Unavailable(f"{self._database.path} was closed")
        if self._waiting.qsize() >= MOST_WAITING:
            raise Unavailable(
                f"too much waits to be written to {self._database.path}: try again later"
            )
        loop = asyncio.get_running_loop()
        member = Member(work, argument, loop, loop.create_future())
        self._waiting.put(member)
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="group-commit", daemon=True)
            self._thread.start()
        return member

    def _write(self) -> None:
        while group := self._next_group():
            self._commit(group)
            answer(group)
        self._disconnect()

    def _next_group(self) -> list[Member]:
        group: list[Member] = []
        member = self._waiting.get()
        while member is not None:
            group.append(member)
            if len(group) == MOST_TOGETHER:
                return group
            try:
                member = self._waiting.get_nowait()
            except Empty:
                return group
        if group:
            self._waiting.put(None)  # the end, for the next round
        return group

    def _commit(self, group: list[Member]) -> None:
        try:
            connection = self._connected()
            patiently(connection, "BEGIN IMMEDIATE", self._database.patience_s)
        except (sqlite3.Error, Unavailable) as error:
            self._fail(group, error)
            return
        try:
            self._perform(connection, group)
            connection.execute("COMMIT")
        except Exception as error:  # the callers get it
            self._undo(connection)
            if len(group) == 1:
                self._fail(group, error)
            else:
                for member in group:
                    self._commit([member])

    def _perform(self, connection: sqlite3.Connection, group: list[Member]) -> None:
        parts = [list(part) for _, part in groupby(group, attrgetter("work"))]
        if len(parts) == 1:
            perform(connection, parts[0])
            return
        for part in parts:
            connection.execute("SAVEPOINT part")
            try:
                perform(connection, part)
            except Exception as error:  # the callers get it
                if not connection.in_transaction or self._is_ours(error) or len(part) > 1:
                    raise
                connection.execute("ROLLBACK TO part")
                self._rolled_back()
                self._fail(part, error)
            connection.execute("RELEASE part")

    def _is_ours(self, error: Exception) -> bool:
        return isinstance(error, sqlite3.Error) and isinstance(
            explained(self._database.path, error), Unavailable
        )

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._database.connect(synchronous=self._synchronous)
        return self._connection

    def _undo(self, connection: sqlite3.Connection) -> None:
        self._rolled_back()
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._disconnect()  # which rolls back as well

    def _fail(self, group: Iterable[Member], error: Exception) -> None:
        if isinstance(error, sqlite3.Error):
            if self._is_ours(error) and code_of(error) not in {*LOCKED, sqlite3.SQLITE_FULL}:
                self._disconnect()  # the file may have been put right: open it anew
            error = explained(self._database.path, error)
        for member in group:
            member.error = error

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def perform(connection: sqlite3.Connection, members: list[Member]) -> None:
    """Do the same work for all of *members*."""
    results = members[0].work(connection, [member.argument for member in members])
    for member, result in zip(members, results, strict=True):
        member.error = result if isinstance(result, Exception) else None
        member.result = result


def answer(group: list[Member]) -> None:
    """Settle the members on their loops, one wake-up for neighbours on the same one."""
    for loop, part in groupby(group, attrgetter("loop")):
        members = list(part)
        try:
            loop.call_soon_threadsafe(settle_all, members)
        except RuntimeError:  # the loop is closed: nobody waits any more
            continue


def settle_all(members: list[Member]) -> None:
    """Settle each of *members*."""
    for member in members:
        member.settle()
