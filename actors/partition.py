"""One partition of the log, folded: its records in, its listeners' rows out, then the commit.

    apply    decode -> plan -> load what is missing -> fold -> count plays
    flush    collect -> write the rows -> write subtotals and progress -> commit the offset

A record is applied exactly in its turn: what was applied before is dropped, what comes too early is
answered with the offset that is wanted. Rows are written with the stamp of the last record applied,
and the offset is committed only when they are durable (DESIGN: why it is exactly once).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from actors.insisting import Insisting
from actors.left_out import LeftOut
from actors.record_groups import grouped
from actors.remaking import remade
from actors.shard_metrics import ShardMetrics
from domain.columns import columns_of
from domain.counted import Counted
from domain.errors import LogBehindStore
from domain.fold import Fold
from domain.kernels.state import Columns, Resolved
from domain.payloads import Opened
from domain.ports import Announcement, DeadLetters, Log, NowPlaying, Record
from domain.positions import SHARDS, Generation, part_key, position
from domain.rows import Rows
from domain.units import SECOND_MS
from domain.wanted import Stored, Wanted
from stores.listening import Listening, Progress

SWEEP_EVERY = 20  # flushes; what was not touched for that many is forgotten

log_ = logging.getLogger(__name__)


@dataclass(slots=True)
class Dues:
    """What a flush has taken out of memory and must make durable."""

    rows: Rows
    counted: Counted
    erased: list[str]
    next_offset: int
    complete_ms: int


class Partition:
    """Owns the fold of one partition, alone or beside a zombie: stamps decide which rows stay.

    *noted* is told the partition's number and the listeners of whose presence there is news.
    """

    def __init__(
        self,
        generation: Generation,
        number: int,
        *,
        listening: Listening,
        log: Log,
        now_ms: Callable[[], int],
        dead_letters: DeadLetters | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        noted: Callable[[int, Sequence[str]], None] | None = None,
        metrics: ShardMetrics | None = None,
    ) -> None:
        self._generation, self._number, self._noted = generation, number, noted
        self._metrics = metrics or ShardMetrics()
        self._listening, self._log = listening, log
        self._now_ms, self._insist = now_ms, Insisting(number, sleep)
        self._fold = Fold()
        self._applying, self._flushing = asyncio.Lock(), asyncio.Lock()
        self._erased: list[str] = []
        self._left_out = LeftOut(generation, number, dead_letters, self._metrics)
        self._next: int | None = None
        self._complete_ms = 0
        self._dues: Dues | None = None
        self._flushes = self._remade = 0
        self._settling_since: float | None = None
        self.durable = 0

    async def open(self) -> int:
        """Find where to go on: from what is committed and in the store. Tells the next offset wanted.

        Raises
        ------
        LogBehindStore
            The log ends before what the store was written from.
        """
        async with self._applying:
            return await self._opened()

    async def apply(self, offset: int, records: Sequence[Record]) -> int:
        """Apply the *records* that begin at *offset*; tells the next offset wanted.

        Records that were applied before are dropped; nothing happens if *offset* is beyond the one
        wanted.
        """
        async with self._applying:
            wanted = await self._opened()
            if offset <= wanted:
                fresh = [record for record in records if record.offset >= wanted]
                if len(fresh) < len(records):
                    self._metrics.repeated(self._number, len(records) - len(fresh))
                if fresh and fresh[0].offset > wanted:
                    self._skip(wanted, fresh[0].offset)
                for group in grouped(fresh, self._left_out.note):
                    with self._whole():
                        wanted = await self._apply(group)
            return wanted

    async def caught_up(self, offset: int, at_ms: int) -> int:
        """Note that at *at_ms*, by the log's clock, no record from *offset* on had been appended.

        Tells the next offset wanted: a smaller one, if something had to be forgotten.
        """
        wanted = await self.open()
        if wanted == offset:
            self._complete_ms = max(self._complete_ms, at_ms)
        return wanted

    async def flush(self) -> None:
        """Make everything applied so far durable and commit it; insists until the store takes it.

        What a flush that was interrupted had taken out of memory is written first.
        """
        async with self._flushing:
            if self._dues:
                await self._settle(self._dues)
            async with self._applying:
                await self._opened()
                with self._whole():
                    self._dues = self._take()
            await self._settle(self._dues)

    def now_playing(self, listener_ids: Sequence[str]) -> list[NowPlaying | None]:
        """Tell what listeners of this partition play now."""
        return self._fold.now_playing(listener_ids, self._now_ms())

    def active(self) -> list[str]:
        """Name everybody of whose presence others might not know."""
        return self._fold.active(self._now_ms())

    def announcements(self, listener_ids: Iterable[str]) -> list[Announcement]:
        """Say what is to be announced of listeners' presence."""
        applied = position(self._generation.number, (self._next or 0) - 1)
        return self._fold.announcements(listener_ids, self._now_ms(), applied)

    def status(self) -> dict[str, int | str]:
        """Tell how far this partition is, for operators."""
        now_s = asyncio.get_running_loop().time()  # whatever happens to the machine's clock
        return {
            "partition": self._number,
            "next": self._next or 0,
            "durable": self.durable,
            "complete_ms": self._complete_ms,
            "listeners": self._fold.listeners,
            "dirty": self._fold.dirty,
            "unwritten_ms": int((now_s - (self._settling_since or now_s)) * SECOND_MS),
            "remade": self._remade,
            "trouble": self._insist.trouble,
        }

    # --- applying --------------------------------------------------------------------------------

    async def _opened(self) -> int:
        if self._next is None:
            self._next = self.durable = await self._insist(self._committed)
        return self._next

    async def _committed(self) -> int:
        part = self._number
        committed = (await self._log.committed(SHARDS, self._generation))[part]
        written = await self._listening.progress(self._generation.number, part)
        end = (await self._log.ends(self._generation))[part]
        if end < max(committed, written.next_offset):
            raise LogBehindStore(part, end, max(committed, written.next_offset))
        return min(committed, written.next_offset)  # a store may be restored from an older backup

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Do something whole, or forget everything: half a record's rows must not be written."""
        try:
            yield
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        self._fold, self._erased = Fold(), []
        self._left_out.forget()
        self._next, self._complete_ms = None, 0

    def _skip(self, wanted: int, oldest: int) -> None:
        """Go on behind what was trimmed: somebody committed it, and the rows in memory lack it."""
        at = {"partition": self._number, "offset": wanted}
        log_.error("records %d to %d are gone", wanted, oldest - 1, extra=at)
        self._forget()
        self._next = oldest

    async def _apply(self, records: Sequence[tuple[Record, Opened | None]]) -> int:
        full = [(record, opened) for record, opened in records if opened]
        if full:
            positions = [position(self._generation.number, each.offset) for each, _ in full]
            batch, damaged = columns_of([opened for _, opened in full], positions)
            for index, error in damaged:
                self._left_out.note(full[index][0], error)
            found, wanted = self._fold.plan(batch)
            if wanted:
                await self._load(wanted)
            self._fold_in(batch, found)
            self._metrics.applied(self._number, records=len(full), heartbeats=len(batch.at))
        await self._insist(self._left_out.put_aside)
        last = records[-1][0]
        self._next = last.offset + 1
        self._complete_ms = max(self._complete_ms, last.appended_ms)
        return self._next

    def _fold_in(self, batch: Columns, found: Resolved) -> None:
        before = self._fold.seen(found) if self._noted else None
        erased = self._fold.apply(batch, found)
        self._erased += erased
        if self._noted and before:
            names = self._fold.news(before, self._now_ms()) + erased
            if names:
                self._noted(self._number, names)

    async def _load(self, wanted: Wanted) -> None:
        """Install what the store has of everything wanted."""
        listening = self._listening
        stored = Stored(
            hours=await self._insist(lambda: listening.hours(wanted.hours)),
            weeks=await self._insist(lambda: listening.weeks(wanted.weeks, self._now_ms())),
            plays=await self._insist(lambda: listening.plays(wanted.plays)),
            # last: whose rows were just deleted was marked as erased before
            erased=await self._insist(lambda: listening.are_erased(wanted.listeners)),
        )
        if damaged := self._fold.install(wanted, stored):
            before = position(self._generation.number, self._next or 0)
            again = await self._insist(lambda: remade(self._log, damaged, before=before))
            self._fold.install(damaged, again)
            self._remade += len(damaged.hours) + len(damaged.weeks) + len(damaged.plays)

    # --- flushing --------------------------------------------------------------------------------

    def _take(self) -> Dues:
        dues = Dues(
            rows=self._fold.collect(),
            counted=self._fold.take_counted(),
            erased=self._erased,
            next_offset=self._next or 0,
            complete_ms=self._complete_ms,
        )
        self._erased = []
        self._flushes += 1
        if self._flushes % SWEEP_EVERY == 0:
            # flushes follow one another: whatever was not touched since the last one is durable
            self._fold.sweep(self._fold.epoch - SWEEP_EVERY)
        return dues

    async def _settle(self, dues: Dues) -> None:
        if self._settling_since is None:
            self._settling_since = asyncio.get_running_loop().time()
        await self._insist(lambda: self._write(dues))
        self._metrics.flushed(
            self._number,
            dues.rows,
            seconds=asyncio.get_running_loop().time() - self._settling_since,
            reserved_bytes=self._fold.size_bytes,
        )
        self.durable, self._dues, self._settling_since = dues.next_offset, None, None

    async def _write(self, dues: Dues) -> None:
        reached = position(self._generation.number, dues.next_offset - 1)
        if dues.rows:
            await self._listening.write(dues.rows, reached)
        for listener_id in dues.erased:
            await self._listening.erase(listener_id)
        part = part_key(self._generation.number, self._number)
        progress = Progress(dues.complete_ms, dues.next_offset)
        counts = await self._counts(part, dues.counted)
        await self._listening.write_totals(part, counts, reached, progress)
        if dues.next_offset > self.durable:
            await self._log.commit(SHARDS, self._generation, {self._number: dues.next_offset})

    async def _counts(self, part: int, counted: Counted) -> dict[str, int]:
        """Add plays to the subtotals of their tracks, but for those that these hold already."""
        known = await self._listening.subtotals(part, counted.tracks)
        fresh = counted.beyond([subtotal.position for subtotal in known])
        counts = [subtotal.count + more for subtotal, more in zip(known, fresh, strict=True)]
        return dict(zip(counted.tracks, counts, strict=True))
