"""The status document as metrics: how far each partition is, which shards and parts answer."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from prometheus_client import Metric

from domain.units import SECOND_MS

OF_PARTITIONS: Mapping[str, tuple[str, float, str]] = MappingProxyType(
    {  # field of the document: name, unit of the field in that of the metric, what it is
        "end": ("heartline_log_records", 1, "Records that were ever appended"),
        "lag": ("heartline_lag_records", 1, "Records that no shard has applied"),
        "lag_ms": ("heartline_lag_seconds", SECOND_MS, "Age of what shards have applied"),
        "waiting": ("heartline_undurable_records", 1, "Records whose rows are not durable"),
        "staleness_ms": ("heartline_staleness_seconds", SECOND_MS, "Age of what readers see"),
        "unwritten_ms": (
            "heartline_unwritten_seconds",
            SECOND_MS,
            "For how long a flush has been trying to become durable",
        ),
        "listeners": ("heartline_listeners", 1, "Listeners in memory"),
        "rows_waiting": ("heartline_rows_waiting", 1, "Listeners with rows to be written"),
    }
)
AGEING = frozenset({"lag_ms", "staleness_ms"})  # they grow by themselves


def of_status(told: Mapping[str, Any], older_ms: int) -> Iterable[Metric]:
    """Tell what the status document *told* when that was *older_ms* ago."""
    for field, (name, unit, what) in OF_PARTITIONS.items():
        metric = Metric(name, what, "gauge")
        older = older_ms if field in AGEING else 0
        for each in told["partitions"]:
            value = (each[field] + (older if each["end"] else 0)) / unit
            metric.add_sample(name, {"partition": str(each["partition"])}, value)
        yield metric
    shards = Metric("heartline_shard_up", "Whether a shard answers", "gauge")
    for each in told["shards"]:
        shards.add_sample(shards.name, {"shard": str(each["shard"])}, float(each["alive"]))
    yield shards


def of_checks(found: Mapping[str, str]) -> Metric:
    """Tell which of the checks of `/readyz` pass."""
    ready = Metric("heartline_ready", "Whether a part of Heartline can do its work", "gauge")
    for part, what in found.items():
        ready.add_sample(ready.name, {"part": part}, float(what == "ok"))
    return ready


def gauge(name: str, what: str, value: float, **labels: str) -> Metric:
    """Make one number."""
    metric = Metric(name, what, "gauge")
    metric.add_sample(name, labels, value)
    return metric
