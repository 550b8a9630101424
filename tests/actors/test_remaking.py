"""A stored row that cannot be read any more is made anew from the log."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain import recount
from domain.ports import Table
from stores.tables import LISTENING_HOURS, LISTENING_WEEKS, PLAYS
from tests.actors.test_partition import House, beats

TABLES = (LISTENING_HOURS, LISTENING_WEEKS, PLAYS)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    yield made
    await made.tables.close()


async def damage(house: House, table: Table, rng: random.Random) -> None:
    """Cut every row of ann's in *table*, or put a byte before it, keeping its stamp."""
    rows = await house.tables.scan_stamped(table, ("ann",))
    assert rows
    for row in rows:
        spoilt = rng.choice((b"", row.state[:-1], b"\xff" + row.state[1:], row.state + b"x"))
        connection = house.tables.tables._writes._connected()
        keys = " AND ".join(f"{name} = ?" for name in (*table.partition, *table.clustering))
        statement = f"UPDATE {table.name} SET state = ? WHERE {keys}"
        assert connection.execute(statement, (spoilt, *row.key)).rowcount == 1
    await asyncio.sleep(0)  # reads of one turn of the loop share a snapshot


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_a_row_that_cannot_be_read_is_made_anew_and_all_goes_on(
    house: House, table: Table, seed: int
) -> None:
    heard = beats(0, 30, 60) + beats(10, 70, play="p2", track="t2") + beats(5, listener="bob")
    for one in heard:
        await house.log.put([one])
    first = house.partition()
    await house.feed(first)
    await first.flush()
    await damage(house, table, random.Random(seed))
    later = beats(90, 3000, 3030) + beats(100, play="p2", track="t2") + beats(35, listener="bob")
    await house.log.put(later)

    second = house.partition()
    await house.feed(second)
    await second.flush()

    for listener in ("ann", "bob"):
        own = [one for one in heard + later if one.listener_id == listener]
        assert await house.listened_ms(listener) == sum(recount.quarters(own).values())
    assert await house.listening.track_plays(["t1", "t2"]) == [2, 1]
    plays = await house.listening.plays_before("ann", None, 10)
    assert {play.track_id for play in plays} == {"t1", "t2"}
    remade = second.status()["remade"]
    assert isinstance(remade, int)
    assert remade > 0


async def test_rows_that_are_whole_are_not_made_anew(house: House) -> None:
    await house.log.put(beats(0, 30))
    first = house.partition()
    await house.feed(first)
    await first.flush()
    await house.log.put(beats(60))

    second = house.partition()
    await house.feed(second)

    assert second.status()["remade"] == 0
