"""What tests get of the servers: each is started when the first test asks for it, and stopped at the end.

A server that the environment names is used instead. Where one cannot be had, its tests skip and say why.
"""

import os
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import pytest

from tests.servers.fleet import PROGRAMS, SERVERS
from tests.servers.programs import Missing
from tests.servers.running import Running, launch, stop, wait_until_ready

# Taken out, so that no `heartline` that a test starts finds them.
GIVEN: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        server.name: {server.variable: os.environ.pop(server.variable)}
        for server in SERVERS
        if os.environ.get(server.variable)
    }
)


class Servers:
    """The servers of one run of the tests, in one directory."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._homes = factory.mktemp("servers")
        self._running: dict[str, Running] = {}

    def settings(self, name: str) -> Mapping[str, str]:
        """Tell what points Heartline at the server *name*; starts it if it does not run."""
        if name in GIVEN:
            return GIVEN[name]
        if name not in self._running:
            (server,) = (each for each in SERVERS if each.name == name)
            try:
                server.install(PROGRAMS)
            except Missing as missing:
                pytest.skip(f"{name}: {missing}")
            running = launch(server, self._homes / name, PROGRAMS, usual_ports=False, with_us=True)
            self._running[name] = running
            wait_until_ready(running)
        return self._running[name].settings

    def stop(self) -> None:
        """Stop those that run."""
        for running in self._running.values():
            stop(running)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers that tests share."""
    shared = Servers(tmp_path_factory)
    yield shared
    shared.stop()


@pytest.fixture(scope="session")
def kafka(servers: Servers) -> str:
    """The address of a Kafka broker: ``kafka://host:port``."""
    return servers.settings("kafka")["HEARTLINE_LOG"]


@pytest.fixture(scope="session")
def cql(servers: Servers) -> str:
    """The address of a server that speaks CQL: ``scylla://host:port/keyspace``."""
    return servers.settings("cassandra")["HEARTLINE_STORE"]


@pytest.fixture(scope="session")
def redis(servers: Servers) -> str:
    """The address of a Redis: ``redis://host:port/number``."""
    return servers.settings("redis")["HEARTLINE_PRESENCE"]


@pytest.fixture(scope="session")
def s3(servers: Servers) -> Mapping[str, str]:
    """The address of an S3 server, and the keys to it, as the environment would have them."""
    return servers.settings("s3")


@pytest.fixture(scope="session")
def opensearch(servers: Servers) -> str:
    """The address of an OpenSearch: ``opensearch://host:port``."""
    return servers.settings("opensearch")["HEARTLINE_SEARCH"]
