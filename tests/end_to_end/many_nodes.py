"""Several Ray nodes on one machine, and heartbeats that flow into the log meanwhile."""

import asyncio
import json
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

from domain.batches import batch_of
from domain.hashing import partition_of
from domain.heartbeats import Heartbeat, Kind
from domain.payloads import encode
from domain.positions import SHARDS, Generation
from stores.kafka_log import KafkaLog
from tests.end_to_end.running import CALL, environment
from tests.servers.ports import free_ports

RAY = {
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_health_check_period_ms": "500",  # a node that is gone is noticed within two seconds
    "RAY_health_check_failure_threshold": "3",
}
WINDOW_MS = 5_000
PARTITIONS = 8
LISTENERS = 40
SLOT_MS, HEARD_MS = 100_000, 30_000
REST_S = 0.03
STOP_S = 30.0


class Nodes:
    """A Ray cluster whose nodes come and go, and the command line beside it."""

    def __init__(self, host: "subprocess.Popen[str]", environ: Mapping[str, str]) -> None:
        self._host = host
        self._environ = {**environ, "RAY_ADDRESS": self._told()}
        self.url = f"http://127.0.0.1:{environ['HEARTLINE_PORT']}"

    def add(self) -> str:
        """Add a node; its id."""
        return self._ask("add")

    def freeze(self, node_id: str) -> None:
        """Stop all processes of a node where they stand, as a machine that swaps does."""
        self._ask(f"freeze {node_id}")

    def wake(self, node_id: str) -> None:
        """Let the processes of a frozen node go on."""
        self._ask(f"wake {node_id}")

    def kill(self, node_id: str) -> None:
        """Kill all processes of a node at once, as a power cut does."""
        self._ask(f"kill {node_id}")

    def heartline(self, *command: str) -> dict[str, Any]:
        """Run a command; what it tells as JSON."""
        return dict(json.loads(told_by(*command, "--json", environ=self._environ)))

    def _ask(self, command: str) -> str:
        assert self._host.stdin
        self._host.stdin.write(command + "\n")
        self._host.stdin.flush()
        return self._told()

    def _told(self) -> str:
        assert self._host.stdout
        line = self._host.stdout.readline()
        assert line, "the host of the nodes has ended"
        return line.strip()


def told_by(*command: str, environ: Mapping[str, str]) -> str:
    """Run a command; what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", CALL, *command],
        capture_output=True,
        text=True,
        env=dict(environ),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environ_of(data: Path, log: str) -> dict[str, str]:
    """Make the environment of nodes and commands, with ports that no other test has."""
    front, statistics, metrics, fallback, first = free_ports(5)
    ours = {
        "HEARTLINE_DATA": str(data),
        "HEARTLINE_PORT": str(front),
        "HEARTLINE_LOG": log,
        "HEARTLINE_ARCHIVE": "no",
        "HEARTLINE_GATHERERS": "1",
        "HEARTLINE_PARTITIONS": str(PARTITIONS),
        "HEARTLINE_COMMIT_WINDOW_MS": str(WINDOW_MS),
    }
    environ = {**environment(), **ours}
    for line in told_by("cluster", "environment", environ=environ).splitlines():
        (pair,) = shlex.split(line.removeprefix("export "))
        name, _, value = pair.partition("=")
        environ[name] = value
    ports = {
        "RAY_SERVE_HAPROXY_STATS_PORT": str(statistics),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(fallback),
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(first),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(first + 50),
    }
    return {**environ, **ports, **RAY}


@contextmanager
def ray_nodes(data: Path, log: str) -> Iterator[Nodes]:
    """Have a head that holds nothing of ours; its files are where socket paths are short."""
    folder = tempfile.mkdtemp(prefix="hl-nodes-", dir="/tmp")
    environ = environ_of(data, log)
    host = subprocess.Popen(
        [sys.executable, "-m", "tests.end_to_end.ray_host"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**environ, "RAY_TMPDIR": folder},
    )
    with host:
        try:
            yield Nodes(host, environ)
        finally:
            if host.stdin:
                host.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                host.wait(STOP_S)
            host.kill()
            shutil.rmtree(folder, ignore_errors=True)


class Flow(Thread):
    """Appends to the log what each of some listeners heard, 30 s at a time, until told to stop."""

    def __init__(self, servers: str, topic: str) -> None:
        super().__init__(daemon=True)
        self._servers, self._topic = servers, topic
        self._enough, self._base = Event(), time.time_ns() // 1_000_000 - 7 * 86_400_000
        self.appended = 0

    def run(self) -> None:
        asyncio.run(self._append())

    async def _append(self) -> None:
        log = self.log()
        while not self._enough.is_set():
            listener = f"listener-{self.appended % LISTENERS}"
            beats = self._heard(listener, self.appended // LISTENERS)
            partition = partition_of(listener, PARTITIONS)
            await log.append([(partition, encode(batch_of(beats)))])
            self.appended += 1
            await asyncio.sleep(REST_S)
        await log.close()

    def _heard(self, listener: str, turn: int) -> list[Heartbeat]:
        at = self._base + turn * SLOT_MS
        return [
            Heartbeat(
                id=f"{turn}-{instant}",
                listener_id=listener,
                track_id="track",
                play_id=f"play-{turn}",
                kind=Kind.BEAT,
                at=instant,
            )
            for instant in (at, at + HEARD_MS)
        ]

    def finish(self) -> None:
        self._enough.set()
        self.join()

    def log(self) -> KafkaLog:
        return KafkaLog(
            self._servers,
            topic=self._topic,
            partitions=PARTITIONS,
            now_ms=lambda: time.time_ns() // 1_000_000,
        )

    def seconds_until_durable(self, limit_s: float) -> float:
        """Wait until everything that is in the log now is committed; tells for how long."""
        return asyncio.run(self._until_durable(limit_s))

    async def _until_durable(self, limit_s: float) -> float:
        log, generation, begun_s = self.log(), Generation(0, PARTITIONS), time.monotonic()
        ends = await log.ends(generation)
        while any(
            done < end
            for done, end in zip(await log.committed(SHARDS, generation), ends, strict=True)
        ):
            assert time.monotonic() < begun_s + limit_s, "it was never committed"
            await asyncio.sleep(0.1)
        await log.close()
        return time.monotonic() - begun_s
