import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.errors import LogBehindStore, StoreBehindLog
from domain.fold import Fold
from domain.hashing import partition_of
from domain.heartbeats import Heartbeat, Kind
from domain.ports import Record
from domain.positions import SHARDS, Generation, part_key
from domain.rows import Rows
from domain.units import QUARTER_MS
from heartline import wiring
from heartline.generations import settle
from heartline.settings import Settings
from stores.listening import Listening, Progress
from stores.sqlite_tables import SqliteTables
from tests.clock import MONDAY_MS, Clock
from tests.memory_dead_letters import Drawer
from tests.memory_log import MemoryLog


class PatientLog(MemoryLog):
    """A log that does not say that it has ended before it is told to."""

    end_is_told = asyncio.Event()

    async def read(
        self, generation: Generation, partition: int, offset: int, *, most_bytes: int
    ) -> list[Record]:
        records = await super().read(generation, partition, offset, most_bytes=most_bytes)
        if not records:
            await self.end_is_told.wait()
        return records


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def rows(tmp_path: Path, clock: Clock) -> AsyncIterator[Listening]:
    tables = SqliteTables.open(tmp_path / "store.db", now_ms=clock)
    yield wiring.listening(tables, Settings(tmp_path))
    await tables.close()


def settings(partitions: int, *, new_generation: bool = False) -> Settings:
    return Settings(Path("data"), partitions=partitions, new_generation=new_generation)


def beat(at: int) -> Heartbeat:
    return Heartbeat(id=f"{at}", listener_id="ann", track_id="t", kind=Kind.BEAT, at=at)


async def test_the_same_number_of_partitions_goes_on(rows: Listening, clock: Clock) -> None:
    log = MemoryLog(clock, partitions=4)

    assert await settle(log, rows, settings(4), now_ms=clock) == Generation(0, 4)


async def test_another_number_begins_when_the_older_generation_is_consumed(
    rows: Listening, clock: Clock
) -> None:
    log = MemoryLog(clock, partitions=2)
    await log.put([beat(MONDAY_MS), beat(MONDAY_MS + 20_000)])

    assert await settle(log, rows, settings(3), now_ms=clock) == Generation(1, 3)

    older = Generation(0, 2)
    assert await log.committed(SHARDS, older) == await log.ends(older)
    quarter = MONDAY_MS // QUARTER_MS
    found = await rows.quarters("ann", quarter, quarter, now_ms=clock())
    assert found.mapping() == {quarter: 20_000}


async def test_none_begins_while_the_older_one_could_not_be_written(
    rows: Listening, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, collect = PatientLog(clock, partitions=1), Fold.collect
    await log.put([beat(MONDAY_MS), beat(MONDAY_MS + 20_000)])

    def fail_once(fold: Fold) -> Rows:
        if fold.dirty and not log.end_is_told.is_set():
            log.end_is_told.set()
            raise MemoryError
        return collect(fold)

    monkeypatch.setattr(Fold, "collect", fail_once)
    with pytest.raises(MemoryError):
        await settle(log, rows, settings(2), now_ms=clock)
    assert await log.generation() == Generation(0, 1)

    assert await settle(log, rows, settings(2), now_ms=clock) == Generation(1, 2)
    assert await log.committed(SHARDS, Generation(0, 1)) == [1]


async def test_a_log_that_ends_before_what_was_committed_is_refused(
    rows: Listening, clock: Clock
) -> None:
    log = MemoryLog(clock, partitions=2)
    await log.commit(SHARDS, Generation(0, 2), {1: 7})

    with pytest.raises(LogBehindStore, match="ends at 0, but 7 was committed"):
        await settle(log, rows, settings(2), now_ms=clock)


async def test_a_new_generation_begins_when_told_to(rows: Listening, clock: Clock) -> None:
    log = MemoryLog(clock, partitions=2)
    await log.commit(SHARDS, Generation(0, 2), {1: 7})

    began = await settle(log, rows, settings(2, new_generation=True), now_ms=clock)

    assert began == Generation(1, 2)


async def test_a_new_generation_begins_when_the_partitions_that_are_whole_are_consumed(
    rows: Listening, clock: Clock
) -> None:
    log = MemoryLog(clock, partitions=2)
    ann = partition_of("ann", 2)
    await log.commit(SHARDS, Generation(0, 2), {1 - ann: 7})
    await log.put([beat(MONDAY_MS), beat(MONDAY_MS + 20_000)])

    await settle(log, rows, settings(2, new_generation=True), now_ms=clock)

    quarter = MONDAY_MS // QUARTER_MS
    found = await rows.quarters("ann", quarter, quarter, now_ms=clock())
    assert found.mapping() == {quarter: 20_000}


async def test_a_store_from_an_older_backup_is_made_good_before_the_next_generation(
    rows: Listening, clock: Clock
) -> None:
    log = MemoryLog(clock, partitions=2)
    await log.put([beat(MONDAY_MS), beat(MONDAY_MS + 20_000)])
    await log.commit(SHARDS, Generation(0, 2), {partition_of("ann", 2): 1})

    await settle(log, rows, settings(3), now_ms=clock)

    quarter = MONDAY_MS // QUARTER_MS
    found = await rows.quarters("ann", quarter, quarter, now_ms=clock())
    assert found.mapping() == {quarter: 20_000}


async def test_what_does_not_decode_is_put_aside_before_the_next_generation(
    rows: Listening, clock: Clock
) -> None:
    log, drawer = MemoryLog(clock, partitions=2), Drawer()
    await log.append([(1, b"nonsense")])

    await settle(log, rows, settings(3), now_ms=clock, dead_letters=drawer)

    assert [letter[:2] for letter in drawer.letters] == [(1, 0)]


async def trimmed(clock: Clock, partitions: int) -> MemoryLog:
    """Make a log whose first record was committed and trimmed, and whose second one is there."""
    log = MemoryLog(clock, partitions=partitions)
    for at in (MONDAY_MS, MONDAY_MS + 20_000):
        clock.advance(1_000)
        await log.put([beat(at)])
    ann = partition_of("ann", partitions)
    await log.commit(SHARDS, Generation(0, partitions), {ann: 1})
    await log.trim(before_ms=clock(), keep_bytes=1 << 30)
    return log


async def test_a_store_that_lacks_what_was_trimmed_is_refused(
    rows: Listening, clock: Clock
) -> None:
    log = await trimmed(clock, 2)

    with pytest.raises(StoreBehindLog, match="trimmed records that the store lacks: restore"):
        await settle(log, rows, settings(2), now_ms=clock)


async def test_a_store_that_lacks_what_was_trimmed_goes_on_when_told_to(
    rows: Listening, clock: Clock
) -> None:
    log = await trimmed(clock, 2)

    began = await settle(log, rows, settings(2, new_generation=True), now_ms=clock)

    older = Generation(0, 2)
    assert began == Generation(1, 2)
    assert await log.committed(SHARDS, older) == await log.ends(older)


@pytest.mark.parametrize("partition", [0, 1])
async def test_a_store_that_has_what_was_trimmed_goes_on(
    rows: Listening, clock: Clock, partition: int
) -> None:
    log = await trimmed(clock, 2)
    reached = Progress(complete_ms=await log.trimmed_ms(), next_offset=0)
    await rows.write_totals(part_key(0, partition), {}, 0, reached)

    assert await settle(log, rows, settings(2), now_ms=clock) == Generation(0, 2)


async def test_telling_so_changes_nothing_when_the_log_is_whole(
    rows: Listening, clock: Clock
) -> None:
    log = MemoryLog(clock, partitions=2)

    began = await settle(log, rows, settings(2, new_generation=True), now_ms=clock)

    assert began == Generation(0, 2)
