"""The schema of a keyspace: made and brought forward by `migrate`, looked at by everything else.

It is a matter of an operator, not of a start: how often rows are kept (the replication) is chosen once,
and nodes disagree when several processes change a schema at the same time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cassandra import InvalidRequest
from cassandra.cluster import Session as Driver

from domain.errors import NewerSchema, Unavailable
from domain.ports import Table
from stores.cql_session import FAILURES, connected, new_cluster, unavailable
from stores.table_cql import TableCql

USUAL_REPLICAS = 3
MIGRATION_S = 30.0  # a statement that changes the schema waits for every node
VERSIONS = "schema_versions"
READ_VERSION = f"SELECT version FROM {VERSIONS} WHERE name = 'tables'"  # noqa: S608
READ_REPLICATION = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = %s"
WRITE_VERSION = f"INSERT INTO {VERSIONS} (name, version) VALUES ('tables', %s)"  # noqa: S608


class NoSchema(Unavailable):
    """Raised when a keyspace has no tables of ours, or those of an older version."""

    def __init__(self, keyspace: str, found: int) -> None:
        super().__init__(keyspace, found)
        self.keyspace, self.found = keyspace, found

    def __str__(self) -> str:
        what = f"has the tables of version {self.found}" if self.found else "has no tables of ours"
        return f"the keyspace {self.keyspace} {what}: run `heartline store migrate`"


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration found and did."""

    keyspace: str
    replicas: int
    nodes: int
    before: int  # the schema's version; 0: there was none
    after: int


def steps(tables: Sequence[Table]) -> tuple[Sequence[str], ...]:
    """Tell the statements that lead from each version to the next; the first makes everything."""
    made = [TableCql(table).create for table in tables]
    # 2 has the catalogue in tables of its own, 3 has playlists; what is there already stays
    return (made, [*made, "DROP TABLE IF EXISTS catalogue_tracks"], made)


def check_schema(driver: Driver, keyspace: str, known: int) -> None:
    """See that the schema is the one that this version of Heartline knows.

    :raises NoSchema: if there is none, or an older one.
    :raises NewerSchema: if a newer version made it.
    """
    found = _version(driver)
    if found > known:
        raise NewerSchema(f"the keyspace {keyspace}", found, known)
    if found < known:
        raise NoSchema(keyspace, found)


def migrate(
    hosts: Sequence[str],
    port: int,
    keyspace: str,
    tables: Sequence[Table],
    *,
    replicas: int | None = None,
) -> Migrated:
    """Make the keyspace if there is none (None: with the usual number of replicas), and its tables.

    :raises NewerSchema: if a newer version made it.
    :raises Unavailable: if the cluster does not answer.
    """
    cluster = new_cluster(hosts, port, request_s=MIGRATION_S)
    driver = connected(cluster, None)
    try:
        return _migrated(driver, keyspace, steps(tables), replicas)
    except FAILURES as error:
        raise unavailable(error) from error
    finally:
        cluster.shutdown()


def _migrated(
    driver: Driver, keyspace: str, todo: Sequence[Sequence[str]], replicas: int | None
) -> Migrated:
    hosts = driver.cluster.metadata.all_hosts()
    wanted = replicas or min(USUAL_REPLICAS, len(hosts))
    driver.execute(_keyspace(driver, keyspace, hosts[0].datacenter, wanted))
    driver.set_keyspace(keyspace)
    driver.execute(f"CREATE TABLE IF NOT EXISTS {VERSIONS} (name text PRIMARY KEY, version int)")
    before = _version(driver)
    if before > len(todo):
        raise NewerSchema(f"the keyspace {keyspace}", before, len(todo))
    for number, statements in enumerate(todo[before:], start=before + 1):
        for statement in statements:
            driver.execute(statement)
        driver.execute(WRITE_VERSION, (number,))
    return Migrated(keyspace, _replicas(driver, keyspace), len(hosts), before, len(todo))


def _keyspace(driver: Driver, keyspace: str, datacenter: str, replicas: int) -> str:
    system = driver.cluster.metadata.keyspaces["system_schema"].tables
    # ScyllaDB's tablets take no conditional writes before 2025.4, and Cassandra does not know the word
    tablets = " AND tablets = {'enabled': false}" if "scylla_tables" in system else ""
    return (
        f"CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication ="
        f" {{'class': 'NetworkTopologyStrategy', '{datacenter}': {replicas}}}{tablets}"
    )


def _replicas(driver: Driver, keyspace: str) -> int:
    """Tell how many copies of a row there are, in all data centres; the keyspace may be an older one."""
    (replication,) = driver.execute(READ_REPLICATION, (keyspace,)).one()
    return sum(int(value) for name, value in replication.items() if name != "class")


def _version(driver: Driver) -> int:
    try:
        row = driver.execute(READ_VERSION).one()
    except InvalidRequest:  # no such table
        return 0
    return row[0] if row else 0
