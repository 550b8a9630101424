"""A consumer of the log on Kafka as a Ray actor; it goes on from what its group has committed."""

from collections.abc import Callable
from typing import Any

from ray.actor import ActorHandle

from streams.ray_run import RayRun, Run, start_run


class _Consumer(RayRun):
    """The name of its process."""


def start_consumer(number: int, build: Callable[[], Run]) -> tuple["ActorHandle[Any]", Any]:
    """Start one of the consumers, as `start_run` does."""
    return start_run(_Consumer, f"consumer-{number}", build)
