"""``GET /v1/search`` and ``GET /v1/suggest``: the engine proposes, the domain orders, the store tells."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from domain.catalogue import EntityKind
from domain.errors import Unavailable
from domain.lookups import is_forgiven, longest
from domain.marks import marks
from domain.queries import QUERY_CHARACTERS, QUERY_WORDS, parse
from domain.ranking import Ranked, Taste, Weights, once_each, order, order_begun
from domain.search import Query, SearchIndex
from domain.spelling import did_you_mean
from domain.words import words
from serve.auth import Caller
from serve.catalogue import market_of
from serve.catalogue_joins import Entities, join
from serve.catalogue_objects import Objects, uri
from serve.endpoints import JSON
from serve.errors import ApiError, invalid
from serve.inputs import base_url, query_number, query_text
from serve.paging import LIMITS, Window, page
from serve.search_bodies import Found, Suggestion, Suggestions
from serve.search_metrics import SearchMetrics

PLAYLIST = "playlist"
TYPES = (*EntityKind, PLAYLIST)
OFFSETS = range(1_001)
CANDIDATES = 101  # of each type; so many are ordered, to show a hundred and whether more follow
DEEP = OFFSETS[-1] + LIMITS[-1]  # for pages farther down
SIMILAR = 10  # known words, for one that finds nothing
SUGGESTED, USUALLY_SUGGESTED = range(1, 21), 10
COMPLETIONS = 20  # of each type, for the order to choose from

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class _Asked:
    """A search as it came."""

    text: str
    types: Collection[str]
    window: Window
    market: str | None

    @property
    def kinds(self) -> list[EntityKind]:
        """What the engine has of the types."""
        return [kind for kind in EntityKind if kind in self.types]

    @property
    def depth(self) -> int:
        """How many candidates of each kind are ordered; pages behind the first hundred are of a longer order."""
        return CANDIDATES if sum(self.window) < CANDIDATES else DEEP


class Search:
    """Answers what is searched for."""

    def __init__(
        self,
        index: SearchIndex,
        entities: Entities,
        taste_of: Callable[[str], Awaitable[Taste]],
        *,
        now_ms: Callable[[], int],
        weights: Weights | None = None,
        metrics: SearchMetrics | None = None,
    ) -> None:
        self._index, self._entities, self._taste_of = index, entities, taste_of
        self._weights, self._now_ms = weights or Weights(), now_ms
        self._metrics = metrics or SearchMetrics()

    async def search(self, request: Request, caller: Caller) -> Response:
        """Show a page of each type."""
        asked = _asked(request)
        query = parse(asked.text)
        ranked = await self._ranked(query, asked, caller)
        found = await self._found(request, asked, ranked)
        if not ranked:
            found["did_you_mean"] = await self._meant(query)
        return _answer(Found(**found))

    async def suggest(self, request: Request, caller: Caller) -> Response:
        """Show names that begin as what was typed."""
        text, limit = _suggested(request)
        typed = words(text[:QUERY_CHARACTERS])[-QUERY_WORDS:]
        with self._metrics.asking("suggest"):
            candidates = await self._index.complete(typed, list(EntityKind), limit=COMPLETIONS)
        ranked = order_begun(
            typed,
            candidates,
            weights=self._weights,
            taste=await self._taste_of(caller.listener_id),
            now_ms=self._now_ms(),
        )
        shown = [
            Suggestion(
                type=one.entry.kind,
                id=one.entry.id,
                name=one.entry.name,
                artists=list(one.entry.artists),
                uri=uri(one.entry.kind, one.entry.id),
                marks=marks(one.entry.name, typed),
            )
            for one in islice(once_each(ranked), limit)
        ]
        return _answer(Suggestions(shown))

    async def _ranked(self, query: Query, asked: _Asked, caller: Caller) -> Sequence[Ranked]:
        now_ms, taste = self._now_ms(), await self._taste_of(caller.listener_id)
        with self._metrics.asking("search"):
            candidates = await self._index.propose(
                query, asked.kinds, now_ms=now_ms, limit=asked.depth
            )
        return order(query, candidates, weights=self._weights, taste=taste, now_ms=now_ms)

    async def _found(
        self, request: Request, asked: _Asked, ranked: Sequence[Ranked]
    ) -> dict[str, Any]:
        """Read what a page shows; what went from the catalogue a moment ago is left out."""
        ids = {
            kind: [one.entry.id for one in ranked if one.entry.kind is kind] for kind in EntityKind
        }
        shown = {kind: asked.window.cut(ids[kind]) for kind in EntityKind}
        tracks, albums, artists = await asyncio.gather(
            self._entities.tracks(shown[EntityKind.TRACK]),
            self._entities.albums(shown[EntityKind.ALBUM]),
            self._entities.artists(shown[EntityKind.ARTIST]),
        )
        known = await join(self._entities, tracks=tracks.values(), albums=albums.values())
        objects = Objects(known, base_url(request), asked.market)
        makers: Mapping[EntityKind, tuple[Mapping[str, Any], Callable[[Any], Any]]] = {
            EntityKind.TRACK: (tracks, lambda track: objects.track(track.id)),
            EntityKind.ALBUM: (albums, objects.simple_album),
            EntityKind.ARTIST: (artists, objects.artist),
        }
        pages: dict[str, Any] = {}
        for kind in asked.kinds:
            there, make = makers[kind]
            items = [make(there[each]) for each in shown[kind] if each in there]
            pages[f"{kind}s"] = page(
                request.url, asked.window, items, len(ids[kind]), furthest=OFFSETS[-1]
            )
        if PLAYLIST in asked.types:
            pages["playlists"] = page(request.url, asked.window, [], 0)
        return pages

    async def _meant(self, query: Query) -> str | None:
        """Guess; nothing, if the engine is away by now: the answer does not need it."""
        forgiven = longest(filter(is_forgiven, query.words))
        asked = [word for word in query.words if word in forgiven]
        try:
            found = await asyncio.gather(
                *(self._index.similar_words(word, limit=SIMILAR) for word in asked)
            )
        except Unavailable:
            return None
        similar = dict(zip(asked, found, strict=True))
        return did_you_mean(query.words, [similar.get(word, ()) for word in query.words])


def _asked(request: Request) -> _Asked:
    """Take what is searched for.

    :raises ApiError: 400, naming the parameter that is wrong.
    """
    try:
        return _Asked(
            text=_text(request),
            types=_types(request),
            window=Window.of(request, offsets=OFFSETS),
            market=market_of(request),
        )
    except ApiError as error:
        raise _as_400(error) from error


def _suggested(request: Request) -> tuple[str, int]:
    try:
        limit = query_number(request, "limit", default=USUALLY_SUGGESTED, bounds=SUGGESTED)
        return _text(request), limit
    except ApiError as error:
        raise _as_400(error) from error


def _as_400(error: ApiError) -> ApiError:
    """Refuse as Spotify's search does, where others say 422."""
    return ApiError(400, error.message, error.reason, field=error.field)


def _text(request: Request) -> str:
    text = query_text(request, "q")
    if text is None or not text.strip():
        raise invalid("q", "wants what is searched for")
    return text


def _types(request: Request) -> Collection[str]:
    said = query_text(request, "type")
    types = list(EntityKind) if said is None else [each.strip() for each in said.split(",")]
    if not set(types) <= set(TYPES):
        raise invalid("type", f"wants some of {', '.join(TYPES)}, separated by commas")
    return types


def _answer(document: object) -> Response:
    return Response(_encode(document), media_type=JSON)
