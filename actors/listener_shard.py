"""A listener shard: the partitions that it was asked for, each flushed once in a commit window."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from actors.announcer import Announcer
from actors.partition import Partition
from actors.shard_metrics import ShardMetrics
from domain.hashing import partition_of
from domain.ports import DeadLetters, Log, NowPlaying, Record
from domain.positions import Generation
from domain.units import SECOND_MS
from stores.listening import Listening

log_ = logging.getLogger(__name__)


class ListenerShard:
    """Folds the partitions whose records it is sent. Any number of shards may hold one partition.

    An *announcer* tells others of presence; without one the shard is asked.
    """

    def __init__(
        self,
        generation: Generation,
        *,
        listening: Listening,
        log: Log,
        commit_window_ms: int,
        now_ms: Callable[[], int],
        announcer: Announcer | None = None,
        metrics: ShardMetrics | None = None,
        dead_letters: DeadLetters | None = None,
    ) -> None:
        self._generation, self._announcer = generation, announcer
        self._announcing: asyncio.Task[None] | None = None
        self._metrics = metrics or ShardMetrics()
        self._listening, self._log, self._now_ms = listening, log, now_ms
        self._dead_letters = dead_letters
        self._window_s = commit_window_ms / SECOND_MS
        self._partitions: dict[int, Partition] = {}
        self._flushers: dict[int, asyncio.Task[None]] = {}

    async def open(self, partition: int) -> int:
        """Take a partition on; tells the next offset wanted."""
        return await self._partition(partition).open()

    async def apply(self, partition: int, offset: int, records: Sequence[Record]) -> int:
        """Apply records of a partition that begin at *offset*; tells the next offset wanted."""
        return await self._partition(partition).apply(offset, records)

    async def caught_up(self, partition: int, offset: int, at_ms: int) -> int:
        """Note that nothing had been appended from *offset* on; tells the next offset wanted."""
        return await self._partition(partition).caught_up(offset, at_ms)

    async def now_playing(self, listener_ids: Sequence[str]) -> list[NowPlaying | None]:
        """Tell what each listener plays now; None also for those of partitions held elsewhere."""
        return [self._now_playing(listener_id) for listener_id in listener_ids]

    async def status(self) -> list[dict[str, Any]]:
        """Tell how far each partition is."""
        presence = self._announcer.trouble if self._announcer else ""
        return [
            {**held.status(), "presence": presence} for _, held in sorted(self._partitions.items())
        ]

    async def release(self, partition: int) -> None:
        """Write out and commit a partition that another shard takes on, and let it go.

        Releasing what is not held changes nothing.
        """
        if held := self._partitions.get(partition):
            await held.flush()
            if self._partitions.get(partition) is held:  # what came meanwhile, the log has
                del self._partitions[partition]
                self._flushers.pop(partition).cancel()
                self._metrics.left(partition)
                if self._announcer:
                    self._announcer.drop(partition)

    async def close(self) -> None:
        """Write out and commit everything applied, then stop."""
        tasks = [*self._flushers.values(), *filter(None, [self._announcing])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(held.flush() for held in self._partitions.values()))
        self._partitions.clear()

    def _partition(self, number: int) -> Partition:
        if number not in self._partitions:
            held = Partition(
                self._generation,
                number,
                listening=self._listening,
                log=self._log,
                now_ms=self._now_ms,
                noted=self._announcer.note if self._announcer else None,
                metrics=self._metrics,
                dead_letters=self._dead_letters,
            )
            self._partitions[number] = held
            self._announce(number, held)
            delay_s = self._window_s * number / self._generation.partitions
            self._flushers[number] = asyncio.create_task(self._flush_forever(held, delay_s))
        return self._partitions[number]

    def _announce(self, number: int, held: Partition) -> None:
        if self._announcer:
            self._announcer.add(number, held)
            self._announcing = self._announcing or asyncio.create_task(self._announcer.run())

    async def _flush_forever(self, held: Partition, delay_s: float) -> None:
        """Flush once in a window; partitions take turns, so that the store is not hit by all at once."""
        await asyncio.sleep(min(delay_s, 1.0))
        await _flush(held)
        await asyncio.sleep(delay_s)
        while True:
            await asyncio.sleep(self._window_s)
            await _flush(held)

    def _now_playing(self, listener_id: str) -> NowPlaying | None:
        held = self._partitions.get(partition_of(listener_id, self._generation.partitions))
        return None if held is None else held.now_playing([listener_id])[0]


async def _flush(held: Partition) -> None:
    try:
        await held.flush()
    except Exception:
        log_.exception("not flushed, the next flush makes it good")
