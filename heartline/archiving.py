"""An archive from the settings; apart from `heartline.warehousing`, for what it takes to import."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from heartline import wiring
from heartline.settings import Settings
from heartline.warehouses import open_warehouse
from streams.archive import Archive
from streams.archive_metrics import ArchiveMetrics


@asynccontextmanager
async def opened(
    settings: Settings, metrics: ArchiveMetrics | None = None
) -> AsyncIterator[Archive]:
    """Have an archive for a while; the warehouse is made if it is not there.

    Raises
    ------
    Unavailable
        The log or the warehouse is away.
    """
    async with wiring.log_of(settings) as log:
        warehouse = await asyncio.to_thread(partial(open_warehouse, settings, make=True))
        yield Archive(log, warehouse, metrics=metrics)
