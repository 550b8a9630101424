"""A small stand-in for the catalogue and the search behind the page: the API's shapes, in memory.

It suggests what has a word that begins as the query does, and finds what has every word of it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Entity = dict[str, Any]
Endpoint = Callable[[Request], Awaitable[Response]]


def artist(entity_id: str, name: str, genres: Sequence[str] = ()) -> Entity:
    """Make an artist."""
    shown = {"id": entity_id, "name": name, "type": "artist", "genres": list(genres)}
    return shown | {"uri": f"heartline:artist:{entity_id}"}


def album(entity_id: str, name: str, by: Sequence[Entity], released: str) -> Entity:
    """Make an album; its tracks are those that name it."""
    shown = {"id": entity_id, "name": name, "type": "album", "album_type": "album"}
    return shown | {"artists": list(by), "release_date": released, "label": "Stand-in"}


def track(entity_id: str, name: str, by: Sequence[Entity], on: Entity, number: int = 1) -> Entity:
    """Make a track of the album *on*."""
    shown = {"id": entity_id, "name": name, "type": "track", "artists": list(by), "album": on}
    return shown | {"track_number": number, "disc_number": 1, "duration_ms": 200_000 + number}


@dataclass
class Shelf:
    """What there is, and the switches that a test may turn."""

    entities: list[Entity] = field(default_factory=list)
    meant: dict[str, str] = field(default_factory=dict)
    away_s: int | None = None

    def of(self, kind: str, **having: str) -> list[Entity]:
        """Tell the entities of *kind* that name the album or artist of *having*."""
        return [one for one in self.entities if one["type"] == kind and _has(one, having)]

    def get(self, kind: str, entity_id: str) -> Entity | None:
        """Tell one entity."""
        return next((one for one in self.of(kind) if one["id"] == entity_id), None)


@dataclass(frozen=True)
class CatalogueApi:
    """The endpoints that the page asks, answered from the shelf."""

    shelf: Shelf

    async def suggest(self, request: Request) -> Response:
        """Suggest what has a word that begins as the query does."""
        if self.shelf.away_s is not None:
            return self._away()
        typed = request.query_params["q"].casefold()
        suggestions = [_suggestion(one, typed) for one in self.shelf.entities]
        return JSONResponse({"suggestions": [one for one in suggestions if one]})

    async def search(self, request: Request) -> Response:
        """Find what has all words of the query, or tell what may be meant."""
        if self.shelf.away_s is not None:
            return self._away()
        asked = request.query_params
        words = asked["q"].casefold().split()
        found = [one for one in self.shelf.entities if all(word in _text(one) for word in words)]
        answer: Entity = {
            f"{kind}s": _page([one for one in found if one["type"] == kind], request)
            for kind in asked["type"].split(",")
        }
        return JSONResponse(answer | {"did_you_mean": self.shelf.meant.get(asked["q"])})

    async def entity(self, request: Request) -> Response:
        """Show one entity."""
        found = self.shelf.get(request.path_params["kind"], request.path_params["id"])
        return JSONResponse(found) if found else _not_found()

    async def album_tracks(self, request: Request) -> Response:
        """Show a page of an album's tracks."""
        return JSONResponse(_page(self.shelf.of("track", album=request.path_params["id"]), request))

    async def artist_albums(self, request: Request) -> Response:
        """Show a page of an artist's albums."""
        albums = self.shelf.of("album", artist=request.path_params["id"])
        return JSONResponse(_page(albums, request))

    async def top_tracks(self, request: Request) -> Response:
        """Show an artist's tracks."""
        tracks = self.shelf.of("track", artist=request.path_params["id"])
        return JSONResponse({"tracks": tracks[:10]})

    def routes(self, closed: Callable[[Endpoint], Endpoint]) -> list[Route]:
        """Routes of the catalogue and the search; *closed* looks who asks."""
        one = "/v1/{kind:str}s/{id}"
        return [
            Route("/v1/suggest", closed(self.suggest)),
            Route("/v1/search", closed(self.search)),
            Route("/v1/albums/{id}/tracks", closed(self.album_tracks)),
            Route("/v1/artists/{id}/albums", closed(self.artist_albums)),
            Route("/v1/artists/{id}/top-tracks", closed(self.top_tracks)),
            Route(one, closed(self.entity)),
        ]

    def _away(self) -> Response:
        return _error(503, "the search is away", {"Retry-After": str(self.shelf.away_s)})


def _has(entity: Entity, having: dict[str, str]) -> bool:
    return all(
        entity["album"]["id"] == wanted
        if kind == "album"
        else wanted in [one["id"] for one in entity["artists"]]
        for kind, wanted in having.items()
    )


def _suggestion(entity: Entity, typed: str) -> Entity | None:
    words = f" {entity['name']}".casefold()
    begin = words.find(f" {typed}")
    if begin < 0:
        return None
    shown = {key: entity[key] for key in ("type", "id", "name")}
    artists = [one["name"] for one in entity.get("artists", [])]
    return shown | {"artists": artists, "uri": "", "marks": [[begin, begin + len(typed)]]}


def _text(entity: Entity) -> str:
    names = [one["name"] for one in entity.get("artists", [])]
    return " ".join([entity["name"], *names]).casefold()


def _page(entities: Sequence[Entity], request: Request) -> Entity:
    limit, offset = (int(request.query_params.get(name, "0")) for name in ("limit", "offset"))
    items, total = entities[offset : offset + limit], len(entities)
    following = str(request.url) if offset + limit < total else None
    return {"items": items, "limit": limit, "offset": offset, "total": total, "next": following}


def _not_found() -> Response:
    return _error(404, "there is no such entity")


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"status": status, "message": message}}, status, headers)
