from prometheus_client import CollectorRegistry

from streams.gather import Tally
from streams.gather_metrics import GatherMetrics


def test_a_gatherer_tells_what_it_has_done() -> None:
    tally, registry = Tally(), CollectorRegistry()
    GatherMetrics(tally, registry)

    tally.gathered, tally.trouble = 5, 1
    tally.refused.update({"too_old": 2, "malformed": 1})

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"heartline_{name}_total", labels)

    assert value("heartbeats_gathered") == 5
    assert value("gatherer_restarts") == 1
    assert value("dead_letters", source="heartbeats_json", reason="too_old") == 2
    assert value("dead_letters", source="heartbeats_json", reason="malformed") == 1
    assert value("dead_letters", source="heartbeats_json", reason="invalid") == 0
