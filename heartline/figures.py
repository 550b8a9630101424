"""What all processes measured together, as one document: sums, means and quantiles since they began."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from heartline.metric_snapshots import Sample, Snapshot

MS = 1_000


class _Sums:
    """Samples of many processes, summed over them."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self._by_name: dict[str, list[Sample]] = defaultdict(list)
        for each in snapshots:
            for family in each.families:
                for sample in family.samples:
                    self._by_name[sample.name.removeprefix("heartline_")].append(sample)

    def total(self, name: str, **labels: str) -> float:
        return sum(
            sample.value
            for sample in self._by_name[name]
            if labels.items() <= sample.labels.items()
        )

    def by(self, name: str, label: str, **labels: str) -> dict[str, float]:
        found: dict[str, float] = defaultdict(float)
        for sample in self._by_name[name]:
            if labels.items() <= sample.labels.items():
                found[sample.labels[label]] += sample.value
        return dict(found)

    def quantile(self, share: float, name: str, **labels: str) -> float | None:
        buckets: dict[float, float] = defaultdict(float)
        for sample in self._by_name[f"{name}_bucket"]:
            if labels.items() <= sample.labels.items():
                buckets[float(sample.labels["le"])] += sample.value
        return quantile(share, sorted(buckets.items()))

    def mean(self, name: str) -> float | None:
        count = self.total(f"{name}_count")
        return self.total(f"{name}_sum") / count if count else None


def quantile(share: float, buckets: Sequence[tuple[float, float]]) -> float | None:
    """Estimate a quantile from cumulative *buckets* (bound, count), as Prometheus does.

    None when there is nothing; in the last bucket, which has no end, its beginning.
    """
    if not buckets or not buckets[-1][1]:
        return None
    wanted = share * buckets[-1][1]
    for (below, before), (bound, count) in pairwise([(0.0, 0.0), *buckets]):
        if count >= wanted:
            if bound == float("inf"):
                return below
            return below + (bound - below) * (wanted - before) / (count - before)
    return None


def figures(snapshots: Sequence[Snapshot]) -> dict[str, Any]:
    """Sum up what is on the board; counts since each process began, times in ms."""
    sums = _Sums(snapshots)
    return {
        "heartbeats": {
            "received": int(sums.total("heartbeats_received_total")),
            "acknowledged": int(sums.total("heartbeats_acknowledged_total")),
            "gathered": int(sums.total("heartbeats_gathered_total")),
            "applied": int(sums.total("heartbeats_applied_total")),
            "rejected": _whole(sums.by("heartbeats_rejected_total", "reason")),
        },
        "records": {
            "applied": int(sums.total("records_applied_total")),
            "duplicate": int(sums.total("records_duplicate_total")),
            "dead_letters": int(sums.total("dead_letters_total")),
        },
        "appends": _of(sums, "append"),
        "flushes": {**_of(sums, "flush"), "mean_bytes": sums.mean("flush_bytes")},
        "requests": [_of_path(sums, path) for path in sorted(_paths(sums))],
        "processes": [_of_process(each) for each in snapshots],
    }


def _whole(counts: Mapping[str, float]) -> dict[str, int]:
    return {name: int(count) for name, count in counts.items()}


def _of(sums: _Sums, what: str) -> dict[str, Any]:
    return {
        "count": int(sums.total(f"{what}_seconds_count")),
        "mean_rows": sums.mean(f"{what}_rows"),
        **_times(sums, f"{what}_seconds"),
    }


def _times(sums: _Sums, name: str, **labels: str) -> dict[str, float | None]:
    found = {each: sums.quantile(each / 100, name, **labels) for each in (50, 99)}
    return {
        f"p{each}_ms": None if value is None else round(value * MS, 3)
        for each, value in found.items()
    }


def _paths(sums: _Sums) -> Iterable[str]:
    return sums.by("http_request_seconds_count", "path")


def _of_path(sums: _Sums, path: str) -> dict[str, Any]:
    name = "http_request_seconds"
    statuses = _whole(sums.by(f"{name}_count", "status", path=path))
    return {
        "path": path,
        "count": sum(statuses.values()),
        "failed": sum(count for status, count in statuses.items() if status.startswith("5")),
        **_times(sums, name, path=path),
    }


def _of_process(told: Snapshot) -> dict[str, Any]:
    own = {sample.name: sample.value for family in told.families for sample in family.samples}
    return {
        "role": told.role,
        "process": told.process,
        "memory_bytes": int(own.get("process_resident_memory_bytes", 0)),
        "cpu_seconds": round(own.get("process_cpu_seconds_total", 0.0), 1),
    }
