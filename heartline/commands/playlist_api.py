"""The playlists of a running Heartline, over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Struct

from domain.errors import HeartlineError
from heartline import wiring
from heartline.commands.bearer import mint
from heartline.commands.playlist_objects import Found, Item, Page, Playlist, TrackObject
from heartline.operator_account import operator_account
from heartline.poster import ServerAway
from heartline.supervisor import running_url
from heartline.terminal import Failure, fail

PAGE = 100  # items
MOST_ADDED = 100  # with one request
HITS = 5
ATTEMPT_S = 30.0
WAITS_S = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # before the next attempt
LONGEST_WAIT_S = 60.0
AGAIN = frozenset({408, 429, 500, 502, 503, 504})
TIMES = 3  # that a playlist is read which changes meanwhile

T = TypeVar("T")
Json = dict[str, Any]


class RequestRefused(HeartlineError):
    """Raised when the server refuses a request; *field* is what it blames, or empty."""

    def __init__(self, status: int, message: str, field: str = "") -> None:
        super().__init__(status, message, field)
        self.status, self.message, self.field = status, message, field

    def __str__(self) -> str:
        return f"the server refuses ({self.status}): {self.message}"


class NotOurs(HeartlineError):
    """Raised when what answers is not Heartline, or of another version."""

    def __init__(self, path: str, fault: str) -> None:
        super().__init__(path, fault)
        self.path, self.fault = path, fault

    def __str__(self) -> str:
        return f"{self.path} answers something else than a playlist wants: {self.fault}"


@dataclass(frozen=True, slots=True)
class PlaylistApi:
    """Asks one server with patience, as one account; all methods raise what `ask` raises."""

    client: httpx.AsyncClient  # its base_url is the server's
    token: Callable[[], str]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def playlist(self, playlist_id: str) -> tuple[Json, list[Json]]:
        """Read a playlist, and all items of one version of it."""
        path = _path(playlist_id)
        for _ in range(TIMES):
            told = await self.ask("GET", path)
            first = typed(told, Playlist).items
            items = first.items + await self._behind(path, first)
            if len(items) == len(first.items):
                return told, items
            now = await self.ask("GET", path, params={"fields": "snapshot_id"})
            if now.get("snapshot_id") == told.get("snapshot_id"):
                return told, items
        raise Failure("the playlist is being changed while it is read: try again")

    async def search(self, query: str) -> Sequence[TrackObject]:
        """Find the likeliest tracks."""
        params = {"q": query, "type": "track", "limit": str(HITS)}
        return typed(await self.ask("GET", "/v1/search", params=params), Found).tracks.items

    async def make(self, name: str, description: str, *, public: bool, key: str) -> Playlist:
        """Make an empty playlist of the account."""
        body = {"name": name, "description": description, "public": public}
        return typed(await self.ask("POST", "/v1/me/playlists", body=body, key=key), Playlist)

    async def add(self, playlist_id: str, uris: Sequence[str], *, key: str) -> None:
        """Add up to a hundred tracks behind the others."""
        path = f"{_path(playlist_id)}/items"
        await self.ask("POST", path, body={"uris": list(uris)}, key=key)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        body: Json | None = None,
        key: str = "",
    ) -> Json:
        """Ask until it is answered; what is asked again with the same *key* is done once.

        :raises ServerAway: if nobody answers, or only with 429 and 5xx, time after time.
        :raises RequestRefused: if the server does not do it.
        """
        problem = ""
        for wait_s in (*WAITS_S, None):
            answer, problem = await self._attempt(method, path, params, body, key)
            if answer is not None and answer.status_code not in AGAIN:
                return _read(answer)
            if wait_s is not None:
                await self.sleep(max(wait_s, _asked_s(answer)))
        raise ServerAway(str(self.client.base_url), problem)

    async def _attempt(
        self,
        method: str,
        path: str,
        params: dict[str, str] | None,
        body: Json | None,
        key: str,
    ) -> tuple[httpx.Response | None, str]:
        headers = {"authorization": f"Bearer {self.token()}"}
        if key:
            headers["idempotency-key"] = key
        try:
            answer = await self.client.request(
                method, path, params=params, json=body, headers=headers, timeout=ATTEMPT_S
            )
        except httpx.TransportError as error:
            return None, str(error) or type(error).__name__
        return answer, f"status {answer.status_code}"

    async def _behind(self, path: str, first: Page) -> list[Json]:
        """Read the items that did not come with the playlist."""
        items: list[Json] = []
        while (offset := len(first.items) + len(items)) < first.total:
            params = {"limit": str(PAGE), "offset": str(offset)}
            more = typed(await self.ask("GET", f"{path}/items", params=params), Page).items
            if not more:
                break
            items += more
        return items


@asynccontextmanager
async def opened(data: Path, name: str | None) -> AsyncIterator[PlaylistApi]:
    """Ask the `up` that runs on *data* as the account of that name, None: as an operator.

    :raises Failure: if none runs, or there is no such account.
    """
    url = running_url(data)
    if url is None:
        fail(f"no `heartline up` runs on {data}: start it")
    token = await (_as_operator(data) if name is None else mint(data, name, ["listener"]))
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        yield PlaylistApi(client, token)


async def _as_operator(data: Path) -> Callable[[], str]:
    settings = wiring.settings(data)
    async with wiring.store(settings) as tables:
        account = await operator_account(wiring.accounts(tables))
    if account is None:
        fail("say who asks, with --as NAME")
    tokens = wiring.tokens(data, settings.secrets)
    return lambda: tokens.sign(account.listener_id, account.scopes, epoch=account.revoked.epoch)


def id_of(text: str) -> str:
    """Take a playlist's id out of its URI, or as it is."""
    head, _, last = text.strip().rpartition(":")
    if head not in {"", "heartline:playlist", "spotify:playlist"} or not last:
        fail(f"{text[:80]!r} is no playlist: say an id, or heartline:playlist:ID", 2)
    return last


def typed(told: object, as_type: type[T]) -> T:
    """Take an answer for what it should be.

    :raises NotOurs: if it is something else.
    """
    try:
        return msgspec.convert(told, as_type)
    except msgspec.ValidationError as error:
        raise NotOurs("the server", str(error)) from error


def items_of(told: Sequence[Json]) -> list[Item]:
    """Take items for what they should be."""
    return typed(told, list[Item])


def _path(playlist_id: str) -> str:
    return f"/v1/playlists/{quote(playlist_id, safe='')}"


class _Error(Struct):
    message: str = ""
    field: str | None = None


class _Refusal(Struct):
    error: _Error


def _read(answer: httpx.Response) -> Json:
    if not answer.is_success:
        try:
            error = msgspec.json.decode(answer.content, type=_Refusal).error
        except msgspec.DecodeError:
            error = _Error(answer.reason_phrase)
        raise RequestRefused(answer.status_code, error.message, error.field or "")
    try:
        return msgspec.json.decode(answer.content, type=Json)
    except msgspec.DecodeError as error:
        raise NotOurs(str(answer.url), str(error)) from error


def _asked_s(answer: httpx.Response | None) -> float:
    said = answer.headers.get("retry-after", "") if answer is not None else ""
    return min(float(said), LONGEST_WAIT_S) if said.isdecimal() else 0.0
