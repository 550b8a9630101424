"""Real servers on this machine: `make servers` and `make servers-stop`.

    python -m tests.servers start | stop | install [--homes DIR]

Each has its files in a folder of its own, below `.servers` by default; one that the environment names
is used instead.
"""

import argparse
import fcntl
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from heartline.settings import PREFIX
from tests.servers.fleet import PROGRAMS, ROOT, SERVERS, promtool
from tests.servers.programs import Missing
from tests.servers.running import (
    Failed,
    Running,
    Server,
    find,
    last_place,
    launch,
    stop,
    wait_until_ready,
)

HOMES = ROOT / ".servers"


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to say of one server."""

    name: str
    where: str
    what: str
    settings: Mapping[str, str] = field(default_factory=dict)
    failed: bool = False


def start(homes: Path) -> int:
    """Start what does not run yet, all at once; print where everything is."""
    with _one_at_a_time(homes), ThreadPoolExecutor() as pool:
        told = list(pool.map(partial(_started, homes), SERVERS))
    settings = {name: value for each in told for name, value in each.settings.items()}
    kept = _keep(homes, settings)
    lines = [f"{each.name:<10} {each.where:<17} {each.what}" for each in told]
    lines += ["", f"What points Heartline at them (with the keys of S3 in {_short(kept)}):", ""]
    ours = {name: value for name, value in settings.items() if name.startswith(PREFIX)}
    lines += [f"{name}={value}" for name, value in ours.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    return int(any(each.failed for each in told))


def stop_all(homes: Path) -> int:
    """Stop what runs; what it stored stays."""
    with _one_at_a_time(homes), ThreadPoolExecutor() as pool:
        running = [found for server in SERVERS if (found := _found(homes, server))]
        by_themselves = list(pool.map(stop, running))
        (homes / "environment").unlink(missing_ok=True)
    for each, gently in zip(running, by_themselves, strict=True):
        sys.stdout.write(f"{each.server.name:<10} {'stopped' if gently else 'had to be killed'}\n")
    sys.stdout.write(f"{'' if running else 'None runs. '}What they stored is in {_short(homes)}.\n")
    return 0


def install(_homes: Path) -> int:
    """Fetch and build what the servers are made of; say what cannot be had."""
    wanted: dict[str, Callable[[], object]] = {"promtool": promtool}
    wanted |= {each.name: partial(each.install, PROGRAMS) for each in SERVERS if not _named(each)}
    for name, have in wanted.items():
        try:
            have()
        except Missing as missing:
            sys.stdout.write(f"{name}: {missing}. Tests that need it will skip.\n")
    return 0


def _named(server: Server) -> str:
    return os.environ.get(server.variable, "")


def _named_elsewhere(homes: Path, server: Server) -> str:
    """Tell the server that the environment names, unless it is the one that we keep."""
    url = _named(server)
    kept = last_place(server, homes / server.name, PROGRAMS)
    return "" if kept and server.settings(kept)[server.variable] == url else url


def _started(homes: Path, server: Server) -> Told:
    if url := _named_elsewhere(homes, server):
        return Told(server.name, "", f"named by {server.variable}", {server.variable: url})
    begun = time.monotonic()
    try:
        if (running := _found(homes, server)) is not None:
            wait_until_ready(running)
            return _told(running, "runs already")
        server.install(PROGRAMS)
        running = launch(server, homes / server.name, PROGRAMS, usual_ports=True, with_us=False)
        wait_until_ready(running)
        return _told(running, f"started in {time.monotonic() - begun:.1f} s")
    except Missing as missing:
        return Told(server.name, "", f"skipped: {missing}")
    except Failed as failed:
        return Told(server.name, "", str(failed), failed=True)


def _told(running: Running, what: str) -> Told:
    home = _short(running.place.home)
    return Told(
        running.server.name,
        f"127.0.0.1:{running.place.port}",
        f"{what}, process {running.pid}; {home}/server.log, {home}/data",
        running.settings,
    )


def _found(homes: Path, server: Server) -> Running | None:
    return find(server, homes / server.name, PROGRAMS)


def _keep(homes: Path, settings: Mapping[str, str]) -> Path:
    kept = homes / "environment"
    kept.touch(mode=0o600)
    lines = [f"export {name}={shlex.quote(settings[name])}\n" for name in settings]
    kept.write_text("".join(lines))
    return kept


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


@contextmanager
def _one_at_a_time(homes: Path) -> Iterator[None]:
    homes.mkdir(parents=True, exist_ok=True)
    with (homes / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


ACTIONS = {"start": start, "stop": stop_all, "install": install}


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers")
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("--homes", type=Path, default=HOMES, help="the folder of their folders")
    arguments = parser.parse_args()
    return ACTIONS[arguments.action](arguments.homes.absolute())


if __name__ == "__main__":
    sys.exit(main())
