"""A run that outlives whoever started it, and begins by itself wherever Ray places it."""

from collections.abc import Callable
from typing import Any

import ray
from ray.actor import ActorHandle

from streams.ray_run import NAMESPACE, InsistentRun, Run


class _Follower(InsistentRun):
    """What runs inside the actor's process."""

    def __init__(self, build: Callable[[], Run]) -> None:
        super().__init__(build)
        ray.get_runtime_context().current_actor.follow.remote()


def start_follower(name: str, build: Callable[[], Run], **options: Any) -> "ActorHandle[Any]":
    """Start a follower, or find the one of that name; *options* are Ray's.

    *build* makes, in the actor's process, the coroutine function that it runs.
    """
    actor: Any = ray.remote(_Follower)  # its options lose the types of its methods
    ours = {
        "name": name,
        "namespace": NAMESPACE,
        "lifetime": "detached",
        "get_if_exists": True,
        "max_restarts": -1,
    }
    handle: ActorHandle[Any] = actor.options(**(ours | options)).remote(build)
    return handle
