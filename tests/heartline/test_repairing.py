"""Rows that cannot be read are told by a recount, and mended by one that is asked to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.ports import Table
from heartline import wiring
from heartline.recounting import DAMAGED
from heartline.repairing import TABLES, Repair
from heartline.settings import Settings
from tests.heartline.test_recounting import Machine


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    made = Machine(tmp_path)
    for name in ("ann", "bob"):
        await made.listened(name, minutes=20)
    await made.consume()
    yield made
    await made.tables.close()


def spoil(machine: Machine, table: Table) -> None:
    """Damage every row of ann's in a table; their stamps stay."""
    connection = machine.tables._writes._connected()
    statement = f"UPDATE {table.name} SET state = x'ff' WHERE listener = 'ann'"
    assert connection.execute(statement).rowcount > 0


def repair(machine: Machine) -> Repair:
    return Repair(machine.tables, machine.log, wiring.ttls_s(Settings(machine.folder)))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_a_row_that_cannot_be_read_is_told_and_mended(machine: Machine, table: Table) -> None:
    spoil(machine, table)

    assert DAMAGED in {found.what for found in await machine.differences()}

    mending = repair(machine)
    assert await machine.differences(repair=mending) == []
    assert mending.mended > 0
    assert await machine.differences() == []


async def test_rows_that_can_be_read_are_left_alone(machine: Machine) -> None:
    mending = repair(machine)

    assert await machine.differences(repair=mending) == []
    assert mending.mended == 0


async def test_what_a_shard_writes_after_a_repair_stands(machine: Machine) -> None:
    for table in TABLES:
        spoil(machine, table)
    await repair(machine).mend(["ann", "bob", "nobody"])
    await machine.listened("ann", minutes=30)
    await machine.consume()

    assert await machine.differences() == []


async def test_what_the_log_no_longer_holds_cannot_be_mended(machine: Machine) -> None:
    spoil(machine, TABLES[0])
    await machine.log.trim(before_ms=machine.clock() + 1, keep_bytes=0)

    mending = repair(machine)
    await mending.mend(["ann"])

    assert mending.mended == 0
