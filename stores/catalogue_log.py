"""The log of the catalogue's changes: one partition of a log of its own, for their order is all.

A place in it is one number, through all generations: that behind a record is `domain.positions.position`
of the record, 0 is the place before the first.
"""

import asyncio
import logging
from collections.abc import Sequence

from domain.catalogue import Change
from domain.catalogue_records import decode, records_of
from domain.errors import UnreadableRecord
from domain.ports import Log, Record
from domain.positions import GENERATION_SHIFT, Generation, position
from stores.catalogue_rows import CatalogueRecord

GROUP = "catalogue"  # of what writes the store
PARTITIONS = 1
MOST_BYTES = 1 << 20
POLL_S = 0.02

log_ = logging.getLogger(__name__)


class CatalogueLog:
    """A `domain.ports.Log` with changes of the catalogue in it."""

    def __init__(self, log: Log) -> None:
        self._log = log

    async def publish(self, changes: Sequence[Change]) -> int:
        """Append changes, durably; tells the place behind them.

        :raises ValueError: the catalogue cannot hold one of them; none is there then.
        """
        payloads = list(records_of(changes))
        generation = await self._log.generation()
        if not payloads:
            return await self.end()
        offsets = await self._log.append([(0, payload) for payload in payloads])
        return position(generation.number, max(offsets))

    async def read(self, after: int, *, most_bytes: int = MOST_BYTES) -> list[CatalogueRecord]:
        """Read some records behind the place *after*; none: there are no more.

        One that does not decode has no changes.
        """
        number, offset = divmod(after, 1 << GENERATION_SHIFT)
        for generation in await self._log.generations():
            if generation.number >= number:
                begin = offset if generation.number == number else 0
                found = await self._log.read(generation, 0, begin, most_bytes=most_bytes)
                if found:
                    return [_read(generation, record) for record in found]
        return []

    async def end(self) -> int:
        """Tell the place behind the last record."""
        generation = await self._log.generation()
        return _place(generation, await self._log.ends(generation))

    async def applied(self, group: str = GROUP) -> int:
        """Tell the place up to which a group has everything; of the default one, the store."""
        for generation in reversed(await self._log.generations()):
            committed = await self._log.committed(group, generation)
            if any(committed):
                return _place(generation, committed)
        return 0

    async def await_applied(self, place: int, timeout_s: float) -> bool:
        """Wait until the store has everything up to *place*; False: it took too long."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + timeout_s
        while await self.applied() < place:
            if loop.time() >= until_s:
                return False
            await asyncio.sleep(POLL_S)
        return True

    async def commit(self, place: int, group: str = GROUP) -> None:
        """Note, durably, that a group has everything up to *place*."""
        number, offset = divmod(place, 1 << GENERATION_SHIFT)
        for generation in await self._log.generations():
            if generation.number == number:
                await self._log.commit(group, generation, {0: offset})

    async def begin_behind(self, place: int) -> None:
        """See that what is published from now on stands behind *place*.

        It does, unless the log is not the one that *place* is of: another, or an older backup. Then
        generations begin. Nobody may be publishing.
        """
        while await self.end() < place:
            log_.warning("the catalogue's log ends before what the store has: a generation begins")
            await self._log.begin_generation(PARTITIONS)

    async def trim(self, *, before_ms: int, keep_bytes: int) -> int:
        """Let go of the oldest records that every group has, as `domain.ports.Log.trim` does."""
        return await self._log.trim(before_ms=before_ms, keep_bytes=keep_bytes)

    async def wait(self, timeout_s: float) -> None:
        """Return when something was appended since the last call, or after *timeout_s*."""
        await self._log.wait(timeout_s)

    async def close(self) -> None:
        """Let go of the log."""
        await self._log.close()


def _place(generation: Generation, offsets: Sequence[int]) -> int:
    return (generation.number << GENERATION_SHIFT) + offsets[0]


def _read(generation: Generation, record: Record) -> CatalogueRecord:
    behind = position(generation.number, record.offset)
    try:
        changes = decode(record.payload)
    except UnreadableRecord as error:
        log_.warning("left out a record: %s", error, extra={"offset": record.offset})
        changes = []
    return CatalogueRecord(behind, record.appended_ms, changes)
