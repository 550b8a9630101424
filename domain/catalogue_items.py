"""Artists, albums and tracks as labels and other catalogues write them, and why one is refused.

The names of the fields are Spotify's where that has them. Null is as good as missing; a name that has
no meaning is refused, since a misspelt one would lose what it says.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from domain.catalogue import AlbumType
from domain.ids import ID_BYTES
from domain.markets import MARKETS
from domain.recording_codes import BARCODE_DIGITS
from domain.units import DAY_MS

NAME_BYTES = 1_024
LABEL_BYTES = 512
GENRE_BYTES = 64
URL_BYTES = 2_048
MOST_ARTISTS = 64
MOST_GENRES = 32
MOST_IMAGES = 16
MOST_PIXELS = 65_535
MOST_POPULARITY = 100
MOST_DISCS = 1_000
MOST_TRACKS = 10_000
MOST_DURATION_MS = 7 * DAY_MS


def _said(**schema: Any) -> Meta:
    return Meta(extra_json_schema=schema)


# The document can say little of what is asked for: `domain.catalogue_faults` is the whole of it.
Id = Annotated[str, _said(pattern=f"^[0-9A-Za-z]{{1,{ID_BYTES}}}$")]
Name = Annotated[str, _said(minLength=1, maxLength=NAME_BYTES, format="title")]
Artists = Annotated[
    tuple[Id, ...], Meta(min_length=1, max_length=MOST_ARTISTS), _said(uniqueItems=True)
]
Genre = Annotated[str, _said(minLength=1, maxLength=GENRE_BYTES, format="title")]
Genres = Annotated[tuple[Genre, ...], Meta(max_length=MOST_GENRES)]
Popularity = Annotated[int, Meta(ge=0, le=MOST_POPULARITY)]
Market = Annotated[str, _said(enum=sorted(MARKETS))]
Markets = Annotated[tuple[Market, ...], Meta(max_length=len(MARKETS)), _said(uniqueItems=True)]
Pixels = Annotated[int, Meta(ge=1, le=MOST_PIXELS)]
Barcode = Annotated[str, _said(pattern=f"^[0-9]{{{BARCODE_DIGITS[0]},{BARCODE_DIGITS[-1]}}}$")]
Isrc = Annotated[str, _said(pattern="^[A-Z]{2}-?[A-Z0-9]{3}-?[0-9]{2}-?[0-9]{5}$")]
ReleaseDate = Annotated[str, _said(pattern="^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$")]
Url = Annotated[str, _said(pattern="^https?://[!-~]+$", maxLength=URL_BYTES)]


class ImageItem(Struct, frozen=True, forbid_unknown_fields=True):
    """A picture, and its size in pixels."""

    url: Url
    width: Pixels | None = None
    height: Pixels | None = None


Images = Annotated[tuple[ImageItem, ...], Meta(max_length=MOST_IMAGES)]


class ArtistItem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who makes music."""

    id: Id | None = None
    name: Name
    genres: Genres | None = None
    images: Images | None = None
    popularity: Popularity | None = None


class AlbumItem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was released together; ``artists`` are ids, the main one first."""

    id: Id | None = None
    name: Name
    artists: Artists
    album_type: AlbumType | None = None
    release_date: ReleaseDate | None = None
    upc: Barcode | None = None
    label: Annotated[str, _said(maxLength=LABEL_BYTES, format="title")] | None = None
    genres: Genres | None = None
    images: Images | None = None
    popularity: Popularity | None = None
    available_markets: Markets | None = None


class TrackItem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recording; ``album`` is an id, and so are ``artists``, the main one first."""

    id: Id | None = None
    name: Name
    artists: Artists
    album: Id | None = None
    duration_ms: Annotated[int, Meta(ge=1, le=MOST_DURATION_MS)] | None = None
    disc_number: Annotated[int, Meta(ge=1, le=MOST_DISCS)] | None = None
    track_number: Annotated[int, Meta(ge=1, le=MOST_TRACKS)] | None = None
    explicit: bool | None = None
    isrc: Isrc | None = None
    genres: Genres | None = None
    popularity: Popularity | None = None
    available_markets: Markets | None = None


Item = ArtistItem | AlbumItem | TrackItem
