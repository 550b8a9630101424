"""The embedded consumer as a Ray actor; it asks the shards where to go on."""

from collections.abc import Callable
from typing import Any

from ray.actor import ActorHandle

from streams.ray_run import RayRun, Run, start_run

NAME = "tailer"


class _Tailer(RayRun):
    """The name of its process."""


def start_tailer(build: Callable[[], Run]) -> tuple["ActorHandle[Any]", Any]:
    """Start the tailer, as `start_run` does."""
    return start_run(_Tailer, NAME, build)
