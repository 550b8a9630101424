"""What Ray Serve imports of Heartline on a cluster: `serve/config.yaml` names these builders.

Settings are those of `heartline cluster start`; where nothing was started yet, the environment's.
"""

import asyncio
import os
from typing import Any

from ray.serve import Application as ServeApplication

from domain.positions import Generation
from heartline import wiring
from heartline.applications import APPLICATIONS, target
from heartline.nodes.kept_settings import kept_settings
from heartline.settings import Settings


def ingest(_: dict[str, Any]) -> ServeApplication:
    """Build the application at ``/v1/heartbeats``."""
    return _built("ingest")


def listening(_: dict[str, Any]) -> ServeApplication:
    """Build the application at ``/v1/me/listening``."""
    return _built("listening")


def main(_: dict[str, Any]) -> ServeApplication:
    """Build the application at ``/``."""
    return _built("main")


def _built(name: str) -> ServeApplication:
    settings = kept_settings() or Settings.from_environ(os.environ)
    (application,) = (each for each in APPLICATIONS if each.name == name)
    generation = asyncio.run(_newest(settings))
    return target(application, settings, generation).target


async def _newest(settings: Settings) -> Generation:
    """Tell the generation that is written to; it changes only while nothing serves."""
    async with wiring.log_of(settings) as log:
        return await log.generation()
