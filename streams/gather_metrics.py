"""What a gatherer has done, as metrics."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from domain.heartbeats import REASONS
from streams.gather import Tally

SOURCE = "heartbeats_json"


class GatherMetrics(Collector):
    """Reads a tally whenever somebody collects."""

    def __init__(self, tally: Tally, registry: CollectorRegistry) -> None:
        self._tally = tally
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Tell it as Prometheus's client library wants it."""
        yield CounterMetricFamily(
            "heartline_heartbeats_gathered",
            "Heartbeats of other producers that the log has taken",
            value=self._tally.gathered,
        )
        dead = CounterMetricFamily(
            "heartline_dead_letters",
            "Records that could not be read",
            labels=["source", "reason"],
        )
        never = dict.fromkeys(REASONS, 0)  # a rate wants to see them from the first on
        for reason, count in {**never, **self._tally.refused}.items():
            dead.add_metric([SOURCE, reason], count)
        yield dead
        yield CounterMetricFamily(
            "heartline_gatherer_restarts",
            "Times that a gatherer had to begin anew",
            value=self._tally.trouble,
        )
