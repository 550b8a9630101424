"""``GET /v1/tracks``, ``/v1/albums``, ``/v1/artists``: the catalogue as Spotify's clients read it."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from domain.catalogue import Album, Artist, EntityKind, Track
from domain.ids import is_id
from domain.markets import MARKETS, is_offered
from serve.auth import Caller
from serve.catalogue_bodies import (
    AlbumObject,
    Albums,
    Artists,
    TopTracks,
    Tracks,
)
from serve.catalogue_joins import Entities, join, known_tracks
from serve.catalogue_objects import FIRST_TRACKS, Known, Objects
from serve.errors import ApiError, invalid
from serve.etags import tagged
from serve.inputs import base_url, query_text
from serve.paging import Window, page

MOST_IDS = 50
MOST_TOP_TRACKS = 10
MOST_LISTED = 2_000  # of an artist's lists: nobody pages through those of "Various Artists"
USUALLY_COUNTED = 100  # tracks, the most popular, whose plays are read
MOST_COUNTED = 500  # of the same popularity; more would be too many to read
FROM_TOKEN = "from_token"  # noqa: S105  # what Spotify's clients say for the market of the account
APPEARS_ON = "appears_on"
GROUPS = ("album", "single", APPEARS_ON, "compilation")  # in Spotify's order

Grouped = tuple[Album, str]  # an album, and what it is to an artist

_encode = msgspec.json.Encoder().encode


class Plays(Protocol):
    """What is read of `stores.listening.Listening`."""

    async def track_plays(self, track_ids: Sequence[str]) -> list[int]:
        """Read how often each track was played, by all listeners."""
        ...


class Shelves:
    """Answers what the catalogue has."""

    def __init__(self, entities: Entities, plays: Plays) -> None:
        self._entities, self._plays = entities, plays

    async def track(self, request: Request, _caller: Caller) -> Response:
        """Show a track."""
        market, track_id = market_of(request), _path_id(request, EntityKind.TRACK)
        known = await known_tracks(self._entities, [track_id])
        if track_id not in known.tracks:
            raise none_of(EntityKind.TRACK)
        return _answer(request, Objects(known, base_url(request), market).track(track_id))

    async def tracks(self, request: Request, _caller: Caller) -> Response:
        """Show several tracks."""
        market, ids = market_of(request), ids_of(request)
        known = await known_tracks(self._entities, _possible(ids))
        objects = Objects(known, base_url(request), market)
        shown = {track_id: objects.track(track_id) for track_id in known.tracks}
        return _answer(request, Tracks([shown.get(track_id) for track_id in ids]))

    async def album(self, request: Request, _caller: Caller) -> Response:
        """Show an album."""
        market, album_id = market_of(request), _path_id(request, EntityKind.ALBUM)
        shown = await self._albums(request, [album_id], market)
        if album_id not in shown:
            raise none_of(EntityKind.ALBUM)
        return _answer(request, shown[album_id])

    async def albums(self, request: Request, _caller: Caller) -> Response:
        """Show several albums."""
        market, ids = market_of(request), ids_of(request)
        shown = await self._albums(request, _possible(ids), market)
        return _answer(request, Albums([shown.get(album_id) for album_id in ids]))

    async def album_tracks(self, request: Request, _caller: Caller) -> Response:
        """Show a page of an album's tracks."""
        market, window = market_of(request), Window.of(request)
        album_id = _path_id(request, EntityKind.ALBUM)
        album = (await self._entities.albums([album_id])).get(album_id)
        if album is None:
            raise none_of(EntityKind.ALBUM)
        shown = await self._page(album_id, window)
        known = await join(self._entities, tracks=shown, albums=[album])
        objects = Objects(known, base_url(request), market)
        items = [objects.simple_track(track) for track in shown]
        return _answer(request, page(request.url, window, items, known.sizes[album_id]))

    async def artist(self, request: Request, _caller: Caller) -> Response:
        """Show an artist."""
        artist = await self._artist(request)
        return _answer(request, Objects(Known(), base_url(request)).artist(artist))

    async def artists(self, request: Request, _caller: Caller) -> Response:
        """Show several artists."""
        ids, objects = ids_of(request), Objects(Known(), base_url(request))
        found = await self._entities.artists(_possible(ids))
        shown = {artist.id: objects.artist(artist) for artist in found.values()}
        return _answer(request, Artists([shown.get(artist_id) for artist_id in ids]))

    async def artist_albums(self, request: Request, _caller: Caller) -> Response:
        """Show a page of an artist's albums."""
        market, window, groups = market_of(request), Window.of(request), groups_of(request)
        artist = await self._artist(request)
        grouped = [
            (album, group)
            for album, group in await self._discography(artist.id, groups)
            if market is None or is_offered(market, album.markets)
        ]
        shown = window.cut(newest_first(grouped))
        known = await join(self._entities, albums=[album for album, _ in shown])
        objects = Objects(known, base_url(request), market)
        items = [objects.artist_album(album, group) for album, group in shown]
        return _answer(request, page(request.url, window, items, len(grouped)))

    async def top_tracks(self, request: Request, _caller: Caller) -> Response:
        """Show the best known tracks of an artist."""
        market, artist = market_of(request), await self._artist(request)
        tracks = await self._entities.artist_tracks(artist.id, most=MOST_LISTED)
        best = best_known(tracks)
        known = await join(self._entities, tracks=best)
        objects = Objects(known, base_url(request), market)
        shown = [objects.track(track.id) for track in best]
        playable = [track for track in shown if track.is_playable is not False]
        plays = await self._plays.track_plays([track.id for track in playable])
        ranked = sorted(
            zip(playable, plays, strict=True), key=lambda pair: (-pair[0].popularity, -pair[1])
        )
        return _answer(request, TopTracks([track for track, _ in ranked[:MOST_TOP_TRACKS]]))

    async def _artist(self, request: Request) -> Artist:
        artist_id = _path_id(request, EntityKind.ARTIST)
        artist = (await self._entities.artists([artist_id])).get(artist_id)
        if artist is None:
            raise none_of(EntityKind.ARTIST)
        return artist

    async def _albums(
        self, request: Request, ids: Collection[str], market: str | None
    ) -> dict[str, AlbumObject]:
        found = await self._entities.albums(ids)
        lists = await asyncio.gather(*(self._page(album_id, FIRST_TRACKS) for album_id in found))
        tracks = dict(zip(found, lists, strict=True))
        known = await join(self._entities, tracks=chain.from_iterable(lists), albums=found.values())
        objects = Objects(known, base_url(request), market)
        return {album.id: objects.album(album, tracks[album.id]) for album in found.values()}

    async def _page(self, album_id: str, window: Window) -> Sequence[Track]:
        return await self._entities.album_page(album_id, skip=window.offset, most=window.limit)

    async def _discography(self, artist_id: str, groups: Collection[str]) -> list[Grouped]:
        own = await self._entities.artist_albums(artist_id, most=MOST_LISTED)
        grouped: list[Grouped] = [(album, str(album.type)) for album in own]
        if APPEARS_ON in groups:
            tracks = await self._entities.artist_tracks(artist_id, most=MOST_LISTED)
            others = {track.album for track in tracks if track.album} - {album.id for album in own}
            found = await self._entities.albums(others)
            grouped += [(album, APPEARS_ON) for album in found.values()]
        return [(album, group) for album, group in grouped if group in groups]


def best_known(tracks: Collection[Track]) -> list[Track]:
    """Take the hundred most popular and, of those as popular as the last, up to 500 in all."""
    ordered = sorted(tracks, key=lambda track: -track.popularity)[:MOST_COUNTED]
    least = ordered[:USUALLY_COUNTED][-1].popularity if ordered else 0
    return [track for track in ordered if track.popularity >= least]


def newest_first(grouped: Iterable[Grouped]) -> list[Grouped]:
    """Order albums by group, and the newest of each first."""
    by_name = sorted(grouped, key=lambda pair: (pair[0].name, pair[0].id))
    by_date = sorted(by_name, key=lambda pair: pair[0].released, reverse=True)
    return sorted(by_date, key=lambda pair: GROUPS.index(pair[1]))


def market_of(request: Request) -> str | None:
    """Take the market that a client asks for; None: it does not, or means the account's.

    :raises ApiError: 422, if there is no such country.
    """
    said = query_text(request, "market")
    if said is None:
        said = query_text(request, "country")  # its older name
    if said is None or said == FROM_TOKEN:
        return None
    if said.upper() not in MARKETS:
        raise invalid("market", "wants a country code of two letters (ISO 3166-1 alpha-2)")
    return said.upper()


def ids_of(request: Request) -> list[str]:
    """Take several ids, separated by commas.

    :raises ApiError: 422, if there are none, or too many.
    """
    ids = (query_text(request, "ids") or "").split(",")
    if not all(ids) or len(ids) > MOST_IDS:
        raise invalid("ids", f"wants 1 to {MOST_IDS} ids, separated by commas")
    return ids


def groups_of(request: Request) -> Collection[str]:
    """Take which albums of an artist are asked for; usually all.

    :raises ApiError: 422, if there is no such group.
    """
    said = query_text(request, "include_groups")
    groups = GROUPS if said is None else said.split(",")
    if not set(groups) <= set(GROUPS):
        raise invalid("include_groups", f"wants some of {', '.join(GROUPS)}, separated by commas")
    return groups


def none_of(kind: EntityKind) -> ApiError:
    """Tell that there is no such entity: 404."""
    return ApiError(404, f"there is no such {kind}", "not_found")


def _path_id(request: Request, kind: EntityKind) -> str:
    entity_id: str = request.path_params["id"]
    if not is_id(entity_id):
        raise none_of(kind)
    return entity_id


def _possible(ids: Iterable[str]) -> set[str]:
    return set(filter(is_id, ids))


def _answer(request: Request, shown: object) -> Response:
    return tagged(request, _encode(shown))
