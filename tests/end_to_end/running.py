"""Starting `heartline up` as a user does, and acting as its listeners."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from heartline import processes
from heartline.run_directory import delete_run_dirs, marker_of, run_prefix

READY = re.compile(r"Heartline is ready at (http://127\.0\.0\.1:\d+)\n")
WINDOW_MS = 1_000
PATIENCE_S = 60.0
MINUTE_MS = 60_000
CALL = "import sys; from heartline.cli import main; sys.exit(main())"


@dataclass
class Up:
    """One `heartline up` and the command line beside it."""

    process: subprocess.Popen[str]
    data: Path
    url: str
    clients: list[httpx.Client] = field(default_factory=list)

    def command(self, *arguments: str, status: int = 0) -> str:
        done = heartline(*arguments, "--data", str(self.data))
        assert done.returncode == status, done.stderr
        return done.stdout.strip()

    def listener(self, name: str, scope: str = "listener") -> tuple[str, httpx.Client]:
        """Make an account; tell its id, and a client that acts as it."""
        create = ["account", "create", name, "--time-zone", "Asia/Kolkata", "--scope", scope]
        listener_id = self.command(*create)
        headers = {"authorization": f"Bearer {self.command('token', name)}"}
        client = httpx.Client(base_url=self.url, headers=headers, timeout=30)
        self.clients.append(client)
        return listener_id, client

    def find(self, title: str) -> list[int]:
        """Find the processes of this start whose title has *title* in it."""
        pids = processes.descendants(self.process.pid)
        return sorted(pid for pid in pids if title in processes.command(pid))


def heartline(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CALL, *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )


def environment() -> dict[str, str]:
    root = str(Path(__file__).resolve().parents[2])
    kept = {name: value for name, value in os.environ.items() if "HEARTLINE_" not in name}
    return kept | {"PYTHONPATH": root}


def start(data: Path, *flags: str) -> Up:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = ["--port", str(port), "--commit-window-ms", str(WINDOW_MS)]
    process = subprocess.Popen(
        [sys.executable, "-c", CALL, "up", "--data", str(data), *given, *flags],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdout
    line = process.stdout.readline()
    ready = READY.fullmatch(line)
    if not ready:
        ended(Up(process, data, ""))
        pytest.fail(f"up did not get ready: {line!r}")
    return Up(process, data, ready[1])


def ended(up: Up) -> None:
    for client in up.clients:
        client.close()
    with up.process:
        up.process.kill()
    processes.kill_marked(marker_of(up.data), run_prefix(marker_of(up.data)))
    delete_run_dirs(marker_of(up.data))


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that other processes bring about."""
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s, "it never came"
        time.sleep(0.05)


def listen(client: httpx.Client, play: str, minutes: int, **more: str) -> None:
    """Listen for *minutes*, up to now."""
    beats = beats_of(play, minutes, **more)
    answer = client.post("/v1/heartbeats", json={"heartbeats": beats})
    assert answer.status_code == 202, answer.text
    assert answer.json() == {"accepted": len(beats), "rejected": []}


def beats_of(play: str, minutes: int, **more: str) -> list[dict[str, str | int]]:
    """The heartbeats of a play of *minutes*, up to now."""
    now_ms = time.time_ns() // 1_000_000
    return [
        {
            "id": f"{play}-{number}",
            "track_id": "track",
            "play_id": play,
            "kind": "beat",
            "at": now_ms - minutes * MINUTE_MS + number * MINUTE_MS // 2,
            **more,
        }
        for number in range(2 * minutes + 1)
    ]


def listened_ms(client: httpx.Client) -> int:
    """Tell what was listened this week and the week before, whichever Monday it is."""
    answer = client.get("/v1/me/listening/minutes").raise_for_status().json()
    before = client.get("/v1/me/listening/minutes", params={"week": answer["previous"]["week"]})
    return int(answer["listened_ms"]) + int(before.raise_for_status().json()["listened_ms"])
