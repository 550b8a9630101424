"""What a shard counts: records and heartbeats applied, what was left out, how large flushes are."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from domain.rows import Rows

ROWS = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
BYTES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
UNREADABLE = "log", "unreadable"  # source and reason
SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class ShardMetrics:
    """The instruments of one shard's process; partitions share them."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        at = registry or CollectorRegistry()
        of = ["partition"]
        self._heartbeats = Counter(
            "heartline_heartbeats_applied", "Heartbeats that the fold took", of, registry=at
        )
        self._records = Counter(
            "heartline_records_applied", "Records of the log that were applied", of, registry=at
        )
        self._duplicates = Counter(
            "heartline_records_duplicate",
            "Records handed over again after they were applied, and dropped",
            of,
            registry=at,
        )
        self._dead = Counter(
            "heartline_dead_letters",
            "Records that could not be read",
            ["source", "reason"],
            registry=at,
        )
        self._dead.labels(*UNREADABLE)
        self._rows = Histogram("heartline_flush_rows", "Rows of a flush", registry=at, buckets=ROWS)
        self._bytes = Histogram(
            "heartline_flush_bytes", "Bytes of states in a flush", registry=at, buckets=BYTES
        )
        self._seconds = Histogram(
            "heartline_flush_seconds",
            "How long it took until a flush was durable and committed",
            registry=at,
            buckets=SECONDS,
        )
        self._reserved = Gauge(
            "heartline_fold_bytes", "Memory that the fold has reserved", of, registry=at
        )
        self._announced = Counter(
            "heartline_presence_announced", "Announcements of presence that were told", registry=at
        )
        self._untold = Gauge(
            "heartline_presence_untold",
            "Listeners of whose presence there is news to be told",
            registry=at,
        )
        self._away = Gauge(
            "heartline_presence_away", "1 while presence cannot be told, else 0", registry=at
        )

    def applied(self, partition: int, *, records: int, heartbeats: int) -> None:
        """Count records that were folded."""
        self._records.labels(partition).inc(records)
        self._heartbeats.labels(partition).inc(heartbeats)

    def repeated(self, partition: int, records: int) -> None:
        """Count records that had been applied before."""
        self._duplicates.labels(partition).inc(records)

    def left_out(self) -> None:
        """Count a record that cannot be read."""
        self._dead.labels(*UNREADABLE).inc()

    def flushed(self, partition: int, rows: Rows, *, seconds: float, reserved_bytes: int) -> None:
        """Note a flush that is durable and committed, and what memory the fold has now."""
        states = (state for table in (rows.hours, rows.weeks, rows.plays) for _, _, state in table)
        self._rows.observe(len(rows))
        self._bytes.observe(sum(map(len, states)))
        self._seconds.observe(seconds)
        self._reserved.labels(partition).set(reserved_bytes)
        self._duplicates.labels(partition)  # 0 is told too

    def announced(self, listeners: int, *, waiting: int) -> None:
        """Count announcements that were told, and those that are to be."""
        self._announced.inc(listeners)
        self._untold.set(waiting)
        self._away.set(0)

    def presence_away(self) -> None:
        """Note that presence cannot be told."""
        self._away.set(1)

    def left(self, partition: int) -> None:
        """Forget the memory of a partition that another shard has now."""
        self._reserved.remove(partition)
