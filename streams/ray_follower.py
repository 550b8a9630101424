"""A run that outlives whoever started it, and begins by itself wherever Ray places it."""

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Any

import ray
from ray.actor import ActorHandle

from streams.ray_run import NAMESPACE, RayRun, Run

AGAIN_S = 5.0  # before a process that cannot go on is begun anew
ENDED = 70  # its exit status: EX_SOFTWARE

log_ = logging.getLogger(__name__)


class _Follower(RayRun):
    """What runs inside the actor's process."""

    def __init__(self, build: Callable[[], Run]) -> None:
        super().__init__(build)
        self._trouble = ""
        ray.get_runtime_context().current_actor.follow.remote()

    async def follow(self) -> None:
        """Run until stopped; what ends it is told for a while, and then the process ends."""
        self._task = asyncio.ensure_future(self._run())
        await asyncio.wait([self._task])
        if self._task.cancelled():
            return
        self._trouble = str(self._task.exception() or "it ended")
        log_.critical("ends: %s", self._trouble)
        await asyncio.sleep(AGAIN_S)
        os._exit(ENDED)  # Ray begins it again

    async def trouble(self) -> str:
        """Tell what keeps it from running; "" when it runs."""
        return self._trouble


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
