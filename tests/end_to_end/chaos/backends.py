"""The servers of one `up`, of its own: they are killed and frozen."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Timer

from heartline import processes
from heartline.addresses import ScyllaAddress
from stores.cql_schema import migrate
from stores.tables import TABLES
from tests.servers.cable import Cable
from tests.servers.cassandra import Cassandra
from tests.servers.fleet import PROGRAMS
from tests.servers.kafka import Kafka
from tests.servers.place import Place
from tests.servers.ports import free_ports
from tests.servers.redis import Redis
from tests.servers.running import Running, Server, launch, stop, wait_until_ready

SERVERS: tuple[Server, ...] = (Kafka(), Cassandra(), Redis())


class Backends:
    """Running servers by name, each at the end of a cable if there are *cables*."""

    def __init__(self, folder: Path, *, cables: bool = False) -> None:
        self._folder = folder
        for each in SERVERS:
            each.install(PROGRAMS)
        told = free_ports(len(SERVERS)) if cables else [0] * len(SERVERS)
        servers = [Kafka(told[0]), *SERVERS[1:]]
        # all from this thread: they end when the thread that began them does
        self._running = {each.name: self._launch(each) for each in servers}
        self._cables = {
            each.name: self._launch(
                Cable(f"{each.name}-cable", port, self._running[each.name].place.port)
            )
            for each, port in zip(servers, told, strict=True)
            if port
        }
        for running in (*self._running.values(), *self._cables.values()):
            wait_until_ready(running)

    @property
    def environment(self) -> Mapping[str, str]:
        """What points Heartline at them."""
        return {
            name: value
            for each in self._running.values()
            for name, value in each.server.settings(self._told(each)).items()
        }

    def pid(self, name: str) -> int:
        """The process of a server now."""
        return self._running[name].pid

    def answers(self, name: str) -> bool:
        """Whether a server does its work, as seen from Heartline."""
        running = self._running[name]
        return running.server.answers(self._told(running).port)

    def kill(self, name: str) -> int:
        """Kill a server, and start it again at once, without waiting for it; the process that was."""
        return self._replace(self._running, name)

    def tear_out(self, name: str) -> int:
        """Lose every connection to a server; new ones are taken again at once."""
        return self._replace(self._cables, name)

    def freeze(self, name: str, seconds: float) -> int:
        """Stop a server in the middle of what it does, and let it go on after a while; its process."""
        freeze(self.pid(name), seconds)
        return self.pid(name)

    def cut(self, name: str, seconds: float) -> int:
        """Carry nothing to and from a server for a while; the process of its cable."""
        freeze(self._cables[name].pid, seconds)
        return self._cables[name].pid

    def stop(self) -> None:
        """Stop all."""
        for running in (*self._running.values(), *self._cables.values()):
            if running.lives:
                os.kill(running.pid, signal.SIGCONT)
            stop(running)

    def _replace(self, running: dict[str, Running], name: str) -> int:
        before = running[name]
        processes.kill([before.pid])
        if before.process is not None:
            before.process.wait()
        running[name] = self._launch(before.server)
        return before.pid

    def _told(self, running: Running) -> Place:
        """Where clients find a server: at the other end of its cable, if it has one."""
        cable = self._cables.get(running.server.name)
        ports = {**running.place.ports, "port": (cable or running).place.port}
        return replace(running.place, ports=ports)

    def _launch(self, server: Server) -> Running:
        home = self._folder / server.name
        wanted = isinstance(server, Cable)  # others take any port, beside those of `make servers`
        return launch(server, home, PROGRAMS, usual_ports=wanted, with_us=True)


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
def backends(folder: Path, *, cables: bool = False) -> Iterator[Backends]:
    """Have servers with tables of ours for a while, with cables to cut if wanted.

    :raises Missing: if what they are made of cannot be had.
    """
    made = Backends(folder, cables=cables)
    try:
        address = ScyllaAddress.parse(made.environment["HEARTLINE_STORE"])
        assert address is not None
        migrate(address.hosts, address.port, address.keyspace, TABLES, replicas=1)
        yield made
    finally:
        made.stop()
