"""Keyspaces of their own for tests on a server that speaks CQL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from cassandra.cluster import Session

from domain.ports import Table
from heartline.addresses import ScyllaAddress
from stores.cql_schema import migrate
from stores.cql_session import new_cluster
from tests.servers.fixtures import Servers


@dataclass(frozen=True, slots=True)
class Keyspace:
    """A keyspace with tables of ours, on the servers at an address."""

    name: str
    address: ScyllaAddress
    tables: Sequence[Table]
    driver: Session

    def empty(self) -> None:
        """Forget every row, deletions included."""
        for table in self.tables:
            self.driver.execute(f"TRUNCATE {self.name}.{table.name}")


@contextmanager
def new_keyspace(servers: Servers, tables: Sequence[Table]) -> Iterator[Keyspace]:
    """Have a keyspace for a while."""
    address = ScyllaAddress.parse(servers.settings("cassandra")["HEARTLINE_STORE"])
    assert address is not None
    name = f"heartline_{uuid4().hex[:12]}"
    migrate(address.hosts, address.port, name, tables, replicas=1)
    cluster = new_cluster(address.hosts, address.port, request_s=30)
    driver = cluster.connect()
    try:
        yield Keyspace(name, address, tables, driver)
    finally:
        driver.execute(f"DROP KEYSPACE {name}")
        cluster.shutdown()
