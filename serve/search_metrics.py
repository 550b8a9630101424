"""What searching counts: how long the engine took, and when it was away."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram

from domain.errors import Unavailable

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5)


class SearchMetrics:
    """The instruments of one replica."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        at = registry or CollectorRegistry()
        self._seconds = Histogram(
            "heartline_search_engine_seconds",
            "How long the search engine took for its candidates",
            ["for"],
            registry=at,
            buckets=SECONDS,
        )
        self._away = Counter(
            "heartline_search_engine_away",
            "Questions that the search engine did not answer",
            registry=at,
        )

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Time a question, and count it if there is no answer."""
        with self._seconds.labels(what).time():
            try:
                yield
            except Unavailable:
                self._away.inc()
                raise
