"""What the indexer counts: entries that it wrote, and records that it has yet to follow."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class IndexMetrics:
    """The instruments of the indexer's process."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        at = registry or CollectorRegistry()
        self._entries = Counter(
            "heartline_search_indexed_entries", "Entries written to the index", registry=at
        )
        self._behind = Gauge(
            "heartline_search_behind_records",
            "Records of the catalogue's log that the index lacked at the last look",
            registry=at,
        )

    def indexed(self, entries: int) -> None:
        """Count entries that were written."""
        self._entries.inc(entries)

    def is_behind(self, records: int) -> None:
        """Note how many records are left to follow."""
        self._behind.set(records)
