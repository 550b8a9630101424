"""What every process of Heartline does first: its log lines have a form, its metrics a registry."""

from prometheus_client import CollectorRegistry
from prometheus_client.process_collector import ProcessCollector

from heartline import wiring
from heartline.logs import begin_logs
from heartline.settings import Settings


def begin_telemetry(role: str, settings: Settings) -> CollectorRegistry:
    """Begin the logs of this process of Ray, and publish what is put into the registry given back."""
    import ray

    from heartline.metric_board import publish

    begin_logs(role, settings)
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    name = f"{role}-{ray.get_runtime_context().get_worker_id()[:8]}"
    publish(registry, role, name, wiring.now_ms)
    return registry
