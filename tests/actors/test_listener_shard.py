"""A shard: its flushes go on whatever happens to one of them, and closing it loses nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actors.listener_shard import ListenerShard
from domain.positions import SHARDS
from domain.units import SECOND_MS
from stores.tables import PROGRESS
from tests.actors.test_partition import GENERATION, House, beats

SOON_S = 10.0


@pytest.fixture
async def a_house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    yield made
    await made.tables.close()


def shard_of(house: House, *, commit_window_ms: int) -> ListenerShard:
    return ListenerShard(
        GENERATION,
        listening=house.listening,
        log=house.log,
        commit_window_ms=commit_window_ms,
        now_ms=house.clock,
    )


async def committed(house: House, offset: int) -> None:
    async with asyncio.timeout(SOON_S):
        while await house.log.committed(SHARDS, GENERATION) != [offset]:  # noqa: ASYNC110  (nothing tells of it)
            await asyncio.sleep(0)


async def test_a_flush_that_breaks_is_made_good_by_the_next(a_house: House) -> None:
    await a_house.log.put(beats(0, 30))
    shard = shard_of(a_house, commit_window_ms=1)
    await shard.apply(0, 0, a_house.log.records[0, 0])
    a_house.tables.breaks_at = PROGRESS

    await committed(a_house, 1)

    assert a_house.tables.breaks_at is None
    assert await a_house.listening.track_plays(["t1"]) == [1]
    await shard.close()


async def test_closing_in_the_middle_of_a_flush_loses_nothing(a_house: House) -> None:
    await a_house.log.put(beats(0, 30))
    shard = shard_of(a_house, commit_window_ms=1)
    await shard.apply(0, 0, a_house.log.records[0, 0])
    async with asyncio.timeout(SOON_S):
        while not await a_house.listened_ms():  # noqa: ASYNC110  (nothing tells of it)
            await asyncio.sleep(0)

    await shard.close()

    assert await a_house.listened_ms() == 30 * SECOND_MS
    assert await a_house.listening.track_plays(["t1"]) == [1]
    assert await a_house.log.committed(SHARDS, GENERATION) == [1]


async def test_a_partition_that_is_released_is_durable_and_gone(a_house: House) -> None:
    await a_house.log.put(beats(0, 30))
    shard = shard_of(a_house, commit_window_ms=60_000)
    await shard.apply(0, 0, a_house.log.records[0, 0])

    await shard.release(0)
    await shard.release(0)

    assert await a_house.listened_ms() == 30 * SECOND_MS
    assert await a_house.log.committed(SHARDS, GENERATION) == [1]
    assert await shard.status() == []


async def test_a_partition_that_comes_back_goes_on_where_the_other_shard_stood(
    a_house: House,
) -> None:
    one, other = (shard_of(a_house, commit_window_ms=60_000) for _ in range(2))
    for shard, number in ((one, 0), (other, 1), (one, 2)):
        a_house.clock.advance(SECOND_MS)
        await a_house.log.put(beats(30 * number, 30 * number + 30))
        assert await shard.apply(0, number, a_house.log.records[0, 0][number:]) == number + 1
        await shard.release(0)

    assert await a_house.listened_ms() == 90 * SECOND_MS
    await one.close()
    await other.close()
