from collections.abc import Iterator

import pytest

from domain.errors import NewerSchema, Unavailable
from stores.cql_schema import NoSchema, migrate
from stores.cql_tables import CqlTables
from stores.tables import ACCOUNT_NAMES, PROGRESS
from tests.clock import Clock
from tests.servers.fixtures import Servers
from tests.stores.keyspaces import Keyspace, new_keyspace

pytestmark = pytest.mark.servers
TABLES = (PROGRESS, ACCOUNT_NAMES)


@pytest.fixture(scope="module")
def keyspace(servers: Servers) -> Iterator[Keyspace]:
    with new_keyspace(servers, TABLES) as made:
        yield made


def version_is(keyspace: Keyspace, number: int) -> None:
    keyspace.driver.execute(
        f"INSERT INTO {keyspace.name}.schema_versions (name, version) VALUES ('tables', {number})"
    )


def opened(keyspace: Keyspace, name: str = "") -> CqlTables:
    address = keyspace.address
    return CqlTables.open(
        address.hosts, address.port, keyspace=name or keyspace.name, now_ms=Clock(), tables=TABLES
    )


def test_migrating_again_changes_nothing(keyspace: Keyspace) -> None:
    address = keyspace.address

    done = migrate(address.hosts, address.port, keyspace.name, TABLES, replicas=3)

    assert (done.before, done.after) == (3, 3)
    assert (done.replicas, done.nodes) == (1, 1)


def test_a_keyspace_of_the_first_version_gains_the_catalogue(keyspace: Keyspace) -> None:
    address, drive = keyspace.address, keyspace.driver
    drive.execute(f"CREATE TABLE {keyspace.name}.catalogue_tracks (track text PRIMARY KEY)")
    drive.execute(f"DROP TABLE {keyspace.name}.{PROGRESS.name}")
    version_is(keyspace, 1)

    done = migrate(address.hosts, address.port, keyspace.name, TABLES)

    assert (done.before, done.after) == (1, 3)
    rows = drive.execute(
        "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s", (keyspace.name,)
    )
    names = {name for (name,) in rows}
    assert names == {PROGRESS.name, ACCOUNT_NAMES.name, "schema_versions"}


def test_a_keyspace_of_the_second_version_gains_playlists(keyspace: Keyspace) -> None:
    address, drive = keyspace.address, keyspace.driver
    drive.execute(f"DROP TABLE {keyspace.name}.{PROGRESS.name}")  # stands for a new one
    version_is(keyspace, 2)

    done = migrate(address.hosts, address.port, keyspace.name, TABLES)

    assert (done.before, done.after) == (2, 3)
    rows = drive.execute(
        "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s", (keyspace.name,)
    )
    assert PROGRESS.name in {name for (name,) in rows}


def test_a_keyspace_that_nobody_made_is_refused_with_what_to_do(keyspace: Keyspace) -> None:
    with pytest.raises(NoSchema, match="run `heartline store migrate`"):
        opened(keyspace, "heartline_nobody_made")
    with pytest.raises(NoSchema, match="has no tables of ours"):
        opened(keyspace, "system_schema")


def test_a_newer_schema_is_refused(keyspace: Keyspace) -> None:
    address = keyspace.address
    version_is(keyspace, 9)

    with pytest.raises(NewerSchema, match="has schema 9, this version knows 3"):
        opened(keyspace)
    with pytest.raises(NewerSchema, match="has schema 9"):
        migrate(address.hosts, address.port, keyspace.name, TABLES)

    version_is(keyspace, 2)


def test_an_older_schema_is_refused_with_what_to_do(keyspace: Keyspace) -> None:
    version_is(keyspace, 0)

    with pytest.raises(NoSchema, match="run `heartline store migrate`"):
        opened(keyspace)

    version_is(keyspace, 2)


def test_a_cluster_that_is_not_there_is_named() -> None:
    with pytest.raises(Unavailable, match=r"on port 1 of 127\.0\.0\.1"):
        CqlTables.open(["127.0.0.1"], 1, keyspace="heartline", now_ms=Clock())
