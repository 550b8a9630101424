"""Where processes leave their metrics for `/metrics`: the key-value store of Ray's GCS.

Replicas behind HAProxy cannot be scraped one by one, and actors listen nowhere. So every process
writes a snapshot of some KB every few seconds, and whichever replica is asked reads them all; on one
machine as on a cluster. What a process that ended left behind is not shown, and is deleted in time.
"""

import logging
import threading
from collections.abc import Callable

from prometheus_client import CollectorRegistry
from ray.exceptions import RayError
from ray.experimental.internal_kv import (
    _internal_kv_del,
    _internal_kv_get,
    _internal_kv_list,
    _internal_kv_put,
)

from heartline.metric_snapshots import Snapshot, read_snapshot, snapshot

NAMESPACE = b"heartline-metrics"
EVERY_S = 5.0
FRESH_MS = 30_000  # what is older is of a process that ended; clocks of nodes may differ by less
KEPT_MS = 600_000

log_ = logging.getLogger(__name__)


def publish(
    registry: CollectorRegistry, role: str, process: str, now_ms: Callable[[], int]
) -> None:
    """Leave the metrics of this process on the board, now and every few seconds until it ends.

    In a thread: asking the GCS may block, and a busy event loop still has its numbers told.
    """

    def run() -> None:
        while True:
            try:
                told = snapshot(registry, role, process, now_ms())
                _internal_kv_put(process, told, namespace=NAMESPACE)
            except (RayError, OSError, RuntimeError) as error:
                log_.warning("metrics are not published: %s", type(error).__name__)
            pause.wait(EVERY_S)

    pause = threading.Event()
    threading.Thread(target=run, name="metrics", daemon=True).start()


def read_board(now_ms: int) -> list[Snapshot]:
    """Read what every process that lives has published; blocks."""
    found = []
    for key in _internal_kv_list(b"", namespace=NAMESPACE):
        data = _internal_kv_get(key, namespace=NAMESPACE)
        told = read_snapshot(data) if data else None
        if told and now_ms - told.at_ms <= FRESH_MS:
            found.append(told)
        elif told is None or now_ms - told.at_ms > KEPT_MS:
            _internal_kv_del(key, namespace=NAMESPACE)
    return sorted(found, key=lambda each: (each.role, each.process))
