"""All of Heartline but Ray, in one process: every door on a port, real SQLite, a shard that counts."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.process_collector import ProcessCollector
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from actors.assignment import Assignment
from actors.listener_shard import ListenerShard
from actors.shard_metrics import ShardMetrics
from actors.shard_presence import ShardPresence
from heartline import wiring
from heartline.exposition import Exposition
from heartline.metric_snapshots import Snapshot, read_snapshot, snapshot
from heartline.playlists import playlist_parts
from heartline.readiness import checks
from heartline.recount_result import last_result
from heartline.searching import indexer
from heartline.settings import Settings
from heartline.status import status_of
from serve import ingest
from serve.app import Parts, build_listening, build_main
from serve.auth import Access
from serve.catalogue_writes import CatalogueWrites
from serve.ingest import build_ingest
from serve.ingest_metrics import IngestMetrics
from serve.pages import page_routes
from serve.request_metrics import RequestMetrics
from serve.search_metrics import SearchMetrics
from serve.tokens import Tokens
from stores.accounts import Accounts, Scope
from stores.catalogue import Catalogue
from stores.catalogue_log import PARTITIONS as CATALOGUE_PARTITIONS
from stores.catalogue_log import CatalogueLog
from stores.isrcs import Isrcs
from stores.refresh_families import RefreshFamilies
from stores.sqlite_log import SqliteLog
from stores.sqlite_tables import SqliteTables
from stores.tantivy_index import TantivyIndex
from stores.tantivy_writer import TantivyWriter
from streams.archive_metrics import ArchiveMetrics
from streams.catalogue_metrics import CatalogueMetrics
from streams.cataloguer import Cataloguer
from streams.gather import Tally
from streams.gather_metrics import GatherMetrics
from streams.index_metrics import IndexMetrics
from streams.indexer import keep_indexing
from streams.tailer import Tailer
from tests.serve.world import new_key
from tests.stores.fast_passwords import fast_passwords

PARTITIONS = 2
HOT = {"/v1/heartbeats": "ingest", "/v1/me/listening": "listening"}
PATIENCE_S = 60.0
STALE_MS = 300_000
Status = Callable[[], Awaitable[Mapping[str, Any]]]

R = TypeVar("R")


@dataclass(frozen=True)
class Whole:
    """Where it answers, and who may ask."""

    url: str
    new_token: Callable[[], str]  # of a new account that may do everything
    new_account: Callable[[str, str, Scope], object]  # name, password, what it may do


class Watched:
    """The registries of what would be processes, and the exposition of them."""

    def __init__(self) -> None:
        self._registries = {
            role: CollectorRegistry()
            for role in ("ingest", "listening", "main", "shard", "gatherer", "archive", "catalogue")
        }
        ProcessCollector(registry=self._registries["shard"])
        GatherMetrics(Tally(), self._registries["gatherer"])
        ArchiveMetrics(self._registries["archive"]).is_behind(0, 0)

    def __getitem__(self, role: str) -> CollectorRegistry:
        return self._registries[role]

    def read(self) -> list[Snapshot]:
        """What `heartline.metric_board` does with Ray."""
        told = (
            read_snapshot(snapshot(registry, role, f"{role}-1", 0))
            for role, registry in self._registries.items()
        )
        return [each for each in told if each]


@contextmanager
def serving(directory: Path, now_ms: Callable[[], int] = wiring.now_ms) -> Iterator[Whole]:
    """Serve on a port of this machine, on an event loop of its own, until the block ends."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()

    def run(work: Coroutine[Any, Any, R]) -> R:
        return asyncio.run_coroutine_threadsafe(work, loop).result(PATIENCE_S)

    running = _running(directory, now_ms)
    try:
        url, parts = run(running.__aenter__())
        yield Whole(
            url,
            lambda: run(_new_token(parts)),
            lambda name, password, scope: run(
                parts.accounts.create(name, password=password, time_zone="UTC", scopes=[scope])
            ),
        )
        run(running.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_S)
        loop.close()


@asynccontextmanager
async def _running(directory: Path, now_ms: Callable[[], int]) -> AsyncIterator[tuple[str, Parts]]:
    tables = SqliteTables.open(directory / "store.db", now_ms=now_ms)
    log = SqliteLog.open(directory / "log.db", now_ms=now_ms, partitions=PARTITIONS)
    generation, rows = await log.generation(), wiring.listening(tables, Settings(directory))
    watched = Watched()
    shard = ListenerShard(
        generation,
        listening=rows,
        log=log,
        commit_window_ms=100,
        now_ms=now_ms,
        metrics=ShardMetrics(watched["shard"]),
    )
    tailing = asyncio.create_task(Tailer(log, generation, lambda _: shard).run())
    accounts = Accounts(tables, fast_passwords(), now_ms=now_ms, new_id=wiring.new_id)

    async def owners() -> Assignment:
        return Assignment.dealt(PARTITIONS, [0])

    parts = Parts(
        accounts=accounts,
        families=RefreshFamilies(tables, new_secret=wiring.new_secret),
        tokens=Tokens(new_key(), now_ms=now_ms),
        listening=rows,
        catalogue=Catalogue(tables),
        index=TantivyIndex(directory / "search"),
        presence=ShardPresence(owners, lambda _: shard, PARTITIONS),
        playlists=playlist_parts(tables),
        generation=log.generation,
        erase=wiring.eraser(log, rows, generation),
        now_ms=now_ms,
    )

    changes = CatalogueLog(
        SqliteLog.open(directory / "catalogue.db", now_ms=now_ms, partitions=CATALOGUE_PARTITIONS)
    )
    writes = CatalogueWrites(changes, parts.catalogue, Isrcs(tables))
    of_catalogue = CatalogueMetrics(watched["catalogue"])
    cataloguing = asyncio.create_task(Cataloguer(changes, parts.catalogue, of_catalogue).run())
    metrics = IndexMetrics(watched["catalogue"])
    writer = TantivyWriter(directory / "search")
    indexing = asyncio.create_task(keep_indexing(lambda: indexer(tables, changes, writer, metrics)))

    async def shards() -> Mapping[int, ListenerShard]:
        return {0: shard}

    async def status() -> Mapping[str, Any]:
        return await status_of(
            log, rows, generation, await shards(), now_ms=now_ms, stale_ms=STALE_MS
        )

    exposition = Exposition(
        status=status,
        checks=checks(log, rows, generation, shards, status, stale_ms=STALE_MS),
        board=watched.read,
        recounted=lambda: last_result(directory),
        now_ms=now_ms,
        version="0.0.1",
    )
    async with _listening_on_a_port(
        _doors(parts, log, status, exposition, watched, writes=writes)
    ) as url:
        yield url, parts
    for task in (tailing, cataloguing, indexing):
        task.cancel()
    await asyncio.wait([tailing, cataloguing, indexing])
    await parts.index.close()
    await writer.close()
    await shard.close()
    await log.close()
    await changes.close()
    await tables.close()


async def _new_token(parts: Parts) -> str:
    account = await parts.accounts.create(
        wiring.new_id(), password=None, time_zone="Asia/Kolkata", scopes=Scope
    )
    return parts.tokens.sign(account.listener_id, account.scopes)


def _doors(
    parts: Parts,
    log: SqliteLog,
    status: Status,
    exposition: Exposition,
    watched: Watched,
    *,
    writes: CatalogueWrites,
) -> ASGIApp:
    apps = {
        "ingest": build_ingest(
            log=log,
            authenticate=Access(parts.tokens, parts.accounts).authenticate,
            late_limit_days=30,
            now_ms=parts.now_ms,
            metrics=IngestMetrics(watched["ingest"]),
            requests=RequestMetrics(watched["ingest"]),
        ),
        "listening": build_listening(parts, RequestMetrics(watched["listening"])),
        "main": build_main(
            parts,
            writes=writes,
            checks={},
            status=status,
            exposition=exposition,
            requests=RequestMetrics(watched["main"]),
            searches=SearchMetrics(watched["main"]),
            version="0.0.1",
            described=ingest.ENDPOINTS,
            extra_routes=page_routes(),
        ),
    }

    async def dispatch(scope: Connection, receive: Receive, send: Send) -> None:
        """Do as Ray Serve does: the longest prefix wins, and becomes the ``root_path``."""
        path = scope.get("path", "")
        prefix = next((p for p in HOT if path == p or path.startswith(f"{p}/")), "")
        app = apps[HOT.get(prefix, "main")]
        await app(dict(scope, root_path=prefix), receive, send)

    return dispatch


@asynccontextmanager
async def _listening_on_a_port(app: ASGIApp) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await serving
