"""The partitioned log in one SQLite file, for several processes of one machine.

**The log's clock.** Append times are taken inside the write transaction, and never smaller than the
last one stored, however the machine's clock jumps; so what commits after a stored time was seen has
that time or a later one. `now_ms` therefore tells a time only once it is stored. Storing it costs no
fsync: that connection runs with ``synchronous = NORMAL``, whose commits other processes see at once,
and which the next append makes durable. (If the machine loses power before that *and* comes back with
a clock that is behind, a record may get an earlier time than was told.)
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path

from domain.ports import Record
from domain.positions import Generation, check_partitions
from stores import log_transactions
from stores.group_commit import GroupCommit
from stores.log_transactions import Batch, first_id
from stores.sqlite import Database
from stores.sqlite_reads import Reads, Rows
from stores.wal_pairs import check_pair

LOG = 0x484C4F47  # "HLOG"
SCHEMA = 1
FRESH_MS = 20  # a stored time this young is told instead of storing another one
POLL_S = 0.02  # how soon appends of other processes are noticed; a look costs 10 µs
READ_TOGETHER = 16
BREATH_S = 0.005  # between slices, for other processes' writes

READ = "SELECT id, appended_ms, payload FROM records WHERE id >= ? AND id < ? ORDER BY id"
ENDS = "SELECT part, next_offset FROM partitions WHERE generation = ?"
COMMITTED = "SELECT part, next_offset FROM commits WHERE name = ? AND generation = ?"
GENERATIONS = "SELECT number, partitions FROM generations ORDER BY number"


class SqliteLog:
    """`domain.ports.Log` on one SQLite file. One instance belongs to one event loop, `wait` to one task.

    Until a group has committed something, nothing is trimmed; a group that was ever there holds back
    what it has not read.
    """

    def __init__(self, database: Database, *, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._reads = Reads(database)
        self._writes = GroupCommit(database)
        self._clock = GroupCommit(database, synchronous="NORMAL")
        self._appended = asyncio.Event()
        self._seen = 0

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        partitions: int,
        now_ms: Callable[[], int],
        patience_s: float = 5.0,
    ) -> "SqliteLog":
        """Open the file, or make it with a first generation of *partitions* (ignored if it is there).

        :raises NewerSchema: if a newer version of Heartline wrote it.
        :raises Unavailable: if it cannot be used.
        """
        check_partitions(partitions)
        check_pair(Path(path))
        database = Database(Path(path), LOG, SCHEMA, patience_s)
        opened = cls(database, now_ms=now_ms)
        database.create(partial(opened._build, partitions=partitions))
        return opened

    async def generation(self) -> Generation:
        """Tell the newest generation."""
        return Generation(*await self._mark("generation, partitions"))

    async def generations(self) -> list[Generation]:
        """Tell all generations, the newest last."""
        rows = await self._rows(GENERATIONS, ())
        return [Generation(*row) for row in rows]

    async def begin_generation(self, partitions: int) -> Generation:
        """Begin the next generation; nobody may be appending with the old number of partitions."""
        check_partitions(partitions)
        return await self._writes.run(
            lambda connection: log_transactions.begin_generation(connection, partitions)
        )

    async def append(self, records: Sequence[tuple[int, bytes]]) -> list[int]:
        """Append records; those of all calls that wait share one transaction and fsync.

        :raises ValueError: if the newest generation has no such partition.
        """
        if not records:
            return []
        offsets = await self._writes.run_with_others(self._append, records)
        self._appended.set()
        return offsets

    async def read(
        self, generation: Generation, partition: int, offset: int, *, most_bytes: int
    ) -> list[Record]:
        """Read records from *offset* on, or from the oldest one kept."""
        first = first_id(generation.number, partition)
        bounds = (first + offset, first_id(generation.number, partition + 1))
        left = most_bytes

        def enough(rows: Rows) -> bool:
            nonlocal left
            left -= sum(len(payload) for _, _, payload in rows)
            return left <= 0

        rows = await self._reads.rows(READ, bounds, together=READ_TOGETHER, enough=enough)
        sums = accumulate(len(payload) for _, _, payload in rows)
        within = max(sum(size <= most_bytes for size in sums), 1)
        return [Record(number - first, at_ms, payload) for number, at_ms, payload in rows[:within]]

    async def ends(self, generation: Generation) -> list[int]:
        """Tell the offset that each partition's next record will have."""
        return await self._offsets(generation, ENDS, (generation.number,))

    async def now_ms(self) -> int:
        """Tell the log's clock: a stored time, at most 20 ms old."""
        (stored_ms,) = await self._mark("clock_ms")
        if stored_ms >= self._now_ms() - FRESH_MS:
            return stored_ms
        return await self._clock.run_with_others(self._advance, None)

    async def wait(self, timeout_s: float) -> None:
        """Return when something was appended since the last call, or after *timeout_s*."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        while True:
            self._appended.clear()
            (appends,) = await self._mark("appends")
            left_s = until - loop.time()
            if appends != self._seen or left_s <= 0:
                break
            try:
                async with asyncio.timeout(min(POLL_S, left_s)):
                    await self._appended.wait()
            except TimeoutError:
                continue
        self._seen = appends

    async def commit(self, group: str, generation: Generation, offsets: Mapping[int, int]) -> None:
        """Note the next offsets that *group* wants; smaller ones than are noted change nothing."""
        if wrong := [part for part in offsets if not 0 <= part < generation.partitions]:
            raise ValueError(f"generation {generation.number} has no partition {wrong[0]}")
        await self._writes.run(
            lambda connection: log_transactions.commit(
                connection, group, generation.number, offsets
            )
        )

    async def committed(self, group: str, generation: Generation) -> list[int]:
        """Tell the committed offset of each partition."""
        return await self._offsets(generation, COMMITTED, (group, generation.number))

    async def trim(self, *, before_ms: int, keep_bytes: int) -> int:
        """Delete the oldest records that every group has read, a slice at a time."""
        trimmed, removed = 0, -1
        while removed:
            removed = await self._writes.run(
                lambda connection: log_transactions.trim(connection, before_ms, keep_bytes)
            )
            trimmed += removed
            await asyncio.sleep(BREATH_S)
        return trimmed

    async def trimmed_ms(self) -> int:
        """Tell the append time of the newest record that `trim` deleted."""
        (trimmed_ms,) = await self._mark("trimmed_ms")
        return trimmed_ms

    async def close(self) -> None:
        """Finish what is being written and let go of the file."""
        self._reads.close()
        await self._clock.close()
        await self._writes.close()

    def _build(self, connection: sqlite3.Connection, *, partitions: int) -> None:
        log_transactions.build(connection, partitions)
        (self._seen,) = connection.execute("SELECT appends FROM marks").fetchone()

    def _append(
        self, connection: sqlite3.Connection, batches: list[Batch]
    ) -> Sequence[list[int] | Exception]:
        return log_transactions.append(connection, batches, self._now_ms())

    def _advance(self, connection: sqlite3.Connection, calls: list[None]) -> Sequence[int]:
        return [log_transactions.advance(connection, self._now_ms())] * len(calls)

    async def _mark(self, columns: str) -> tuple[int, ...]:
        (row,) = await self._rows(f"SELECT {columns} FROM marks", ())  # noqa: S608  (ours, above)
        return row

    async def _offsets(
        self, generation: Generation, statement: str, parameters: Sequence[str | int]
    ) -> list[int]:
        offsets: dict[int, int] = dict(await self._rows(statement, parameters))
        return [offsets.get(part, 0) for part in range(generation.partitions)]

    async def _rows(self, statement: str, parameters: Sequence[str | int]) -> Rows:
        return await self._reads.here(
            lambda connection: connection.execute(statement, parameters).fetchall()
        )
