"""Starting a server, finding one that runs, waiting until it answers, and stopping it."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from heartline import processes
from tests.servers.place import Place
from tests.servers.ports import free_ports

STARTS_WITHIN_S = 90.0
STOPS_WITHIN_S = 30.0
LOOK_S = 0.1
TOLD_LINES = 15


class Server(Protocol):
    """One kind of server."""

    @property
    def name(self) -> str:
        """What its folder is called."""
        ...

    @property
    def variable(self) -> str:
        """The setting of Heartline that names one."""
        ...

    @property
    def ports(self) -> Mapping[str, int]:
        """The ports that it takes when they are free, by name; clients use `port`."""
        ...

    def install(self, programs: Path) -> None:
        """Have everything that it is made of.

        :raises Missing: if something is not there and cannot be had.
        """
        ...

    def command(self, place: Place) -> list[str]:
        """Configure it; tells the command that starts it, which has the place's folder in it."""
        ...

    def environment(self, place: Place) -> dict[str, str]:
        """What that command wants in its environment."""
        ...

    def answers(self, port: int) -> bool:
        """Whether it does its work at *port*."""
        ...

    def settings(self, place: Place) -> dict[str, str]:
        """Tell the variables of the environment that point Heartline at it."""
        ...


class Failed(Exception):
    """Raised when a server does not start; says what its log says."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that was started, by us or by an earlier one of us."""

    server: Server
    place: Place
    pid: int
    process: subprocess.Popen[bytes] | None = None  # if it is a child of ours

    @property
    def settings(self) -> dict[str, str]:
        """The variables of the environment that point Heartline at it."""
        return self.server.settings(self.place)

    @property
    def lives(self) -> bool:
        """Whether its process has not ended."""
        return processes.lives(self.pid)


def find(server: Server, home: Path, programs: Path) -> Running | None:
    """Find the server that runs in *home*."""
    place, pid = last_place(server, home, programs), _kept(home).get("pid", 0)
    # The number may meanwhile be that of another process.
    if place and processes.lives(pid) and str(home) in processes.command(pid):
        return Running(server, place, pid)
    return None


def last_place(server: Server, home: Path, programs: Path) -> Place | None:
    """Tell where the server in *home* was started last."""
    ports = _kept(home).get("ports", {})
    return Place(home, programs, ports) if ports.keys() == server.ports.keys() else None


def launch(
    server: Server, home: Path, programs: Path, *, usual_ports: bool, with_us: bool
) -> Running:
    """Start a server whose files are in *home*, on the ports that it had, or on free ones.

    With *with_us* it ends at the latest when this process does.
    """
    home.mkdir(parents=True, exist_ok=True)
    before = last_place(server, home, programs)
    usual = server.ports if usual_ports else {}
    ports = free_ports(len(server.ports), list((before.ports if before else usual).values()))
    place = Place(home, programs, dict(zip(server.ports, ports, strict=True)))
    command = server.command(place)
    with _fresh_log(home) as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **server.environment(place)},
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=processes.die_with_parent if with_us else None,  # noqa: PLW1509
        )
    (home / "server.json").write_text(json.dumps({"pid": process.pid, "ports": place.ports}))
    return Running(server, place, process.pid, process)


def wait_until_ready(running: Running, patience_s: float = STARTS_WITHIN_S) -> float:
    """Wait until a server answers; tells how many seconds that took.

    :raises Failed: if it ends, or does not answer in time.
    """
    begun = time.monotonic()
    while not running.server.answers(running.place.port):
        if not running.lives:
            raise Failed(f"{running.server.name} ended at its start:\n{_end_of_log(running)}")
        if time.monotonic() - begun > patience_s:
            raise Failed(
                f"{running.server.name} does not answer after {patience_s:.0f} s:\n"
                f"{_end_of_log(running)}"
            )
        time.sleep(LOOK_S)
    return time.monotonic() - begun


def stop(running: Running, patience_s: float = STOPS_WITHIN_S) -> bool:
    """Ask a server to stop, and kill it when it has not in time; tells whether it did by itself."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    return wait_until_ended(running, patience_s)


def wait_until_ended(running: Running, patience_s: float = STOPS_WITHIN_S) -> bool:
    """Wait for a server that was asked to stop, as `stop` does."""
    deadline = time.monotonic() + patience_s
    while (lives := running.lives) and time.monotonic() < deadline:
        time.sleep(LOOK_S)
    if lives:
        processes.kill([running.pid])
    if running.process is not None:
        running.process.wait()
    return not lives


def _kept(home: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((home / "server.json").read_text()))
    except (OSError, ValueError):
        return {}


def _fresh_log(home: Path) -> BinaryIO:
    log = home / "server.log"
    with contextlib.suppress(FileNotFoundError):
        log.replace(home / "server.log.1")
    return log.open("wb")


def _end_of_log(running: Running) -> str:
    log = running.place.home / "server.log"
    lines = log.read_text(errors="replace").splitlines()[-TOLD_LINES:]
    return "\n".join(["  " + line[:300] for line in lines] + [f"  (all of it: {log})"])
