"""The cataloguer and the indexer beside everything else that runs in Ray."""

import asyncio
from collections.abc import Callable
from typing import Any

from ray.actor import ActorHandle

from heartline import wiring
from heartline.catalogues import open_catalogue_log
from heartline.searching import indexer, open_writer
from heartline.settings import Settings
from heartline.telemetry import begin_telemetry
from stores.catalogue import Catalogue
from streams.catalogue_metrics import CatalogueMetrics
from streams.cataloguer import Cataloguer, keep_cataloguing
from streams.housekeeping import Retention, keep_trimmed
from streams.index_metrics import IndexMetrics
from streams.indexer import keep_indexing
from streams.ray_catalogue import start_catalogue
from streams.ray_run import Run


def start_cataloguing(settings: Settings) -> tuple["ActorHandle[Any]", Any]:
    """Start what makes rows of the catalogue's log, and of these the search index."""
    return start_catalogue(catalogue_builder(settings))


def catalogue_builder(settings: Settings) -> Callable[[], Run]:
    """Tell how both are made, in a process of their own, which also trims the log."""

    def build() -> Run:
        registry = begin_telemetry("catalogue", settings)
        of_catalogue, of_index = CatalogueMetrics(registry), IndexMetrics(registry)
        tables, log = wiring.insistently(
            lambda: (wiring.open_tables(settings), open_catalogue_log(settings))
        )
        cataloguer = Cataloguer(log, Catalogue(tables), of_catalogue)
        writer = open_writer(settings)
        retention = Retention(settings.log_retention_days, settings.log_retention_bytes)

        async def run() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(keep_cataloguing(cataloguer))
                tasks.create_task(keep_trimmed(log, retention, wiring.now_ms))
                tasks.create_task(keep_indexing(lambda: indexer(tables, log, writer, of_index)))

        return run

    return build
