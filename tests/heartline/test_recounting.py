from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actors.listener_shard import ListenerShard
from domain.calendar import IsoWeek
from domain.heartbeats import Heartbeat, Kind
from domain.ports import Record, StampedRow
from domain.positions import SHARDS, stamp
from domain.rows import encode_week
from domain.units import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS, utc_week
from heartline import wiring
from heartline.differences import Difference
from heartline.log_buckets import LogBuckets
from heartline.recount_bounds import Bounds, held_whole
from heartline.recounting import Recount
from heartline.repairing import Repair
from heartline.settings import Settings
from stores.sqlite_tables import SqliteTables
from stores.tables import LISTENING_WEEKS
from tests.clock import MONDAY_MS, Clock
from tests.memory_log import MemoryLog

EVERYTHING = Bounds()


class Machine:
    """One log, one store, and a shard when one is wanted."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock(MONDAY_MS + 3 * DAY_MS)
        self.log = MemoryLog(self.clock)
        self.folder = folder
        self.tables = SqliteTables.open(folder / "store.db", now_ms=self.clock)
        self.rows = wiring.listening(self.tables, Settings(folder))

    async def listened(self, name: str, minutes: int, *, at_ms: int = MONDAY_MS) -> None:
        beats = [
            Heartbeat(
                id=f"{name}-{at_ms}-{number}",
                listener_id=name,
                track_id="t1",
                play_id=f"p{at_ms}",
                kind=Kind.BEAT,
                at=at_ms + number * MINUTE_MS // 2,
            )
            for number in range(2 * minutes + 1)
        ]
        await self.log.put(beats)

    async def consume(self) -> None:
        generation = await self.log.generation()
        shard = ListenerShard(
            generation,
            listening=self.rows,
            log=self.log,
            commit_window_ms=1000,
            now_ms=self.clock,
        )
        for partition in range(generation.partitions):
            wanted = await shard.open(partition)
            records = await self.log.read(generation, partition, wanted, most_bytes=1 << 30)
            if records:
                await shard.apply(partition, wanted, records)
        await shard.close()

    async def differences(
        self,
        *,
        whole: Bounds = EVERYTHING,
        week: IsoWeek | None = None,
        repair: Repair | None = None,
    ) -> list[Difference]:
        generation = await self.log.generation()
        committed = {generation: await self.log.committed(SHARDS, generation)}
        self.folder.joinpath("buckets").mkdir(exist_ok=True)
        buckets = LogBuckets(self.log, self.folder / "buckets", committed)
        await buckets.advance()
        self.recount = Recount(
            buckets,
            self.rows,
            wiring.accounts(self.tables),
            whole=whole,
            week=week,
            plays_since_ms=0,
            now_ms=self.clock,
            repair=repair,
        )
        try:
            return [each async for each in self.recount.differences()]
        finally:
            buckets.close()


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    made = Machine(tmp_path)
    yield made
    await made.tables.close()


async def test_what_was_consumed_to_the_end_agrees(machine: Machine) -> None:
    for number in range(20):
        await machine.listened(f"listener-{number}", minutes=number)
    await machine.consume()

    assert await machine.differences() == []
    assert (machine.recount.tallied.listeners, machine.recount.tallied.tracks) == (20, 1)


async def test_what_is_not_committed_may_or_may_not_be_in_the_store(machine: Machine) -> None:
    await machine.listened("ann", 20)
    await machine.consume()
    await machine.listened("ann", 30)
    await machine.listened("bob", 5)

    assert await machine.differences() == []


async def test_a_number_that_is_too_small_or_too_large_is_found(machine: Machine) -> None:
    await machine.listened("ann", 20)
    await machine.consume()
    quarter = MONDAY_MS // QUARTER_MS
    week = utc_week(MONDAY_MS)
    state = encode_week(week, {quarter: 900_000 - 1, quarter + 1: 300_000, quarter + 9: 1})
    row = StampedRow(("ann", week), state, stamp(1 << 45))
    await machine.tables.write_stamped([(LISTENING_WEEKS, [row])])

    found = await machine.differences()

    assert [(each.stored, each.least, each.most) for each in found] == [
        (899_999, 900_000, 900_000),
        (1, 0, 0),
    ]
    assert str(found[0]) == (
        "ann: quarter-hour from 2026-11-16T00:00:00.000Z, ms: "
        "the store has 899999, the heartbeats give 900000"
    )


async def test_rows_that_were_lost_are_found(machine: Machine) -> None:
    await machine.listened("ann", 1)
    generation = await machine.log.generation()
    await machine.log.commit(SHARDS, generation, {0: 1, 1: 1})

    found = [each.what.split(",")[0] for each in await machine.differences()]

    assert found == [
        "quarter-hour from 2026-11-16T00:00:00.000Z",
        f"play p{MONDAY_MS} of t1",
        "plays of the track",
    ]


async def test_an_erased_listener_is_left_out(machine: Machine) -> None:
    await machine.listened("ann", 5)
    await machine.listened("bob", 5)
    await machine.consume()
    await wiring.eraser(machine.log, machine.rows, await machine.log.generation())("ann")

    assert await machine.differences() == []
    assert (machine.recount.tallied.erased, machine.recount.tallied.listeners) == (1, 1)


async def test_only_the_week_that_was_asked_for_is_compared(machine: Machine) -> None:
    await machine.listened("ann", 5)
    await machine.listened("ann", 5, at_ms=MONDAY_MS - DAY_MS)
    await machine.consume()

    assert await machine.differences(week=IsoWeek(2026, 47)) == []
    assert (machine.recount.tallied.quarters, machine.recount.tallied.plays) == (1, 1)


async def test_what_the_log_lost_is_not_held_against_the_store(machine: Machine) -> None:
    await machine.listened("ann", 5)
    machine.clock.advance(DAY_MS)
    await machine.listened("ann", 5, at_ms=machine.clock())
    await machine.consume()
    (held,) = (records for records in machine.log.records.values() if records)
    held[0] = Record(0, 0, b"removed")

    assert len(await machine.differences()) == 3
    assert await machine.differences(whole=held_whole(machine.clock() - DAY_MS)) == []
    assert machine.recount.tallied.quarters == 1


@pytest.mark.parametrize("play_id", ["p1", ""])
async def test_a_play_whose_beginning_the_log_has_lost_is_left_out(
    machine: Machine, play_id: str
) -> None:
    for hours in (0, 2):
        at_ms = MONDAY_MS + hours * HOUR_MS
        beats = [
            Heartbeat(
                id=f"{at}", listener_id="ann", track_id="t1", play_id=play_id, kind=Kind.BEAT, at=at
            )
            for at in (at_ms, at_ms + MINUTE_MS // 2)
        ]
        await machine.log.put(beats)
    await machine.consume()
    (held,) = (records for records in machine.log.records.values() if records)
    held[0] = Record(0, 0, b"removed")

    assert await machine.differences(whole=held_whole(MONDAY_MS + MINUTE_MS)) == []


@pytest.mark.parametrize(
    ("trimmed_ms", "first"),
    [
        pytest.param(0, 0, id="nothing-was-ever-removed"),
        pytest.param(QUARTER_MS - 3 * MINUTE_MS - 1, 1, id="three-minutes-before-a-quarter"),
        pytest.param(QUARTER_MS - 3 * MINUTE_MS, 2, id="less-than-three-minutes-before-it"),
    ],
)
def test_a_quarter_hour_is_whole_when_nothing_of_it_can_be_missing(
    trimmed_ms: int, first: int
) -> None:
    assert held_whole(trimmed_ms).first == first
