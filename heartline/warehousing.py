"""The archive beside everything else that runs in Ray."""

import contextlib
import os
from collections.abc import Callable
from typing import Any

from ray.actor import ActorHandle

from heartline.settings import Settings
from heartline.telemetry import begin_telemetry
from streams.ray_archive import start_archive
from streams.ray_run import Run

NICENESS = 10  # nobody waits for it: at full load the others have ten times its share


def start_warehousing(settings: Settings) -> list[tuple["ActorHandle[Any]", Any]]:
    """Start what carries the log to the warehouse, unless the settings say not to."""
    return [start_archive(archive_builder(settings))] if settings.archive else []


def archive_builder(settings: Settings) -> Callable[[], Run]:
    """Tell how the archive is made, in its own process, the only one that needs its libraries."""

    def build() -> Run:
        registry = begin_telemetry("archive", settings)

        async def run() -> None:
            from heartline.archiving import opened
            from streams.archive import keep_archiving
            from streams.archive_metrics import ArchiveMetrics

            let_others_go_first()
            metrics = ArchiveMetrics(registry)
            await keep_archiving(lambda: opened(settings, metrics))

        return run

    return build


def let_others_go_first() -> None:
    """Be nice, and with this thread all that it begins."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
