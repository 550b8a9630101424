"""The search index from the settings: who reads it, who writes it, and how far it is."""

import logging
import random
from pathlib import Path

from domain.ports import Tables
from domain.search import SearchIndex, SearchWriter
from heartline import wiring
from heartline.addresses import OpenSearchAddress
from heartline.catalogues import catalogue_log_of
from heartline.settings import Settings
from stores.catalogue import Catalogue
from stores.catalogue_log import CatalogueLog
from stores.track_plays import TrackPlays
from streams.entry_maker import EntryMaker
from streams.index_metrics import IndexMetrics
from streams.indexer import Indexer

DIRECTORY = "search"


def open_index(settings: Settings) -> SearchIndex:
    """Open the index to search in: on OpenSearch, or in the data directory."""
    if address := _address(settings):
        from stores.opensearch_index import OpenSearchIndex

        return OpenSearchIndex(
            address.urls, name=address.index, login=address.login, jitter=random.random
        )
    from stores.tantivy_index import TantivyIndex

    return TantivyIndex(_directory(settings))


def open_writer(settings: Settings) -> SearchWriter:
    """Open the index to write it; nobody else can then."""
    if address := _address(settings):
        from stores.opensearch_writer import OpenSearchWriter

        return OpenSearchWriter(
            address.urls,
            name=address.index,
            shards=address.shards,
            replicas=address.replicas,
            login=address.login,
            jitter=random.random,
            owner=wiring.new_id(),
        )
    from stores.tantivy_writer import TantivyWriter

    return TantivyWriter(_directory(settings))


def indexer(
    tables: Tables, log: CatalogueLog, writer: SearchWriter, metrics: IndexMetrics | None = None
) -> Indexer:
    """Make what keeps the index like the catalogue."""
    return Indexer(log, entry_maker(tables), Catalogue(tables), writer, metrics=metrics)


async def catch_up(settings: Settings, tables: Tables) -> None:
    """Bring the index up to the catalogue, for a command where no `up` sees to that."""
    async with catalogue_log_of(settings) as log:
        writer = open_writer(settings)
        try:
            if await writer.position() != await log.applied():
                indexing = indexer(tables, log, writer)
                await indexing.begin()
                await indexing.catch_up()
        finally:
            await writer.close()


def entry_maker(tables: Tables) -> EntryMaker:
    """Make what knows how entries should be."""
    return EntryMaker(Catalogue(tables), TrackPlays(tables))


def _address(settings: Settings) -> OpenSearchAddress | None:
    address = OpenSearchAddress.parse(settings.search)
    if address:
        # What it complains of while a node is away is what we raise, and log.
        logging.getLogger("opensearch").setLevel(logging.CRITICAL)
    return address


def _directory(settings: Settings) -> Path:
    return settings.data / DIRECTORY
