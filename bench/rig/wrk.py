"""The load generator: `wrk`, driven by a Lua script, and what it saw."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LUA = Path(__file__).parent / "load.lua"


@dataclass(frozen=True, slots=True)
class Load:
    """What one run saw; latencies in ms."""

    per_s: float
    p50_ms: float
    p99_ms: float
    failed: int  # answers of 400 and more, and errors of the socket


def wrk(url: str, requests: Path, *, connections: int, seconds: int) -> Load:
    """Send the *requests* of a file over and over, from one thread, and measure."""
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit("this benchmark needs wrk: apt-get install wrk")
    done = subprocess.run(
        [
            *(program, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"),
            *("-s", str(LUA), url, "--", str(requests)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"SEEN (\S+) (\S+) (\S+) (\S+)", done.stdout)
    if found is None:
        raise SystemExit(f"wrk said:\n{done.stdout}\n{done.stderr}")
    per_s, p50_ms, p99_ms, failed = map(float, found.groups())
    return Load(per_s, p50_ms, p99_ms, int(failed))


def write_requests(path: Path, requests: Sequence[bytes]) -> None:
    """Write whole requests of HTTP, as the Lua script reads them: each after a line with its size."""
    with path.open("wb") as file:
        for request in requests:
            file.write(b"%d\n%b" % (len(request), request))
