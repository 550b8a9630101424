"""Figures for people, out of the snapshots of all processes."""

import math

import pytest
from prometheus_client import CollectorRegistry

from actors.shard_metrics import ShardMetrics
from domain.rows import Rows
from heartline.figures import figures, quantile
from heartline.metric_snapshots import Snapshot, read_snapshot, snapshot
from serve.ingest_metrics import IngestMetrics
from serve.receipts import Rejected
from serve.request_metrics import RequestMetrics

INFINITE = math.inf


def told(role: str, registry: CollectorRegistry) -> Snapshot:
    made = read_snapshot(snapshot(registry, role, f"{role}-1", 0))
    assert made
    return made


def an_ingest(taken: int) -> Snapshot:
    registry = CollectorRegistry()
    metrics, requests = IngestMetrics(registry), RequestMetrics(registry)
    metrics.received(taken, [Rejected(0, "1", "at", "too_old", "")])
    metrics.appended(taken, seconds=0.002)
    requests.took("/v1/heartbeats", 202, 0.004)
    requests.took("/v1/heartbeats", 503, 0.004)
    return told("ingest", registry)


def a_shard() -> Snapshot:
    registry = CollectorRegistry()
    metrics = ShardMetrics(registry)
    metrics.applied(0, records=2, heartbeats=7)
    metrics.applied(1, records=1, heartbeats=1)
    metrics.repeated(1, 4)
    metrics.left_out()
    rows = Rows(hours=[("ann", 1, b"12345")], weeks=[("ann", 1, b"123")], plays=[])
    metrics.flushed(0, rows, seconds=0.2, reserved_bytes=9)
    return told("shard", registry)


def test_processes_are_summed_up() -> None:
    found = figures([an_ingest(3), an_ingest(4), a_shard()])

    assert found["heartbeats"] == {
        "received": 9,
        "acknowledged": 7,
        "gathered": 0,
        "applied": 8,
        "rejected": {"too_old": 2, "in_the_future": 0, "invalid": 0},
    }
    assert found["records"] == {"applied": 3, "duplicate": 4, "dead_letters": 1}
    assert (found["appends"]["count"], found["appends"]["mean_rows"]) == (2, 3.5)
    assert (found["flushes"]["count"], found["flushes"]["mean_rows"]) == (1, 2)
    assert found["flushes"]["mean_bytes"] == 8
    assert 100 < found["flushes"]["p99_ms"] <= 250
    (requests,) = found["requests"]
    assert (requests["path"], requests["count"], requests["failed"]) == ("/v1/heartbeats", 4, 2)
    assert 2.5 < requests["p50_ms"] <= 5
    assert [each["process"] for each in found["processes"]] == ["ingest-1", "ingest-1", "shard-1"]


def test_nothing_on_the_board_is_nothing_counted() -> None:
    found = figures([])

    assert found["heartbeats"]["received"] == 0
    assert found["flushes"] == {
        "count": 0,
        "mean_rows": None,
        "mean_bytes": None,
        "p50_ms": None,
        "p99_ms": None,
    }


@pytest.mark.parametrize(
    ("share", "buckets", "expected"),
    [
        pytest.param(0.5, [], None, id="no-buckets"),
        pytest.param(0.5, [(1, 0), (INFINITE, 0)], None, id="nothing-seen"),
        pytest.param(0.5, [(1, 10), (INFINITE, 10)], 0.5, id="within-the-first"),
        pytest.param(0.5, [(1, 5), (2, 10), (INFINITE, 10)], 1.0, id="at-a-bound"),
        pytest.param(0.75, [(1, 5), (2, 10), (INFINITE, 10)], 1.5, id="between-bounds"),
        pytest.param(0.99, [(1, 5), (2, 5), (INFINITE, 10)], 2.0, id="beyond-the-last"),
    ],
)
def test_a_quantile_is_estimated_as_prometheus_does(
    share: float, buckets: list[tuple[float, float]], expected: float | None
) -> None:
    assert quantile(share, buckets) == expected
