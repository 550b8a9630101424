"""What the archive counts: records that it carried, and those that it has yet to carry."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class ArchiveMetrics:
    """The instruments of an archive's process."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        at = registry or CollectorRegistry()
        self._records = Counter(
            "heartline_archived_records", "Records carried to the warehouse", registry=at
        )
        self._behind = Gauge(
            "heartline_archive_behind_records",
            "Records of the log that the warehouse lacked at the last look",
            ["generation"],
            registry=at,
        )
        self._done_s = Gauge(
            "heartline_archive_done_timestamp_seconds",
            "When the warehouse last had everything that was in the log shortly before; 0: never",
            registry=at,
        )
        self.records = 0

    def wrote(self, records: int) -> None:
        """Count records that are in the warehouse."""
        self.records += records
        self._records.inc(records)

    def is_done(self) -> None:
        """Note that everything that was in the log when the round began is in the warehouse."""
        self._done_s.set_to_current_time()

    def is_behind(self, generation: int, records: int) -> None:
        """Note how much of a generation is left to carry."""
        self._behind.labels(generation).set(records)
