"""The embedded consumer: reads every partition of the log and hands its records to its shard.

Records of one partition go over in order, the next after the last was taken; partitions go side by
side. It keeps nothing: whoever holds the partition says which offset is wanted next.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from domain.errors import LogBehindStore, Unavailable
from domain.ports import Log, Record
from domain.positions import Generation

MOST_BYTES = 1 << 20  # of payload in one call; a call is about half a millisecond
IDLE_S = 0.5  # how often an idle partition is told that nothing came
GATHER_S = 0.1  # between calls for a partition that is not behind: a call costs as much as 500 rows
RETRY_S = 0.2
STUCK_S = 2.0

log_ = logging.getLogger(__name__)


class Shard(Protocol):
    """Where a partition's records go: `actors.listener_shard.ListenerShard`, or its handle."""

    async def open(self, partition: int) -> int:
        """Take a partition on; tells the next offset wanted."""
        ...

    async def apply(self, partition: int, offset: int, records: Sequence[Record]) -> int:
        """Apply records that begin at *offset*; tells the next offset wanted."""
        ...

    async def caught_up(self, partition: int, offset: int, at_ms: int) -> int:
        """Note that nothing had been appended from *offset* on; tells the next offset wanted."""
        ...


class Tailer:
    """Follows one generation of the log."""

    def __init__(self, log: Log, generation: Generation, shard_of: Callable[[int], Shard]) -> None:
        self._log, self._generation, self._shard_of = log, generation, shard_of
        self._appended = asyncio.Condition()

    async def run(self) -> None:
        """Follow all partitions until cancelled.

        Raises
        ------
        LogBehindStore
            The log ends before what the store was written from.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            for partition in range(self._generation.partitions):
                tasks.create_task(insist(partition, partial(self._hand_over, partition)))

    async def _watch(self) -> None:
        """Wake the partitions when something was appended."""
        while True:
            try:
                await self._log.wait(IDLE_S)
            except Unavailable:
                await asyncio.sleep(RETRY_S)
            async with self._appended:
                self._appended.notify_all()

    async def _hand_over(self, partition: int) -> None:
        shard = self._shard_of(partition)
        wanted = await shard.open(partition)
        while True:
            if records := await self._read(partition, wanted):
                wanted = await shard.apply(partition, wanted, records)
                if sum(len(record.payload) for record in records) < MOST_BYTES // 2:
                    await asyncio.sleep(GATHER_S)
                continue
            at_ms = await self._log.now_ms()
            if await self._read(partition, wanted):
                continue  # something has come after all
            told, wanted = wanted, await shard.caught_up(partition, wanted, at_ms)
            if wanted == told:
                async with self._appended:
                    await self._appended.wait()

    async def _read(self, partition: int, wanted: int) -> list[Record]:
        return await self._log.read(self._generation, partition, wanted, most_bytes=MOST_BYTES)


async def insist(partition: int, hand_over: Callable[[], Awaitable[None]]) -> None:
    """Hand over a partition's records until cancelled, whatever fails in between.

    Raises
    ------
    LogBehindStore
        The log ends before what the store was written from.
    """
    at = {"partition": partition}
    while True:
        try:
            await hand_over()
        except LogBehindStore:
            raise
        except Unavailable as error:
            log_.warning("partition %d waits: %s", partition, error, extra=at)
            await asyncio.sleep(RETRY_S)
        except Exception:
            # It is not said of the other partitions, and this one's rows grow stale, which is told.
            log_.exception("partition %d is stuck", partition, extra=at)
            await asyncio.sleep(STUCK_S)
