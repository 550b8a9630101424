"""The embedded consumer as a Ray actor; Ray restarts it, and it asks the shards where to go on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import ray
from ray.actor import ActorHandle

NAMESPACE = "heartline"
NAME = "tailer"

Run = Callable[[], Awaitable[None]]


class _Tailer:
    """What runs inside the actor's process."""

    def __init__(self, build: Callable[[], Run]) -> None:
        self._run = build()
        self._task: asyncio.Task[None] | None = None

    async def follow(self) -> None:
        """Run until stopped; raises what ended it."""
        self._task = asyncio.ensure_future(self._run())
        await self._task

    async def stop(self) -> None:
        """Stop reading the log."""
        if self._task is not None:
            self._task.cancel()


def start_tailer(build: Callable[[], Run]) -> tuple["ActorHandle[Any]", Any]:
    """Start the tailer; *build* makes, in its process, the coroutine function that it runs.

    Returns the actor and the reference of its run, which ends only with an error or by ``stop``; a
    run that the process's death ended is retried in the new process.
    """
    actor: Any = ray.remote(_Tailer)  # its options lose the types of its methods
    handle = actor.options(
        name=NAME, namespace=NAMESPACE, num_cpus=0, max_restarts=-1, max_task_retries=-1
    ).remote(build)
    return handle, handle.follow.remote()
