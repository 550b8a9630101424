"""The servers of one `up`, of its own: they are killed, frozen, cut off and disconnected."""

import contextlib
import os
import random
import signal
from collections.abc import Iterator, Mapping
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
from tests.servers.running import Failed, Running, Server, launch, stop, wait_until_ready

SERVERS: tuple[Server, ...] = (Kafka(), Cassandra(), Redis())
CABLE_PORTS = range(30_000, 32_000)  # no server that picks a port takes one of these


class Backends:
    """Running servers by name, and the cables that they are at the ends of, if there are any."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = dict[str, Running]()
        self._cables = dict[str, Running]()

    def begin(self, *, cables: bool) -> None:
        """Start all, each at the end of a cable if there are *cables*, and wait until they answer.

        :raises Missing: if what they are made of cannot be had.
        :raises Failed: if one does not start; others may run already.
        """
        for each in SERVERS:
            each.install(PROGRAMS)
        told = _cable_ports() if cables else {}
        # all from this thread: they end when the thread that began them does
        for each in _servers(told):
            self._running[each.name] = self._launch(each)
        for name, port in told.items():
            cable = Cable(f"{name}-cable", port, self._running[name].place.port)
            self._cables[name] = self._launch(cable)
        for running in self._all():
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
        for running in self._all():
            _go_on(running.pid)
            stop(running)

    def _all(self) -> tuple[Running, ...]:
        return (*self._running.values(), *self._cables.values())

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
        running = launch(server, home, PROGRAMS, usual_ports=wanted, with_us=True)
        if isinstance(server, Cable) and running.place.port != server.port:
            stop(running)
            raise Failed(f"clients were told port {server.port} of {server.name}; it is taken")
        return running


def _cable_ports() -> dict[str, int]:
    """Choose where clients find each server."""
    ports = free_ports(len(SERVERS), random.sample(CABLE_PORTS, len(CABLE_PORTS)))
    return dict(zip((each.name for each in SERVERS), ports, strict=True))


def _servers(told: Mapping[str, int]) -> list[Server]:
    """Have Kafka tell clients the port that they are to use."""
    return [Kafka(told.get(each.name, 0)) if isinstance(each, Kafka) else each for each in SERVERS]


def freeze(pid: int, seconds: float) -> None:
    """Stop a process in the middle of what it does, and let it go on after a while."""
    os.kill(pid, signal.SIGSTOP)
    timer = Timer(seconds, _go_on, [pid])
    timer.daemon = True
    timer.start()


def _go_on(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def backends(folder: Path, *, cables: bool = False) -> Iterator[Backends]:
    """Have servers with tables of ours for a while, with cables to cut if wanted.

    Nothing of them is left afterwards, nor if one does not start.

    :raises Missing: if what they are made of cannot be had.
    """
    made = Backends(folder)
    try:
        made.begin(cables=cables)
        address = ScyllaAddress.parse(made.environment["HEARTLINE_STORE"])
        assert address is not None
        migrate(address.hosts, address.port, address.keyspace, TABLES, replicas=1)
        yield made
    finally:
        made.stop()
