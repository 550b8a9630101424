"""The archive beside everything else that runs in Ray."""

from collections.abc import Callable
from typing import Any

from ray.actor import ActorHandle

from heartline import wiring
from heartline.settings import Settings
from streams.ray_archive import Run, start_archive


def start_warehousing(settings: Settings) -> "ActorHandle[Any] | None":
    """Start what carries the log to the warehouse, unless the settings say not to."""
    return start_archive(archive_builder(settings)) if settings.archive else None


def archive_builder(settings: Settings) -> Callable[[], Run]:
    """Make what makes, in its process, the coroutine function that archives."""

    def build() -> Run:
        from heartline.warehouses import open_warehouse  # 40 MB, which only that process needs
        from streams.archive import Archive

        return Archive(wiring.open_log(settings), open_warehouse(settings, make=True)).run

    return build
