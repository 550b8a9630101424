"""What the cataloguer counts: records that it applied, and those that it has yet to apply."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class CatalogueMetrics:
    """The instruments of the cataloguer's process."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        at = registry or CollectorRegistry()
        self._records = Counter(
            "heartline_catalogue_records",
            "Records of the catalogue's log that were made rows of",
            registry=at,
        )
        self._behind = Gauge(
            "heartline_catalogue_behind_records",
            "Records of the catalogue's log that the store lacked at the last look",
            registry=at,
        )

    def applied(self) -> None:
        """Count a record that is in the store."""
        self._records.inc()

    def is_behind(self, records: int) -> None:
        """Note how many records are left to apply."""
        self._behind.set(records)
