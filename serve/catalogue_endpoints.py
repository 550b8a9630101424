"""The endpoints that read the catalogue."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.markets import MARKETS
from serve.auth import Caller
from serve.catalogue import GROUPS, MOST_IDS, MOST_LISTED, Shelves
from serve.catalogue_bodies import (
    AlbumObject,
    Albums,
    ArtistAlbumObject,
    ArtistObject,
    Artists,
    SimpleTrackObject,
    TopTracks,
    TrackObject,
    Tracks,
)
from serve.catalogue_objects import FIRST_TRACKS
from serve.endpoints import Endpoint, Link, Parameter
from serve.paging import WINDOW, Page

ID = Parameter("id", "Its id")
IDS = Parameter(
    "ids",
    f"1 to {MOST_IDS} ids, separated by commas",
    {"type": "string", "pattern": f"^[^,]+(,[^,]+){{0,{MOST_IDS - 1}}}$"},
    required=True,
)
MARKET = Parameter(
    "market",
    "The country (ISO 3166-1 alpha-2) for which `is_playable` is told",
    {"type": "string", "enum": sorted(MARKETS)},
)
INCLUDE_GROUPS = Parameter(
    "include_groups",
    f"Some of {', '.join(GROUPS)}, separated by commas",
    {"type": "string", "pattern": f"^({'|'.join(GROUPS)})(,({'|'.join(GROUPS)}))*$"},
)

OF_MORE = f"; where there are more than {MOST_LISTED} albums or tracks, only of those with the smallest ids"


def _reading(
    path: str,
    handler: Callable[[Shelves, Request, Caller], Awaitable[Response]],
    answer: Any,
    summary: str,
    *parameters: Parameter,
    links: tuple[Link, ...] = (),
) -> Endpoint[Shelves]:
    one = "{id}" in path
    return Endpoint(
        "GET",
        path,
        handler,
        summary=summary,
        scope=None,
        parameters=(ID if one else IDS, *parameters),
        answers={200: answer, 304: None},
        errors=(404, 422) if one else (422,),
        links=links,
    )


ENDPOINTS = (
    _reading("/v1/tracks/{id}", Shelves.track, TrackObject, "A track", MARKET),
    _reading("/v1/tracks", Shelves.tracks, Tracks, "Several tracks", MARKET),
    _reading("/v1/albums/{id}", Shelves.album, AlbumObject, f"An album and its first {FIRST_TRACKS.limit} tracks", MARKET),
    _reading("/v1/albums", Shelves.albums, Albums, "Several albums", MARKET),
    _reading("/v1/albums/{id}/tracks", Shelves.album_tracks, Page[SimpleTrackObject], "The tracks of an album", MARKET, *WINDOW),
    _reading("/v1/artists/{id}", Shelves.artist, ArtistObject, "An artist"),
    _reading("/v1/artists", Shelves.artists, Artists, "Several artists"),
    _reading("/v1/artists/{id}/albums", Shelves.artist_albums, Page[ArtistAlbumObject], f"The albums of an artist, the newest first{OF_MORE}", INCLUDE_GROUPS, MARKET, *WINDOW),
    _reading("/v1/artists/{id}/top-tracks", Shelves.top_tracks, TopTracks, f"The best known tracks of an artist{OF_MORE}", MARKET),
)  # fmt: skip
