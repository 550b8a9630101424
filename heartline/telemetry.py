"""What every process of Heartline does first: its log lines have a form, its metrics a registry."""

import re

from prometheus_client import CollectorRegistry
from prometheus_client.process_collector import ProcessCollector

from heartline import wiring
from heartline.logs import begin_logs
from heartline.settings import Settings


def begin_telemetry(role: str, settings: Settings) -> CollectorRegistry:
    """Begin the logs of this process of Ray, and publish what is put into the registry given back."""
    import ray

    from heartline.metric_board import publish

    here = ray.get_runtime_context()
    numbered = re.fullmatch(rf"{role}-(\d+)", here.get_actor_name() or "")
    number = {role: int(numbered[1])} if numbered else {}
    begin_logs(settings, role=role, **number)
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    name = numbered[0] if numbered else role
    publish(registry, role, f"{name}-{here.get_worker_id()[:8]}", wiring.now_ms)
    return registry
