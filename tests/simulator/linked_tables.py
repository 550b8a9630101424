"""The store as a process of the simulation has it: at the other end of a link."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from domain.ports import Key, Slice, StampedRow, Table
from domain.positions import MOST_PARTITIONS
from stores.cql_batches import Write, stages
from stores.tables import PLAYS, PROGRESS
from tests.simulator.comparison import Wrong
from tests.simulator.linked_session import cluster_tables
from tests.simulator.links import Link
from tests.simulator.virtual_time import Process
from tests.simulator.world import World

Writes = Sequence[Write]


class LinkedTables:
    """`domain.ports.Tables` at the other end of a link; a write of several rows may be torn.

    Versioned tables are those of a cluster, with its own code for what becomes of a lost answer.
    """

    def __init__(self, world: World, process: Process) -> None:
        self._link, self._tables = Link(world, process, world.store_backend), world.tables
        versioned = cluster_tables(self._link)
        self.read, self.scan = versioned.read, versioned.scan
        self.write_if, self.delete_if = versioned.write_if, versioned.delete_if
        self.close = self._tables.close

    async def read_stamped(self, table: Table, keys: Sequence[Key]) -> list[StampedRow | None]:
        if table is PLAYS:
            await self._dawdle()
        found: list[StampedRow | None] = await self._link.call(
            f"read {len(keys)} of {table.name}", lambda: self._tables.read_stamped(table, keys)
        )
        return found

    async def scan_stamped(
        self,
        table: Table,
        partition: Key,
        *,
        first: Any = None,
        last: Any = None,
        descending: bool = False,
        limit: int | None = None,
    ) -> list[StampedRow]:
        found: list[StampedRow] = await self._link.call(
            f"scan {table.name}",
            lambda: self._tables.scan_stamped(
                table, partition, first=first, last=last, descending=descending, limit=limit
            ),
        )
        return found

    async def count_stamped(
        self, table: Table, partitions: Sequence[Key], *, state: bytes
    ) -> list[int]:
        found: list[int] = await self._link.call(
            f"count {table.name}",
            lambda: self._tables.count_stamped(table, partitions, state=state),
        )
        return found

    async def slice_stamped(self, table: Table, *, after: bytes = b"", limit: int) -> Slice:
        found: Slice = await self._link.call(
            f"slice {table.name}",
            lambda: self._tables.slice_stamped(table, after=after, limit=limit),
        )
        return found

    async def write_stamped(self, writes: Writes) -> None:
        parts = self._torn(writes)
        what = ", ".join(f"{len(rows)} of {table.name}" for table, rows in writes if rows)
        await self._link.call(
            f"write {what} at {max((row.stamp for _, rows in writes for row in rows), default=0)}",
            *(lambda part=part: self._write(part) for part in parts),
            writes=any(rows for table, rows in writes if table is not PROGRESS),
        )

    async def erase_stamped(self, table: Table, partition: Key, *, stamp: int) -> None:
        await self._link.call(
            f"erase {partition[0]!s} of {table.name}",
            lambda: self._tables.erase_stamped(table, partition, stamp=stamp),
            writes=True,
        )

    async def sweep(self) -> int:
        swept: int = await self._link.call("sweep", self._tables.sweep)
        return swept

    async def _write(self, writes: Writes) -> None:
        await self._tables.write_stamped(writes)
        for table, rows in writes:
            if table is PROGRESS:
                self._check_progress(rows)

    def _check_progress(self, rows: Sequence[StampedRow]) -> None:
        """See that no record was appended before what is said to be complete, and is not in."""
        for row in rows:
            complete_ms, next_offset = map(int, row.state.split())
            part = divmod(int(str(row.key[0])), MOST_PARTITIONS)
            # who comes late finds nothing to read where others have committed and trimmed
            there = max(next_offset, self._link.world.promised[part])
            records = self._link.world.log.records[part][there:]
            left_out = [each for each in records if each.appended_ms < complete_ms]
            if left_out:
                wrong = Wrong(f"complete to {complete_ms}, but not {left_out[0].offset}")
                self._link.world.unexpected.append(wrong)

    async def _dawdle(self) -> None:
        """Take as long over plays as the run's stress says, so that much happens meanwhile."""
        if longest_s := self._link.world.stress.slow_plays_s:
            await asyncio.sleep(self._link.world.dice.uniform(0.0, longest_s))

    def _torn(self, writes: Writes) -> list[Writes]:
        """Tell what of a write takes effect together, one after the other."""
        if self._link.world.cluster:
            return list(self._by_partition(writes)) or [writes]
        flat = [(table, [row]) for table, rows in writes for row in rows]
        if len(flat) < 2 or self._link.world.dice.random() < 0.5:
            return [writes]
        cut = self._link.world.dice.randrange(1, len(flat))
        return [flat[:cut], flat[cut:]]

    def _by_partition(self, writes: Writes) -> Iterator[Writes]:
        """Partitions one by one, in any order, but stage after stage."""
        for stage in stages(writes):
            columns, by_partition = len(stage[0][0].partition), dict[Key, list[Write]]()
            for table, rows in stage:
                for row in rows:
                    by_partition.setdefault(row.key[:columns], []).append((table, [row]))
            parts = list(by_partition.values())
            self._link.world.dice.shuffle(parts)
            yield from parts
