"""The archive: carries every heartbeat of the log to the warehouse, exactly once.

Where it goes on is said by the warehouse itself, which has rows and offsets from one commit; what it
commits to the log only lets go of records that the warehouse has. Any number of archives may run at
once: of two that write the same records one is refused.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import count

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from domain.columns import MOST_TOGETHER, decode_all
from domain.errors import Unavailable
from domain.heartbeats import Kind
from domain.ports import Log, Record
from domain.positions import ARCHIVE, Generation
from stores.warehouse import ARCHIVED, WHERE, Warehouse
from streams.archive_metrics import ArchiveMetrics

EVERY_S = 60.0  # what comes in the meantime is one commit of the table
MOST_BYTES = 16 << 20  # of payload in one commit: a quarter of a million heartbeats
TIDY_EVERY = 10  # rounds
BEGIN_S = 60.0  # after a start: everything else begins in peace
RETRY_S = 30.0

log_ = logging.getLogger(__name__)

Ends = dict[Generation, list[int]]  # the offset behind the last record of each partition


@dataclass(slots=True)
class Gathered:
    """Records of one generation that are to be written together."""

    generation: Generation
    batches: list[pa.RecordBatch] = field(default_factory=list)
    offsets: dict[tuple[int, int], int] = field(default_factory=dict)
    has_gap: bool = False
    records: int = 0

    def add(self, partition: int, wanted: int, records: Sequence[Record]) -> None:
        """Take what the log had of a partition from the offset *wanted* on."""
        self.has_gap |= records[0].offset > wanted
        for begin in range(0, len(records), MOST_TOGETHER):
            self.batches.append(self._batch(partition, records[begin : begin + MOST_TOGETHER]))
        self.offsets[self.generation.number, partition] = records[-1].offset + 1
        self.records += len(records)

    def _batch(self, partition: int, records: Sequence[Record]) -> pa.RecordBatch:
        batch, sizes, damaged = decode_all([record.payload for record in records])
        for index, error in damaged:  # shards leave it out as well
            at = {"partition": partition, "offset": records[index].offset}
            log_.warning("left out a record: %s", error, extra=at)
        where = (
            np.full(batch.num_rows, self.generation.number),
            np.full(batch.num_rows, partition),
            np.repeat([record.offset for record in records], sizes),
            np.repeat([record.appended_ms for record in records], sizes),
        )
        columns = [
            pa.array(values, column.type) for values, column in zip(where, WHERE, strict=True)
        ]
        return pa.RecordBatch.from_arrays([*batch.columns, *columns], schema=ARCHIVED)

    def table(self) -> pa.Table:
        """Everything, in the order of the log."""
        return pa.Table.from_batches(self.batches, ARCHIVED)


class Archive:
    """Follows every generation of a log, the older ones to their end first."""

    def __init__(
        self,
        log: Log,
        warehouse: Warehouse,
        *,
        most_bytes: int = MOST_BYTES,
        metrics: ArchiveMetrics | None = None,
    ) -> None:
        self._log, self._warehouse, self._most_bytes = log, warehouse, most_bytes
        self._metrics = metrics or ArchiveMetrics()
        self._erased: tuple[int, set[str]] = (-1, set())  # as of a version of the warehouse
        self._committed: dict[Generation, list[int]] = {}

    async def run(self) -> None:
        """Follow the log until cancelled.

        Raises
        ------
        Unavailable
            The log or the warehouse is away.
        """
        for rounds in count():
            await self.write_all()
            if rounds % TIDY_EVERY == 0:
                await self.tidy(thoroughly=not rounds)
            await asyncio.sleep(EVERY_S)

    @property
    def records(self) -> int:
        """How many records it has written."""
        return self._metrics.records

    async def write_all(self) -> None:
        """Write everything that is in the log now; what comes meanwhile has time."""
        ends = await self._ends()
        while await self._write_some(ends):
            pass
        self._metrics.is_done()

    async def write_some(self) -> int:
        """Write what has come, or as much of it as fits in one commit; tells how many records.

        Another archive that was first costs nothing but the time: its records count as ours.
        """
        return await self._write_some(await self._ends())

    async def _ends(self) -> Ends:
        return {each: await self._log.ends(each) for each in await self._log.generations()}

    async def _write_some(self, ends: Ends) -> int:
        await asyncio.to_thread(self._warehouse.refresh)
        gathered = await self._gathered(ends)
        if gathered is None:
            return 0
        lacking_ms = await self._log.trimmed_ms() if gathered.has_gap else 0
        if await asyncio.to_thread(self._write, gathered, lacking_ms):
            self._metrics.wrote(gathered.records)
            await self._release(gathered.generation)
        return gathered.records

    async def tidy(self, *, thoroughly: bool = False) -> int:
        """See to the files of the warehouse; tells how many went."""
        return await asyncio.to_thread(self._warehouse.tidy, thoroughly=thoroughly)

    async def _gathered(self, ends: Ends) -> Gathered | None:
        has_gap = False
        for generation, of_parts in ends.items():
            await self._release(generation)
            wanted = self._warehouse.archived(generation)
            behind = [p for p, end in enumerate(of_parts) if wanted[p] < end]
            self._metrics.is_behind(generation.number, sum(of_parts[p] - wanted[p] for p in behind))
            gathered = Gathered(generation, has_gap=has_gap)
            for partition in behind:
                records = await self._log.read(
                    generation,
                    partition,
                    wanted[partition],
                    most_bytes=self._most_bytes // len(behind),
                )
                if records:
                    gathered.add(partition, wanted[partition], records)
                else:
                    has_gap = gathered.has_gap = True
            if gathered.records:
                return gathered
        return None

    async def _release(self, generation: Generation) -> None:
        """Tell the log what the warehouse has, so that it may let go of it."""
        archived = self._warehouse.archived(generation)
        if archived != self._committed.get(generation):
            await self._log.commit(ARCHIVE, generation, dict(enumerate(archived)))
            self._committed[generation] = archived

    def _write(self, gathered: Gathered, lacking_ms: int) -> bool:
        erased, table = self._known_erased(), gathered.table()
        is_erasure = pc.equal(table.column("kind"), int(Kind.ERASE))
        fresh = {*table.column("listener_id").filter(is_erasure).to_pylist()} - erased
        kept = table
        if erased or fresh:
            gone = pc.is_in(table.column("listener_id"), pa.array([*erased, *fresh], pa.utf8()))
            kept = table.filter(pc.or_(is_erasure, pc.invert(gone)))
        done = self._warehouse.append(kept, gathered.offsets, erased=fresh, lacking_ms=lacking_ms)
        if done:
            self._erased = self._warehouse.version, erased | fresh
        return done

    def _known_erased(self) -> set[str]:
        version = self._warehouse.version
        if self._erased[0] != version:  # another archive may have erased somebody
            self._erased = version, self._warehouse.erased()
        return self._erased[1]


async def keep_archiving(
    opened: Callable[[], AbstractAsyncContextManager[Archive]], *, begin_s: float = BEGIN_S
) -> None:
    """Archive until cancelled, beginning anew after whatever goes wrong: nothing waits for it."""
    await asyncio.sleep(begin_s)
    while True:
        try:
            async with opened() as archive:
                await archive.run()
        except Unavailable as error:
            log_.warning("the archive begins anew: %s", error)
        except Exception:  # the log keeps what the warehouse lacks
            log_.exception("the archive is stuck")
        await asyncio.sleep(RETRY_S)
