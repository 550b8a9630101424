"""Nodes of OpenSearch of a test's own that are one cluster, to be hurt."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from heartline import processes
from tests.servers.fleet import PROGRAMS
from tests.servers.opensearch import HOLDS_DATA, VOTES_ONLY, OpenSearch
from tests.servers.ports import free_ports
from tests.servers.programs import Missing
from tests.servers.running import Running, launch, stop, wait_until_ready

STARTS_QUICKLY = "-XX:TieredStopAtLevel=1"  # in half the time of a processor, and slower later


class SearchCluster:
    """Nodes by number; their data outlives their processes."""

    def __init__(self, home: Path, roles: list[str]) -> None:
        ports = free_ports(2 * len(roles))
        peers = ports[len(roles) :]
        self._home = home
        self._nodes = [
            OpenSearch(
                ports={"port": port, "transport_port": peer},
                roles=role,
                peers=peers,
                options=[STARTS_QUICKLY],
            )
            for port, peer, role in zip(ports, peers, roles, strict=False)
        ]
        self._running = dict(enumerate(map(self._launch, range(len(roles)))))
        self.wait()

    @property
    def url(self) -> str:
        """The address, with the nodes that hold data."""
        nodes = [
            f"127.0.0.1:{node.ports['port']}" for node in self._nodes if node.roles == HOLDS_DATA
        ]
        return f"opensearch://{','.join(nodes)}?replicas={len(nodes) - 1}"

    def wait(self) -> None:
        """Wait until all that run answer."""
        for running in self._running.values():
            wait_until_ready(running)

    def kill(self, number: int) -> None:
        """End a node at once."""
        running = self._running.pop(number)
        processes.kill([running.pid])
        stop(running)

    def start_again(self, number: int) -> None:
        """Start a node that was killed, where it was."""
        self._running[number] = self._launch(number)
        self.wait()

    def stop(self) -> None:
        """Stop all."""
        for running in self._running.values():
            stop(running)

    def _launch(self, number: int) -> Running:
        home = self._home / str(number)
        return launch(self._nodes[number], home, PROGRAMS, usual_ports=True, with_us=True)


@contextmanager
def own_cluster(home: Path, *, nodes: int) -> Iterator[SearchCluster]:
    """Have a cluster of nodes that hold data and, of three, one that only votes, for a while."""
    try:
        OpenSearch().install(PROGRAMS)
    except Missing as missing:
        pytest.skip(str(missing))
    roles = [HOLDS_DATA] * min(nodes, 2) + [VOTES_ONLY] * (nodes - 2)
    started = SearchCluster(home, roles)
    try:
        yield started
    finally:
        started.stop()
