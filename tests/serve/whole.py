"""All of Heartline but Ray, in one process: every door on a port, real SQLite, a shard that counts."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from actors.assignment import Assignment
from actors.listener_shard import ListenerShard
from actors.shard_presence import ShardPresence
from heartline import wiring
from heartline.settings import Settings
from serve import ingest
from serve.app import Parts, build_listening, build_main
from serve.auth import Access
from serve.ingest import build_ingest
from serve.pages import page_routes
from serve.tokens import Tokens
from stores.accounts import Accounts, Scope
from stores.catalogue import Catalogue
from stores.refresh_families import RefreshFamilies
from stores.sqlite_log import SqliteLog
from stores.sqlite_tables import SqliteTables
from streams.tailer import Tailer
from tests.serve.world import new_key
from tests.stores.fast_passwords import fast_passwords

PARTITIONS = 2
HOT = {"/v1/heartbeats": "ingest", "/v1/me/listening": "listening"}
PATIENCE_S = 20.0

R = TypeVar("R")


@dataclass(frozen=True)
class Whole:
    """Where it answers, and who may ask."""

    url: str
    new_token: Callable[[], str]  # of a new account that may do everything


@contextmanager
def serving(directory: Path) -> Iterator[Whole]:
    """Serve on a port of this machine, on an event loop of its own, until the block ends."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()

    def run(work: Coroutine[Any, Any, R]) -> R:
        return asyncio.run_coroutine_threadsafe(work, loop).result(PATIENCE_S)

    running = _running(directory)
    try:
        url, parts = run(running.__aenter__())
        yield Whole(url, lambda: run(_new_token(parts)))
        run(running.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_S)
        loop.close()


@asynccontextmanager
async def _running(directory: Path) -> AsyncIterator[tuple[str, Parts]]:
    tables = SqliteTables.open(directory / "store.db", now_ms=wiring.now_ms)
    log = SqliteLog.open(directory / "log.db", now_ms=wiring.now_ms, partitions=PARTITIONS)
    generation, rows = await log.generation(), wiring.listening(tables, Settings(directory))
    shard = ListenerShard(
        generation, listening=rows, log=log, commit_window_ms=100, now_ms=wiring.now_ms
    )
    tailing = asyncio.create_task(Tailer(log, generation, lambda _: shard).run())
    accounts = Accounts(tables, fast_passwords(), now_ms=wiring.now_ms, new_id=wiring.new_id)

    async def owners() -> Assignment:
        return Assignment.dealt(PARTITIONS, [0])

    parts = Parts(
        accounts=accounts,
        families=RefreshFamilies(tables, new_secret=wiring.new_secret),
        tokens=Tokens(new_key(), now_ms=wiring.now_ms),
        listening=rows,
        catalogue=Catalogue(tables),
        presence=ShardPresence(owners, lambda _: shard, PARTITIONS),
        generation=log.generation,
        erase=wiring.eraser(log, rows, generation),
        now_ms=wiring.now_ms,
    )
    async with _listening_on_a_port(_doors(parts, log, shard)) as url:
        yield url, parts
    tailing.cancel()
    await asyncio.wait([tailing])
    await shard.close()
    await log.close()
    await tables.close()


async def _new_token(parts: Parts) -> str:
    account = await parts.accounts.create(
        wiring.new_id(), password=None, time_zone="Asia/Kolkata", scopes=Scope
    )
    return parts.tokens.sign(account.listener_id, account.scopes)


def _doors(parts: Parts, log: SqliteLog, shard: ListenerShard) -> ASGIApp:
    async def status() -> Mapping[str, Any]:
        return {"shards": await shard.status()}

    async def exposition() -> bytes:
        return b""

    apps = {
        "ingest": build_ingest(
            log=log,
            authenticate=Access(parts.tokens, parts.accounts).authenticate,
            late_limit_days=30,
            now_ms=wiring.now_ms,
        ),
        "listening": build_listening(parts),
        "main": build_main(
            parts,
            checks={},
            status=status,
            exposition=exposition,
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
