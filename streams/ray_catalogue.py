"""The cataloguer as a Ray actor; the store says where it goes on."""

from collections.abc import Callable
from typing import Any

from ray.actor import ActorHandle

from streams.ray_run import InsistentRun, Run, start_run


class _Catalogue(InsistentRun):
    """The name of its process."""


def start_catalogue(build: Callable[[], Run]) -> tuple["ActorHandle[Any]", Any]:
    """Start it, as `start_run` does."""
    return start_run(_Catalogue, "catalogue", build)
