"""Both applications over a real SQLite store, with fakes for what was listened and what plays."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from domain.catalogue import Change
from domain.errors import Unavailable, UnreadableRecord
from domain.ports import NowPlaying
from domain.positions import Generation
from domain.quarters import Quarters
from domain.rows import Play
from serve.app import Parts, build_listening, build_main
from serve.catalogue_writes import CatalogueWrites
from serve.health import Check
from serve.playlist_app import PlaylistParts
from serve.tokens import Tokens
from stores.accounts import Account, Accounts, Scope
from stores.catalogue import Catalogue
from stores.catalogue_log import PARTITIONS, CatalogueLog
from stores.isrcs import Isrcs
from stores.refresh_families import RefreshFamilies
from stores.sqlite_log import SqliteLog
from stores.sqlite_tables import SqliteTables
from stores.tantivy_index import TantivyIndex
from streams.cataloguer import Cataloguer
from tests.clock import Clock
from tests.stores.fast_passwords import fast_passwords

PASSWORD = "correct horse"
HOST = "http://music.example:8000"


def new_key() -> bytes:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass
class FakeListening:
    """What everybody listened to, in dictionaries; notes in which order it is read."""

    weeks: dict[str, dict[int, int]] = field(default_factory=dict)
    history: dict[str, list[Play]] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    complete_ms: int = 0
    away: bool = False
    damaged: bool = False
    reads: list[str] = field(default_factory=list)

    async def quarters(self, listener_id: str, first: int, last: int, *, now_ms: int) -> Quarters:
        if self.away:
            raise Unavailable("/var/lib/secret/store.db is locked")
        if self.damaged:
            raise UnreadableRecord("a stored row has an unknown format")
        self.reads.append("quarters")
        return Quarters.of(self.weeks.get(listener_id, {})).between(first, last)

    async def progress_ms(self, generation: int, partition: int) -> int:
        assert generation == 3
        assert 0 <= partition < 8
        self.reads.append("progress")
        return self.complete_ms

    async def track_plays(self, track_ids: Sequence[str]) -> list[int]:
        return [self.counted.get(track_id, 0) for track_id in track_ids]

    async def plays_before(
        self, listener_id: str, before: tuple[int, int] | None, limit: int
    ) -> list[Play]:
        plays = [play for play in self._plays(listener_id) if before is None or mark(play) < before]
        return plays[::-1][:limit]

    async def plays_after(self, listener_id: str, after: tuple[int, int], limit: int) -> list[Play]:
        return [play for play in self._plays(listener_id) if mark(play) > after][:limit][::-1]

    def _plays(self, listener_id: str) -> list[Play]:
        return sorted(self.history.get(listener_id, []), key=mark)


@dataclass
class FakePresence:
    """Who plays what, as the test says."""

    playing: dict[str, NowPlaying] = field(default_factory=dict)

    async def now_playing(self, listener_ids: Sequence[str]) -> list[NowPlaying | None]:
        return [self.playing.get(listener_id) for listener_id in listener_ids]


def mark(play: Play) -> tuple[int, int]:
    return play.played_at_ms, play.key


class World:
    """The applications, their parts, and clients for them."""

    following: asyncio.Task[None]  # of the catalogue's log

    def __init__(
        self, directory: Path, tables: SqliteTables, changes: CatalogueLog, clock: Clock
    ) -> None:
        ids, secrets = count(1), count(1)
        self.clock, self.tables, self.directory = clock, tables, directory
        self.listening, self.presence = FakeListening(), FakePresence()
        self.erased: list[str] = []
        self.key = new_key()
        self.tokens = Tokens(self.key, now_ms=clock)
        self.accounts = Accounts(
            tables, fast_passwords(), now_ms=clock, new_id=lambda: f"{next(ids):022}"
        )
        self.families = RefreshFamilies(tables, new_secret=lambda: f"{next(secrets):043}")
        self.catalogue, self.changes, self.isrcs = Catalogue(tables), changes, Isrcs(tables)
        self.cataloguer = Cataloguer(changes, self.catalogue)
        self.index = TantivyIndex(directory / "search", reload_s=0)
        names, tokens = count(1_001), count(1)
        self.playlists = PlaylistParts.of(
            tables,
            now_ms=clock,
            new_id=lambda: f"{next(names):022}",
            new_secret=lambda: f"{next(tokens):043}",
            random=Random(1),
            look_s=0.02,
        )
        self.checks: dict[str, Check] = {}
        self.asides: dict[str, Check] = {}
        self.main = build_main(
            self.parts(),
            writes=CatalogueWrites(changes, self.catalogue, self.isrcs),
            checks=self.checks,
            asides=self.asides,
            status=self._status,
            exposition=self._exposition,
            version="0.0.1",
        )
        self.hot = build_listening(self.parts())

    def parts(self) -> Parts:
        return Parts(
            accounts=self.accounts,
            families=self.families,
            tokens=self.tokens,
            listening=self.listening,
            catalogue=self.catalogue,
            index=self.index,
            presence=self.presence,
            playlists=self.playlists,
            generation=self._generation,
            erase=self._erase,
            now_ms=self.clock,
        )

    async def describe(self, *changes: Change) -> None:
        """Put *changes* into the catalogue."""
        await self.changes.publish(changes)
        await self.cataloguer.catch_up()

    async def account(self, name: str = "ada", *scopes: Scope, zone: str = "UTC") -> Account:
        wanted = scopes or (Scope.LISTENER,)
        return await self.accounts.create(name, password=PASSWORD, time_zone=zone, scopes=wanted)

    def bearer(self, account: Account, *scopes: str) -> dict[str, str]:
        token = self.tokens.sign(account.listener_id, scopes or account.scopes)
        return {"Authorization": f"Bearer {token}"}

    def client(self, account: Account | None = None, *scopes: str) -> httpx.AsyncClient:
        headers = self.bearer(account, *scopes) if account else {}
        transport = httpx.ASGITransport(self._dispatch)
        return httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers)

    async def _dispatch(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Do as Ray Serve does: the longest prefix wins, and becomes the ``root_path``."""
        hot = scope["path"].startswith("/v1/me/listening")
        app: ASGIApp = self.hot if hot else self.main
        root_path = "/v1/me/listening" if hot else ""
        await app(dict(scope, root_path=root_path), receive, send)

    async def _generation(self) -> Generation:
        return Generation(3, 8)

    async def _erase(self, listener_id: str) -> None:
        self.erased.append(listener_id)

    async def _exposition(self) -> bytes:
        return b"heartline_staleness_seconds 1.0\n"

    async def _status(self) -> Mapping[str, Any]:
        return {"shards": [{"name": "shard-0", "lag": 0}]}


@asynccontextmanager
async def new_world(directory: Path) -> AsyncIterator[World]:
    clock = Clock()
    tables = SqliteTables.open(directory / "store.db", now_ms=clock)
    log = SqliteLog.open(directory / "catalogue.db", now_ms=clock, partitions=PARTITIONS)
    world = World(directory, tables, CatalogueLog(log), clock)
    world.following = asyncio.create_task(world.cataloguer.run())
    yield world
    world.following.cancel()
    await asyncio.wait([world.following])
    await world.index.close()
    await log.close()
    await tables.close()
