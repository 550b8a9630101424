"""The doors: the applications of `serve`, built of the ports of one machine, within a replica."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from starlette.types import ASGIApp

from actors.ray_assignment import RayAssignment
from actors.shard_handles import FoundShards, RayShard
from domain.ports import Log, Tables
from domain.positions import Generation
from domain.ranking import weights_of
from heartline import wiring
from heartline.catalogues import open_catalogue_log
from heartline.exposition import Exposition
from heartline.figures import figures
from heartline.metric_board import read_board
from heartline.metric_snapshots import Snapshot
from heartline.playlists import playlist_parts
from heartline.presence import presence_of
from heartline.readiness import checks
from heartline.recount_result import last_result
from heartline.search_look import SearchLook
from heartline.searching import open_index
from heartline.settings import Settings
from heartline.status import status_of
from heartline.telemetry import begin_telemetry
from serve import ingest
from serve.app import Parts, build_listening, build_main
from serve.auth import Access
from serve.catalogue_writes import CatalogueWrites
from serve.ingest import build_ingest
from serve.ingest_metrics import IngestMetrics
from serve.pages import page_routes
from serve.request_metrics import RequestMetrics
from serve.search_metrics import SearchMetrics
from stores.catalogue import Catalogue
from stores.isrcs import Isrcs
from stores.refresh_families import RefreshFamilies

Build: TypeAlias = Callable[[Settings, Generation], ASGIApp]
Status: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]


def ingest_app(settings: Settings, generation: Generation) -> ASGIApp:
    """Make the door at ``/v1/heartbeats``."""
    registry = begin_telemetry("ingest", settings)
    tables, records = wiring.opened(settings)
    access = Access(wiring.tokens(settings.data, settings.secrets), wiring.accounts(tables))
    return build_ingest(
        log=records,
        authenticate=access.authenticate,
        late_limit_days=settings.late_limit_days,
        now_ms=wiring.now_ms,
        metrics=IngestMetrics(registry),
        requests=RequestMetrics(registry),
    )


def listening_app(settings: Settings, generation: Generation) -> ASGIApp:
    """Make the door at ``/v1/me/listening``."""
    registry = begin_telemetry("listening", settings)
    tables, records = wiring.opened(settings)
    parts = _parts(settings, generation, tables, records)
    return build_listening(parts, RequestMetrics(registry))


def main_app(settings: Settings, generation: Generation) -> ASGIApp:
    """Make the door at ``/``."""
    registry = begin_telemetry("main", settings)
    tables, records = wiring.opened(settings)
    changes = wiring.insistently(lambda: open_catalogue_log(settings))
    rows = wiring.listening(tables, settings)
    parts = _parts(settings, generation, tables, records)
    current, find = RayAssignment().current, FoundShards()

    async def shards() -> Mapping[int, RayShard]:
        return {number: find(number) for number in (await current()).shards}

    async def status() -> Mapping[str, Any]:
        return await status_of(
            records,
            rows,
            generation,
            await shards(),
            now_ms=wiring.now_ms,
            stale_ms=settings.stale_limit_ms,
        )

    search = SearchLook(parts.index, changes, wiring.now_ms)
    looks = checks(records, rows, generation, shards, status, stale_ms=settings.stale_limit_ms)
    exposition = Exposition(
        status=status,
        checks=looks,
        board=_board,
        recounted=lambda: last_result(settings.data),
        now_ms=wiring.now_ms,
        version=wiring.release(),
    )
    return build_main(
        parts,
        writes=CatalogueWrites(changes, parts.catalogue, Isrcs(tables)),
        checks=looks,
        asides={"search": search.trouble},
        status=_with_figures(status, search),
        exposition=exposition,
        requests=RequestMetrics(registry),
        searches=SearchMetrics(registry),
        version=wiring.release(),
        described=ingest.ENDPOINTS,
        extra_routes=page_routes(),
    )


def _board() -> list[Snapshot]:
    return read_board(wiring.now_ms())


def _with_figures(status: Status, search: SearchLook) -> Status:
    """Tell what an operator sees: the status, that of the search, and the figures of all processes."""

    async def told() -> Mapping[str, Any]:
        of_search = await search.status()
        board = await asyncio.to_thread(_board)
        return {**await status(), "search": of_search, "figures": figures(board)}

    return told


def _parts(settings: Settings, generation: Generation, tables: Tables, records: Log) -> Parts:
    rows = wiring.listening(tables, settings)

    async def current() -> Generation:
        return generation  # it changes only while nothing serves

    return Parts(
        accounts=wiring.accounts(tables),
        families=RefreshFamilies(tables, new_secret=wiring.new_secret),
        tokens=wiring.tokens(settings.data, settings.secrets),
        listening=rows,
        catalogue=Catalogue(tables),
        index=open_index(settings),
        presence=presence_of(settings, generation.partitions),
        playlists=playlist_parts(tables),
        generation=current,
        erase=wiring.eraser(records, rows, generation),
        now_ms=wiring.now_ms,
        weights=weights_of(settings.search_weights),
    )
