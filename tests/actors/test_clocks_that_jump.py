"""The machine's clock is set back an hour and forward a day, under real stores and a real shard."""

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from actors.partition import Partition
from domain.batches import batch_of
from domain.payloads import encode
from domain.positions import SHARDS
from domain.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from stores.listening import Listening
from stores.sqlite_log import SqliteLog
from stores.sqlite_tables import SqliteTables
from tests.actors.test_partition import GENERATION, START, WEEK_TTL_S, beats
from tests.clock import Clock

JUMPS = (
    pytest.param((-HOUR_MS,), id="back-an-hour"),
    pytest.param((DAY_MS,), id="forward-a-day"),
    pytest.param((DAY_MS, -DAY_MS), id="forward-a-day-and-back"),
    pytest.param((-HOUR_MS, DAY_MS, -DAY_MS, HOUR_MS), id="to-and-fro"),
)


class House:
    def __init__(self, folder: Path) -> None:
        self.clock = Clock(START + 5 * MINUTE_MS)
        self.tables = SqliteTables.open(folder / "store.db", now_ms=self.clock)
        self.log = SqliteLog.open(folder / "log.db", partitions=1, now_ms=self.clock)
        self.listening = Listening(self.tables, week_ttl_s=WEEK_TTL_S)
        self.partition = self.new_partition()

    def new_partition(self) -> Partition:
        return Partition(GENERATION, 0, listening=self.listening, log=self.log, now_ms=self.clock)

    async def listen(self, *seconds: float) -> None:
        await self.log.append([(0, encode(batch_of(beats(*seconds))))])
        self.clock.advance(SECOND_MS)

    async def consume(self) -> None:
        wanted = await self.partition.open()
        records = await self.log.read(GENERATION, 0, wanted, most_bytes=1 << 20)
        wanted = await self.partition.apply(wanted, records)
        await self.partition.caught_up(wanted, await self.log.now_ms())
        await self.partition.flush()

    async def listened_ms(self) -> int:
        first = (START - DAY_MS) // (15 * MINUTE_MS)
        last = (START + DAY_MS) // (15 * MINUTE_MS)
        found = await self.listening.quarters("ann", first, last, now_ms=self.clock())
        return int(found.listened_ms.sum())


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    yield made
    await made.tables.close()
    await made.log.close()


async def after_each(house: House, jumps: tuple[int, ...]) -> AsyncIterator[int]:
    """Have something consumed before the clock jumps; tells the number of each jump, after it."""
    await house.listen(0, 30)
    await house.consume()
    for place, jump in enumerate(jumps, 1):
        house.clock.advance(jump)
        yield place


@pytest.mark.parametrize("jumps", JUMPS)
async def test_what_is_appended_around_a_jump_is_counted_once_and_its_times_never_go_back(
    house: House, jumps: tuple[int, ...]
) -> None:
    async for place in after_each(house, jumps):
        await house.listen(60 * place, 60 * place + 30)
        await house.consume()

    assert await house.listened_ms() == (60 * len(jumps) + 30) * SECOND_MS
    records = await house.log.read(GENERATION, 0, 0, most_bytes=1 << 20)
    times = [record.appended_ms for record in records]
    assert all(one <= next_one for one, next_one in pairwise(times))


@pytest.mark.parametrize("jumps", JUMPS)
async def test_after_a_jump_a_restart_goes_on_where_it_stood(
    house: House, jumps: tuple[int, ...]
) -> None:
    async for place in after_each(house, jumps):
        await house.listen(60 * place)
        await house.consume()
        progress = await house.listening.progress(0, 0)
        assert progress.next_offset == place + 1
        assert (
            progress.complete_ms
            >= (await house.log.read(GENERATION, 0, place, most_bytes=1))[0].appended_ms
        )

    assert await house.log.committed(SHARDS, GENERATION) == [len(jumps) + 1]
    assert await house.new_partition().open() == len(jumps) + 1
