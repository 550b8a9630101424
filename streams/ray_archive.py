"""The archive as a Ray actor; the warehouse says where it goes on."""

import os
from collections.abc import Callable
from typing import Any

from ray.actor import ActorHandle

from streams.ray_run import RayRun, Run, start_run

NICENESS = 10  # nobody waits for it: at full load the others have ten times its share


class _Archive(RayRun):
    """The name of its process, which lets others go first."""

    async def follow(self) -> None:
        """Run until stopped; threads that are begun from here are as nice as this one."""
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
        await super().follow()


def start_archive(build: Callable[[], Run]) -> tuple["ActorHandle[Any]", Any]:
    """Start it, as `start_run` does."""
    return start_run(_Archive, "archive", build)
