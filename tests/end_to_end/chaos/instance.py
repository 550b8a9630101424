"""One `heartline up` that is killed, in parts or whole, and started again on the same directory."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from domain.ids import base62
from heartline import processes, wiring
from heartline.run_directory import delete_run_dirs, marker_of, run_prefix
from stores.accounts import Scope
from tests.end_to_end.chaos.backends import Backends

ROOT = Path(__file__).resolve().parents[3]
READY = re.compile(r"Heartline is ready at (http://\S+)\n")
CALL = "import sys; from heartline.cli import main; sys.exit(main())"
TOKEN_TTL_S = 7 * 86_400
STOP_S = 60.0


class Instance:
    """A data directory, a port, and the `up` that runs there now."""

    def __init__(self, data: Path, *flags: str, servers: Backends | None = None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.data, self._flags, self._servers = data, flags, servers
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[str] | None = None

    def begin(self) -> None:
        """Start `up`, without waiting for it."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with self.told.open("a") as told:
            self._process = subprocess.Popen(
                [*_command("up"), "--data", str(self.data), "--port", str(self.port), *self._flags],
                stdout=subprocess.PIPE,
                stderr=told,
                text=True,
                env=self._environment(),
            )

    def wait_ready(self) -> None:
        """Wait until `up` says that it is ready."""
        process = self._running()
        assert process.stdout
        line = process.stdout.readline()
        assert READY.fullmatch(line), f"up did not get ready: {line!r}\n{self.told.read_text()}"

    @property
    def told(self) -> Path:
        """The file with what `up` said on standard error."""
        return self.data.with_name(f"{self.data.name}.stderr")

    @property
    def pid(self) -> int:
        """The supervisor's process."""
        return self._running().pid

    def alive(self) -> bool:
        """Whether the supervisor runs."""
        return self._process is not None and self._process.poll() is None

    def find(self, title: str) -> list[int]:
        """Find the processes of this `up` whose command or title has *title* in it."""
        found = processes.descendants(self.pid)
        return sorted(pid for pid in found if title in processes.command(pid))

    def kill_supervisor(self) -> None:
        """Kill the supervisor alone."""
        self._kill({self.pid})

    def kill_everything(self) -> None:
        """Kill the whole tree of processes at once."""
        self._kill({self.pid} | processes.descendants(self.pid))

    def _kill(self, pids: set[int]) -> None:
        process = self._running()
        processes.kill(pids)
        process.wait()
        if process.stdout:
            process.stdout.close()

    def stop(self) -> int:
        """Stop `up` as a person does; its exit status."""
        process = self._running()
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_S)
        finally:
            if process.stdout:
                process.stdout.close()

    def clear_away(self) -> None:
        """Leave nothing running, whatever happened."""
        if self.alive():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.kill_everything()
        marker = marker_of(self.data)
        processes.kill_marked(marker, run_prefix(marker))
        delete_run_dirs(marker)

    def command(self, *arguments: str, statuses: Sequence[int] = (0,)) -> Any:
        """Run a command beside `up`, with ``--json``; what it told."""
        done = subprocess.run(
            [*_command(*arguments), "--data", str(self.data), "--json"],
            capture_output=True,
            text=True,
            env=self._environment(),
            check=False,
        )
        assert done.returncode in statuses, done.stderr
        return json.loads(done.stdout)

    def token(self, name: str, *scopes: Scope) -> str:
        """Make an account; a token for it that outlives every run."""
        wanted = [word for scope in scopes for word in ("--scope", scope.value)]
        made = self.command("account", "create", name, "--time-zone", "UTC", *wanted)
        return wiring.tokens(self.data).sign(made["listener_id"], scopes, ttl_s=TOKEN_TTL_S)

    @property
    def servers(self) -> Backends:
        """The servers that it runs on."""
        assert self._servers, "it runs on its data directory"
        return self._servers

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if "HEARTLINE_" not in name}
        on = self._servers.environment if self._servers else {}
        return {**kept, **on, "PYTHONPATH": str(ROOT)}

    def _running(self) -> subprocess.Popen[str]:
        assert self._process, "begin() was not called"
        return self._process


def new_listener() -> str:
    """Make a listener id that has no account: a gateway's listener."""
    return base62(os.urandom(16))


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", CALL, *arguments]
