"""The servers of one `up`, of its own: they are killed and frozen."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

from heartline import processes
from heartline.addresses import ScyllaAddress
from stores.cql_schema import migrate
from stores.tables import TABLES
from tests.servers.cassandra import Cassandra
from tests.servers.fleet import PROGRAMS
from tests.servers.kafka import Kafka
from tests.servers.redis import Redis
from tests.servers.running import Running, Server, launch, stop, wait_until_ready

SERVERS: tuple[Server, ...] = (Kafka(), Cassandra(), Redis())


class Backends:
    """Running servers by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for each in SERVERS:
            each.install(PROGRAMS)
        # all from this thread: they end when the thread that began them does
        self._running = {each.name: self._launch(each) for each in SERVERS}
        for running in self._running.values():
            wait_until_ready(running)

    @property
    def environment(self) -> Mapping[str, str]:
        """What points Heartline at them."""
        return {
            name: value for each in self._running.values() for name, value in each.settings.items()
        }

    def pid(self, name: str) -> int:
        """The process of a server now."""
        return self._running[name].pid

    def answers(self, name: str) -> bool:
        """Whether a server does its work."""
        running = self._running[name]
        return running.server.answers(running.place.port)

    def kill(self, name: str) -> int:
        """Kill a server, and start it again at once, without waiting for it; the process that was."""
        running = self._running[name]
        processes.kill([running.pid])
        if running.process is not None:
            running.process.wait()
        self._running[name] = self._launch(running.server)
        return running.pid

    def freeze(self, name: str, seconds: float) -> None:
        """Stop a server in the middle of what it does, and let it go on after a while."""
        freeze(self.pid(name), seconds)

    def stop(self) -> None:
        """Stop all."""
        for running in self._running.values():
            if running.lives:
                os.kill(running.pid, signal.SIGCONT)
            stop(running)

    def _launch(self, server: Server) -> Running:
        home = self._folder / server.name
        return launch(server, home, PROGRAMS, usual_ports=False, with_us=True)


def freeze(pid: int, seconds: float) -> None:
    """Stop a process in the middle of what it does, and let it go on after a while."""

    def go_on() -> None:
        if processes.lives(pid):
            os.kill(pid, signal.SIGCONT)

    os.kill(pid, signal.SIGSTOP)
    timer = Timer(seconds, go_on)
    timer.daemon = True
    timer.start()


@contextmanager
def backends(folder: Path) -> Iterator[Backends]:
    """Have servers with tables of ours for a while.

    :raises Missing: if what they are made of cannot be had.
    """
    made = Backends(folder)
    try:
        address = ScyllaAddress.parse(made.environment["HEARTLINE_STORE"])
        assert address is not None
        migrate(address.hosts, address.port, address.keyspace, TABLES, replicas=1)
        yield made
    finally:
        made.stop()
