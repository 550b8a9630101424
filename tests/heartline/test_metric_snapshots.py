from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.parser import text_string_to_metric_families

from heartline.metric_snapshots import Snapshot, exposition, merged, read_snapshot, snapshot


def of_process(role: str, process: str, count: int) -> Snapshot:
    registry = CollectorRegistry()
    Counter("heartline_things", "Things", ["kind"], registry=registry).labels("a b").inc(count)
    Histogram("heartline_wait_seconds", "Waits", registry=registry, buckets=(1, 2)).observe(1.5)
    told = read_snapshot(snapshot(registry, role, process, 7))
    assert told
    return told


def test_metrics_of_many_processes_are_one_family_each() -> None:
    text = exposition(merged([of_process("ingest", "i-1", 3), of_process("ingest", "i-2", 4)]))

    families = {each.name: each for each in text_string_to_metric_families(text.decode())}
    things = families["heartline_things"]
    assert (things.type, things.documentation) == ("counter", "Things")
    assert [(sample.labels, sample.value) for sample in things.samples] == [
        ({"kind": "a b", "role": "ingest", "process": "i-1"}, 3),
        ({"kind": "a b", "role": "ingest", "process": "i-2"}, 4),
    ]
    assert families["heartline_wait_seconds"].type == "histogram"
    assert text.count(b"# TYPE heartline_wait_seconds ") == 1
    assert b"_created" not in text


def test_nothing_measured_is_an_empty_exposition() -> None:
    assert exposition(merged([])) == b""


def test_what_another_version_left_is_passed_over() -> None:
    assert read_snapshot(b'["ingest"]') is None
    assert read_snapshot(b"\x00") is None
