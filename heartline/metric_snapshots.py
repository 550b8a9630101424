"""The metrics of one process as bytes, and those of many as one exposition.

Every sample gets two labels: ``role`` says what its process does (``ingest``, ``shard``, …), ``process``
which one it is. Whatever begins anew in another process is another series, as Prometheus wants it.
"""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector


class Sample(Struct, array_like=True, frozen=True):
    """One number."""

    name: str
    labels: dict[str, str]
    value: float


class Family(Struct, array_like=True, frozen=True):
    """One metric with its samples."""

    name: str
    documentation: str
    type: str
    samples: list[Sample]


class Snapshot(Struct, array_like=True, frozen=True):
    """What one process measured, and when by its clock."""

    role: str
    process: str
    at_ms: int
    families: list[Family]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Snapshot).decode


def snapshot(registry: CollectorRegistry, role: str, process: str, at_ms: int) -> bytes:
    """Write down everything that is in *registry*."""
    families = [
        Family(
            metric.name,
            metric.documentation,
            metric.type,
            [
                Sample(sample.name, dict(sample.labels), sample.value)
                for sample in metric.samples
                if not sample.name.endswith("_created")
            ],
        )
        for metric in registry.collect()
    ]
    return _encode(Snapshot(role, process, at_ms, families))


def read_snapshot(data: bytes) -> Snapshot | None:
    """Read what `snapshot` wrote; None if that is of another version."""
    try:
        return _decode(data)
    except msgspec.DecodeError:
        return None


def merged(snapshots: Iterable[Snapshot]) -> list[Metric]:
    """Put the metrics of many processes together."""
    found: dict[str, Metric] = {}
    for each in snapshots:
        of_process = {"role": each.role, "process": each.process}
        for family in each.families:
            metric = found.setdefault(
                family.name, Metric(family.name, family.documentation, family.type)
            )
            for sample in family.samples:
                metric.add_sample(sample.name, sample.labels | of_process, sample.value)
    return list(found.values())


class _Given(Collector):
    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def exposition(metrics: Sequence[Metric]) -> bytes:
    """Write *metrics* in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(metrics))
    return generate_latest(registry)
