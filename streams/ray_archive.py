"""The archive as a Ray actor; Ray restarts it, and the warehouse says where to go on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import ray
from ray.actor import ActorHandle

NAMESPACE = "heartline"
NAME = "archive"
BEGIN_S = 60.0  # everything else begins in peace
RETRY_S = 30.0

Run = Callable[[], Awaitable[None]]

log_ = logging.getLogger(__name__)


class _Archive:
    """What runs inside the actor's process."""

    def __init__(self, build: Callable[[], Run], begin_s: float) -> None:
        self._build, self._begin_s = build, begin_s

    async def follow(self) -> None:
        """Run for ever."""
        await asyncio.sleep(self._begin_s)
        while True:
            try:
                run = await asyncio.to_thread(self._build)
                await run()
            except (
                Exception
            ):  # nothing else waits for the warehouse, and the log keeps what it lacks
                log_.exception("the archive begins again")
            await asyncio.sleep(RETRY_S)


def start_archive(build: Callable[[], Run], begin_s: float = BEGIN_S) -> "ActorHandle[Any]":
    """Start the archive; *build* makes, in its process, the coroutine function that it runs."""
    actor: Any = ray.remote(_Archive)  # its options lose the types of its methods
    handle: ActorHandle[Any] = actor.options(
        name=NAME, namespace=NAMESPACE, num_cpus=0, max_restarts=-1, max_task_retries=-1
    ).remote(build, begin_s)
    handle.follow.remote()
    return handle
