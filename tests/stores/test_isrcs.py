import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from random import Random

import pytest

from domain.ports import Key, Table, Tables, Value
from stores import isrcs as module
from stores.cql_tables import CqlTables
from stores.isrcs import Isrcs
from stores.sqlite_tables import SqliteTables
from stores.tables import ISRCS
from tests.clock import Clock
from tests.memory_tables import MemoryTables
from tests.servers.fixtures import Servers
from tests.stores.keyspaces import Keyspace, new_keyspace

ONE, TWO, THREE = "USRC17607839", "GBAYE0601498", "DEA370500012"


class WatchedTables(MemoryTables):
    """Tables that refuse a first write, as if who wrote then had gone again, and count deletions at once."""

    refuses = 0
    deleting = 0
    most_deleting = 0

    async def write_if(
        self,
        table: Table,
        key: Key,
        values: Mapping[str, Value],
        *,
        version: int,
        ttl_s: int | None = None,
    ) -> bool:
        if self.refuses:
            self.refuses -= 1
            return False
        return await super().write_if(table, key, values, version=version, ttl_s=ttl_s)

    async def delete_if(self, table: Table, key: Key, *, version: int) -> bool:
        self.deleting += 1
        self.most_deleting = max(self.most_deleting, self.deleting)
        await asyncio.sleep(0)
        self.deleting -= 1
        return await super().delete_if(table, key, version=version)


@pytest.fixture(scope="module")
def keyspace(servers: Servers) -> Iterator[Keyspace]:
    with new_keyspace(servers, [ISRCS]) as made:
        yield made


@pytest.fixture(params=["sqlite", "memory", pytest.param("cql", marks=pytest.mark.servers)])
async def isrcs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Isrcs]:
    tables: Tables = MemoryTables(Clock())
    if request.param == "sqlite":
        tables = SqliteTables.open(tmp_path / "store.db", now_ms=Clock())
    if request.param == "cql":
        keyspace: Keyspace = request.getfixturevalue("keyspace")
        keyspace.empty()
        tables = CqlTables.open(
            keyspace.address.hosts,
            keyspace.address.port,
            keyspace=keyspace.name,
            now_ms=Clock(),
            tables=[ISRCS],
            random=Random(1),
        )
    yield Isrcs(tables)
    await tables.close()


async def test_a_recording_is_one_track(isrcs: Isrcs) -> None:
    assert await isrcs.claim({ONE: "a", TWO: "b"}) == {}

    assert await isrcs.claim({ONE: "c", TWO: "b", THREE: "c"}) == {ONE: "a"}
    assert await isrcs.holders([ONE, TWO, THREE, "none"]) == {ONE: "a", TWO: "b", THREE: "c"}


async def test_of_two_that_want_the_same_at_once_one_has_it(isrcs: Isrcs) -> None:
    refused = await asyncio.gather(*(isrcs.claim({ONE: track}) for track in "abcd"))

    holder = (await isrcs.holders([ONE]))[ONE]
    assert sorted(map(str, refused)) == sorted(
        str({} if track == holder else {ONE: holder}) for track in "abcd"
    )


async def test_what_is_given_up_can_be_had(isrcs: Isrcs) -> None:
    await isrcs.claim({ONE: "a", TWO: "b"})

    await isrcs.release({ONE: "a", TWO: "a", THREE: "a"})

    assert await isrcs.claim({ONE: "c", TWO: "c"}) == {TWO: "b"}


async def test_more_than_fit_at_once_are_taken(
    isrcs: Isrcs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    wanted = {f"USRC1760783{number}": str(number) for number in range(5)}

    assert await isrcs.claim(wanted) == {}
    assert await isrcs.holders(wanted) == wanted


async def test_what_was_lost_and_given_up_meanwhile_is_taken() -> None:
    tables = WatchedTables(Clock())
    tables.refuses = 1
    isrcs = Isrcs(tables)

    assert await isrcs.claim({ONE: "a", TWO: "b"}) == {}
    assert await isrcs.holders([ONE, TWO]) == {ONE: "a", TWO: "b"}


async def test_many_are_given_up_together_but_not_all_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    isrcs = Isrcs(tables := WatchedTables(Clock()))
    held = {f"USRC1760783{number}": str(number) for number in range(5)}
    await isrcs.claim(held)

    await isrcs.release(held)

    assert await isrcs.holders(held) == {}
    assert tables.most_deleting == 2
