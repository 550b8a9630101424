"""What ingest counts: heartbeats in, acknowledged and refused, and how the log takes them."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram

from domain.heartbeats import REASONS
from serve.receipts import Rejected

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 20)
ROWS = (1, 10, 100, 1_000, 10_000, 100_000)


class IngestMetrics:
    """The instruments of one replica."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        at = registry or CollectorRegistry()
        self._received = Counter(
            "heartline_heartbeats_received", "Heartbeats that came in", registry=at
        )
        self._accepted = Counter(
            "heartline_heartbeats_acknowledged", "Heartbeats that the log has taken", registry=at
        )
        self._rejected = Counter(
            "heartline_heartbeats_rejected",
            "Heartbeats that were not taken, by reason: too_old is late",
            ["reason"],
            registry=at,
        )
        for reason in REASONS:
            self._rejected.labels(reason)
        self._seconds = Histogram(
            "heartline_append_seconds",
            "How long the log took for a group of heartbeats",
            registry=at,
            buckets=SECONDS,
        )
        self._rows = Histogram(
            "heartline_append_rows", "Heartbeats of a group", registry=at, buckets=ROWS
        )

    def received(self, accepted: int, rejected: Sequence[Rejected]) -> None:
        """Count the heartbeats of a request, judged."""
        self._received.inc(accepted + len(rejected))
        for each in rejected:
            self._rejected.labels(each.reason).inc()

    def appended(self, rows: int, *, seconds: float) -> None:
        """Count a group that the log has taken."""
        self._accepted.inc(rows)
        self._rows.observe(rows)
        self._seconds.observe(seconds)
