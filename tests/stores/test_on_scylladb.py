"""What ScyllaDB does in its own way. Run where `HEARTLINE_STORE` names one; Cassandra does otherwise."""

import time
from collections.abc import AsyncIterator, Iterator

import pytest
from cassandra import InvalidRequest

from domain.ports import StampedRow
from domain.positions import ERASED_STAMP
from stores.cql_tables import CqlTables
from stores.tables import ACCOUNT_NAMES, PLAYS
from tests.clock import Clock
from tests.servers.fixtures import Servers
from tests.stores.keyspaces import Keyspace, new_keyspace

pytestmark = [pytest.mark.servers, pytest.mark.scylladb]
FOUR_DAYS_US = 4 * 86_400_000_000


@pytest.fixture(scope="module")
def keyspace(servers: Servers) -> Iterator[Keyspace]:
    with new_keyspace(servers, [PLAYS, ACCOUNT_NAMES]) as made:
        if "scylla_tables" not in made.driver.cluster.metadata.keyspaces["system_schema"].tables:
            pytest.skip("HEARTLINE_STORE names no ScyllaDB")
        yield made


@pytest.fixture
async def tables(keyspace: Keyspace) -> AsyncIterator[CqlTables]:
    opened = CqlTables.open(
        keyspace.address.hosts,
        keyspace.address.port,
        keyspace=keyspace.name,
        now_ms=Clock(),
        tables=keyspace.tables,
    )
    yield opened
    await opened.close()


def test_a_timestamp_days_ahead_is_refused(keyspace: Keyspace) -> None:
    ahead = time.time_ns() // 1_000 + FOUR_DAYS_US

    with pytest.raises(InvalidRequest):
        keyspace.driver.execute(
            f"INSERT INTO {keyspace.name}.plays (listener, play, state) VALUES ('ann', 1, 0x00)"
            f" USING TIMESTAMP {ahead}"
        )


async def test_the_largest_stamp_of_ours_is_taken(tables: CqlTables) -> None:
    last = StampedRow(("ann", 2), b"x", ERASED_STAMP)

    await tables.write_stamped([(PLAYS, [last])])
    await tables.erase_stamped(PLAYS, ("bob",), stamp=ERASED_STAMP)

    assert await tables.read_stamped(PLAYS, [last.key]) == [last]


async def test_a_condition_is_judged_without_tablets(tables: CqlTables) -> None:
    assert await tables.write_if(ACCOUNT_NAMES, ("ann",), {"listener": "1"}, version=0)

    # the answer has the row that stands behind `[applied]`, whether it was applied or not
    assert await tables.write_if(ACCOUNT_NAMES, ("ann",), {"listener": "2"}, version=1)
    assert not await tables.write_if(ACCOUNT_NAMES, ("ann",), {"listener": "3"}, version=1)
