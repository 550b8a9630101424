"""The environment in which Ray, Ray Serve and HAProxy run on one machine.

Each value was measured or read in Ray 2.60; the reason stands beside it.
"""

import os
import resource
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from heartline.processes import MARKER
from heartline.shortcut import HOOK

REPLICA_PORTS_FROM = 20_000  # below the ephemeral ports
REPLICA_PORTS = 100  # of each start
REPLICA_RANGES = 100
MOST_CONNECTIONS = 20_000


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports on loopback that one start has for itself."""

    statistics: int
    metrics: int
    fallback: int

    @classmethod
    def free(cls) -> "Ports":
        """Find ports that nobody listens on now."""
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
        try:
            return cls(*(each.getsockname()[1] for each in sockets))
        finally:
            for each in sockets:
                each.close()


def most_connections() -> int:
    """How many clients HAProxy can take with the files that it may open, most of them idle.

    An idle one is one file, one whose request is under way two; few are so at once, for each
    replica takes `haproxy.MOST_AT_A_REPLICA`.
    """
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(100, min(MOST_CONNECTIONS, files * 3 // 5))


def environment(
    inherited: Mapping[str, str], *, marker: str, run_dir: Path, wrapper: Path, token: str
) -> dict[str, str]:
    """Make the driver's environment; every process of Ray inherits it.

    *token* is what Ray's own processes show each other; it lives as long as this start.
    """
    kept = {key: value for key, value in inherited.items() if not key.startswith("RAY_")}
    own = {
        MARKER: marker,
        "PYTHONUNBUFFERED": "1",
        # What becomes of a call to a worker that died: asked for 1 s, every second; none is dead for
        # good here, and a shard is back in half a second.
        "RAY_timeout_ms_task_wait_for_death_info": "100",
        "RAY_core_worker_internal_heartbeat_ms": "200",
        # Threads that begin with an import would be missing in what the nursery forks.
        "OPENBLAS_NUM_THREADS": "1",
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
        "RAY_AUTH_MODE": "token",  # else Ray writes a token of its own into the home directory
        "RAY_AUTH_TOKEN": token,
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(wrapper),
    }
    return (
        kept
        | own
        | _CORE
        | _SERVE
        | _by_cores(os.cpu_count() or 1)
        | _ports(marker)
        | _files(run_dir)
    )


def node_environment(wrapper: Path) -> dict[str, str]:
    """Make the environment of ``ray start`` on a node of a cluster, where *wrapper* is HAProxy."""
    one_machine = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"}
    core = {name: value for name, value in _CORE.items() if name not in one_machine}
    own = {
        "RAY_AUTH_MODE": "token",
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(wrapper),
        # The replicas' gRPC is bound to loopback, since it unpickles what it gets.
        "RAY_SERVE_USE_GRPC_BY_DEFAULT": "0",
        # A replica that leaves serves on until every node's HAProxy knows.
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "5",
        "RAY_health_check_period_ms": "1000",  # a node that is gone is noticed within six seconds
    }
    return core | _SERVE | _by_cores(os.cpu_count() or 1) | own


_CORE = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is told to anybody outside
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # binds Ray's own servers to loopback
    "RAY_worker_niceness": "0",  # the default of 15 starves shards beside everything else
    "RAY_enable_metrics_collection": "0",
    "RAY_task_events_report_interval_ms": "0",
    "RAY_ROTATION_MAX_BYTES": "4000000",
    "RAY_ROTATION_BACKUP_COUNT": "1",
}
_SERVE = {
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": HOOK,
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "0",  # serve.shutdown: 33 s to 2 s
    # HAProxy and its manager: noticed after three checks, 30 s by default; a start on a busy
    # machine may take longer than the 5 s after which it would be begun anew.
    "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "1",
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "20",
    "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",  # its scraper costs 12 % of a core
    "RAY_SERVE_HAPROXY_TIMEOUT_CLIENT_S": "60",
}


def _by_cores(cores: int) -> dict[str, str]:
    return {
        "RAY_worker_maximum_startup_concurrency": str(max(2, cores)),  # else one at a time
        "RAY_SERVE_HAPROXY_NBTHREAD": str(max(1, cores // 4)),
        "RAY_SERVE_HAPROXY_MAXCONN": str(most_connections()),
    }


def _ports(marker: str) -> dict[str, str]:
    ports = Ports.free()
    first = REPLICA_PORTS_FROM + REPLICA_PORTS * (crc32(marker.encode()) % REPLICA_RANGES)
    return {
        # Ranges of their own: a replica of another start must never get the port of one of ours
        # that ended, since our HAProxy would send it our listeners' requests.
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(first),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(first + REPLICA_PORTS),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(ports.fallback),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(ports.statistics),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(ports.metrics),
    }


def _files(run_dir: Path) -> dict[str, str]:
    front = run_dir / "front"
    return {
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(front / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(front / "a.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(front / "m.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(front),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(front / "server-state"),
    }
