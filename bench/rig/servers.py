"""Kafka, Cassandra and Redis below an `up` that is measured, on the same machine."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from bench.rig.cpu import cpu_s
from tests.end_to_end.chaos.backends import SERVERS, Backends, backends

KEPT = set[str]()  # variables of the environment that every `up` of this process gets


@contextmanager
def on_servers() -> Iterator[Backends]:
    """Have this process, and every `up` that it starts, on servers of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="heartline-servers-") as folder,
        backends(Path(folder)) as servers,
    ):
        os.environ.update(servers.environment)
        KEPT.update(servers.environment)
        try:
            yield servers
        finally:
            KEPT.clear()


@contextmanager
def perhaps_on_servers(wanted: bool) -> Iterator[Backends | None]:
    """As `on_servers` where that is *wanted*; else everything is in the data directory."""
    with on_servers() if wanted else nullcontext() as servers:
        yield servers


def cores_of(servers: Backends | None) -> dict[str, float]:
    """Tell how many seconds of a core each server took so far."""
    return {each.name: cpu_s(servers.pid(each.name)) for each in SERVERS if servers}
