"""All the servers that there are, and the one tool beside them."""

from pathlib import Path

from tests.servers.cassandra import Cassandra
from tests.servers.kafka import Kafka
from tests.servers.opensearch import OpenSearch
from tests.servers.programs import program
from tests.servers.redis import Redis
from tests.servers.running import Server
from tests.servers.s3 import S3

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "build" / "servers"
SERVERS: tuple[Server, ...] = (Kafka(), Cassandra(), Redis(), S3(), OpenSearch())


def promtool() -> Path:
    """Find what checks Prometheus's files.

    :raises Missing: if it is not there and we may not install it.
    """
    return program("promtool", "prometheus")
