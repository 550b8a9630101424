"""A coroutine that runs in a Ray actor of its own; Ray restarts the actor, and it runs again."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any

import ray
from ray.actor import ActorHandle

NAMESPACE = "heartline"
AGAIN_S = 5.0  # before a process that cannot go on is begun anew
ENDED = 70  # its exit status: EX_SOFTWARE

log_ = logging.getLogger(__name__)

Run = Callable[[], Awaitable[None]]


class RayRun:
    """What runs inside the actor's process; a subclass names the process."""

    def __init__(self, build: Callable[[], Run]) -> None:
        self._run = build()
        self._task: asyncio.Task[None] | None = None

    async def follow(self) -> None:
        """Run until stopped; raises what ended it."""
        self._task = asyncio.ensure_future(self._run())
        await self._task

    async def stop(self) -> None:
        """Stop it, and wait until it has."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])


class InsistentRun(RayRun):
    """A run that goes on until `stop`: what ends it is told for a while, and ends the process."""

    _trouble, _is_stopped = "", False

    async def follow(self) -> None:
        """Run until stopped."""
        self._task = asyncio.ensure_future(self._run())
        await asyncio.wait([self._task])
        if self._is_stopped:
            return
        error = None if self._task.cancelled() else self._task.exception()
        self._trouble = repr(error) if error else "it ended"
        log_.critical("ends: %s", self._trouble, exc_info=error)
        await asyncio.sleep(AGAIN_S)
        os._exit(ENDED)  # Ray begins it again

    async def stop(self) -> None:
        """Stop it, and wait until it has."""
        self._is_stopped = True
        await super().stop()

    async def trouble(self) -> str:
        """Tell what keeps it from running; "" when it runs."""
        return self._trouble


def start_run(
    kind: type[RayRun], name: str, build: Callable[[], Run]
) -> tuple["ActorHandle[Any]", Any]:
    """Start an actor; *build* makes, in its process, the coroutine function that it runs.

    Returns the actor and the reference of its run, which ends only with an error or by ``stop``; a
    run that the process's death ended is retried in the new process.
    """
    actor: Any = ray.remote(kind)  # its options lose the types of its methods
    handle = actor.options(
        name=name, namespace=NAMESPACE, num_cpus=0, max_restarts=-1, max_task_retries=-1
    ).remote(build)
    return handle, handle.follow.remote()
