"""A whole Heartline under measurement: `heartline up` on a directory of its own, as users start it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.rig.servers import KEPT
from heartline import processes
from heartline.run_directory import delete_run_dirs, marker_of, run_prefix

ROOT = Path(__file__).resolve().parents[2]
READY = "Heartline is ready at "
STOP_S = 60.0
CLI = "import sys; from heartline.cli import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class Up:
    """A running `heartline up`."""

    data: Path
    url: str
    process: subprocess.Popen[str]

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    def pids(self) -> list[int]:
        """Every process of this start."""
        return [self.process.pid, *processes.descendants(self.process.pid)]

    def named(self, title: str) -> list[int]:
        """The processes of this start whose command line has *title* in it."""
        return [pid for pid in self.pids() if title in processes.command(pid)]


@contextmanager
def scratch() -> Iterator[Path]:
    """Have an empty data directory, and delete it."""
    with tempfile.TemporaryDirectory(prefix="heartline-bench-", ignore_cleanup_errors=True) as path:
        yield Path(path)


@contextmanager
def up(data: Path, *flags: str) -> Iterator[Up]:
    """Run `heartline up` on *data* and a free port; what it says goes to ``DATA/up.log``."""
    port = free_port()
    with (data / "up.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", CLI, "up", "--data", str(data), "--port", str(port), *flags],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=_environment(),
        )
        try:
            yield Up(data, _url(process, data), process)
        finally:
            _stop(process, data)


def free_port() -> int:
    """Find a port on loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _url(process: "subprocess.Popen[str]", data: Path) -> str:
    assert process.stdout
    for line in process.stdout:
        if line.startswith(READY):
            return line.removeprefix(READY).strip()
    raise SystemExit(f"heartline up did not start:\n{(data / 'up.log').read_text()[-2000:]}")


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if "HEARTLINE_" not in name or name in KEPT
    }
    return kept | {"PYTHONPATH": str(ROOT)}


def _stop(process: "subprocess.Popen[str]", data: Path) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()
    marker = marker_of(data)
    processes.kill_marked(marker, run_prefix(marker))
    delete_run_dirs(marker)
