"""The catalogue of a data directory, as an import wants it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from heartline import wiring
from heartline.catalogues import STILL_S, changing
from heartline.importing.targets import DryRun, IntoCatalogue, Target
from heartline.supervisor import running_url
from stores.catalogue import Catalogue
from stores.isrcs import Isrcs


@asynccontextmanager
async def catalogue_target(data: Path) -> AsyncIterator[Target]:
    """Publish into the catalogue for a while; at the end the store has what was published."""
    settings = wiring.settings(data)
    is_alone = not settings.log and not settings.store and running_url(data) is None
    async with (
        wiring.store(settings, make=True) as tables,
        changing(settings, tables, still_s=0 if is_alone else STILL_S) as change,
    ):
        yield IntoCatalogue(change, Isrcs(tables), is_alone=is_alone)


@asynccontextmanager
async def dry_run_target(data: Path) -> AsyncIterator[Target]:
    """Compare with the catalogue for a while, if there is one; nothing is made or changed."""
    settings = wiring.settings(data)
    if not settings.store and not (settings.data / wiring.STORE_FILE).exists():
        yield DryRun()
        return
    async with wiring.store(settings) as tables:
        yield DryRun(Catalogue(tables), Isrcs(tables))
