"""What is wrong with an artist, an album or a track that somebody wrote: the field, and what it wants.

The decoder's limits check most; here is what they cannot. Whether the artists and the album that an
item names are there, and whether its ISRC is free, is asked of the store.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from domain.catalogue import Album, AlbumType, Artist, Entity, EntityKind, Image, Track
from domain.catalogue_items import (
    GENRE_BYTES,
    LABEL_BYTES,
    MOST_ARTISTS,
    MOST_DISCS,
    MOST_DURATION_MS,
    MOST_GENRES,
    MOST_IMAGES,
    MOST_PIXELS,
    MOST_POPULARITY,
    MOST_TRACKS,
    NAME_BYTES,
    URL_BYTES,
    AlbumItem,
    ArtistItem,
    ImageItem,
    Item,
    TrackItem,
)
from domain.heartbeats import Refusal
from domain.ids import ID_BYTES, is_text
from domain.markets import MARKETS, shared
from domain.recording_codes import is_barcode, isrc_of
from domain.release_dates import is_release_date

INVALID, UNKNOWN, TAKEN = "invalid", "unknown", "taken"  # the reasons
REQUIRED = ("id", "name", "artists")
ITEMS: Mapping[EntityKind, type[Item]] = {
    EntityKind.ARTIST: ArtistItem,
    EntityKind.ALBUM: AlbumItem,
    EntityKind.TRACK: TrackItem,
}

_TEXT = "text of {} to {} bytes without control characters"
_ID = f"1 to {ID_BYTES} letters and digits (base-62)"
NEEDS = {  # in the order in which an item's fields are blamed
    "id": _ID,
    "name": _TEXT.format(1, NAME_BYTES),
    "artists": f"1 to {MOST_ARTISTS} different ids of artists, the main one first",
    "album": f"an album's id: {_ID}",
    "album_type": f"one of {', '.join(AlbumType)}",
    "release_date": "YYYY, YYYY-MM or YYYY-MM-DD, in the calendar",
    "upc": "a UPC or an EAN of 8, 12, 13 or 14 digits, the last of which is the check digit",
    "label": _TEXT.format(0, LABEL_BYTES),
    "duration_ms": f"an integer from 1 to {MOST_DURATION_MS}",
    "disc_number": f"an integer from 1 to {MOST_DISCS}",
    "track_number": f"an integer from 1 to {MOST_TRACKS}",
    "explicit": "true or false",
    "isrc": "an ISRC of 12 characters (ISO 3901), like USRC17607839",
    "genres": f"up to {MOST_GENRES} texts of 1 to {GENRE_BYTES} bytes without control characters",
    "images": f"up to {MOST_IMAGES} objects: a url of http or https of up to {URL_BYTES} bytes,"
    f" and, if they are known, width and height of 1 to {MOST_PIXELS} pixels",
    "popularity": f"an integer from 0 to {MOST_POPULARITY}",
    "available_markets": "different country codes of two capital letters (ISO 3166-1 alpha-2)",
}

NOT_AN_OBJECT = Refusal("", INVALID, "an item must be an object")

_BASE62 = re.compile(rf"[0-9A-Za-z]{{1,{ID_BYTES}}}")
_URL = re.compile(r"https?://[\x21-\x7e]+")


def is_catalogue_id(text: str) -> bool:
    """Whether *text* can name an artist, an album or a track of the catalogue."""
    return _BASE62.fullmatch(text) is not None


def wrong(field: str) -> Refusal:
    """Refuse an item for the value of *field*."""
    return Refusal(field, INVALID, f"{field} must be {NEEDS[field]}")


def missing(field: str) -> Refusal:
    """Refuse an item that lacks *field*."""
    return Refusal(field, INVALID, f"{field} is required")


def unknown(field: str, entity_id: str) -> Refusal:
    """Refuse an item that names somebody who is not there."""
    return Refusal(field, UNKNOWN, f"{field}: there is no {entity_id}")


def taken(isrc: str, track_id: str) -> Refusal:
    """Refuse a track whose recording another track has."""
    return Refusal("isrc", TAKEN, f"isrc: {isrc} is that of the track {track_id}")


def judge(kind: EntityKind, fields: object) -> Entity | Refusal:
    """Take one item as its fields, or refuse it for the first of `NEEDS` that it does not meet."""
    try:
        item = msgspec.convert(fields, ITEMS[kind])
    except (ValueError, RecursionError):
        return _blame(kind, fields)
    return judge_item(item)


def judge_item(item: Item) -> Entity | Refusal:
    """Take one decoded item, or refuse it for the first of `NEEDS` that it does not meet."""
    for field in NEEDS:
        value = getattr(item, field, None)
        if value is None:
            if field == "id":
                return missing(field)
        elif field in _HOLDS and not _HOLDS[field](value):
            return wrong(field)
    match item:
        case ArtistItem():
            return _artist(item)
        case AlbumItem():
            return _album(item)
        case TrackItem():
            return _track(item)


def _blame(kind: EntityKind, fields: object) -> Refusal:
    if not isinstance(fields, Mapping):
        return NOT_AN_OBJECT
    types = {field.name: field.type for field in msgspec.structs.fields(ITEMS[kind])}
    for field in NEEDS:
        value = fields.get(field)
        if field not in types:
            continue
        if value is None and field in REQUIRED:
            return missing(field)
        if value is not None and not _converts(value, types[field]):
            return wrong(field)
    name = next(str(name) for name in fields if name not in types)
    message = f"there is no such field; of {kind}s there are {', '.join(types)}"
    return Refusal(name[:ID_BYTES], INVALID, message)


def _converts(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except (ValueError, RecursionError):
        return False
    return True


def _is_name(text: str) -> bool:
    return _is_said(text, NAME_BYTES)


def _is_said(text: str, most_bytes: int) -> bool:
    return bool(text.strip()) and is_text(text, most_bytes)


def _are_artists(ids: Sequence[str]) -> bool:
    return len(set(ids)) == len(ids) and all(map(is_catalogue_id, ids))


def _are_genres(genres: Sequence[str]) -> bool:
    return all(_is_said(genre, GENRE_BYTES) for genre in genres)


def _are_images(images: Sequence[ImageItem]) -> bool:
    return all(len(one.url) <= URL_BYTES and _URL.fullmatch(one.url) for one in images)


def _are_markets(codes: Sequence[str]) -> bool:
    return len(set(codes)) == len(codes) and MARKETS.keys() >= set(codes)


_HOLDS: Mapping[str, Callable[[Any], bool]] = {
    "id": is_catalogue_id,
    "name": _is_name,
    "artists": _are_artists,
    "album": is_catalogue_id,
    "release_date": is_release_date,
    "upc": is_barcode,
    "label": lambda text: is_text(text, LABEL_BYTES),
    "isrc": lambda text: isrc_of(text) is not None,
    "genres": _are_genres,
    "images": _are_images,
    "available_markets": _are_markets,
}


def _artist(item: ArtistItem) -> Artist:
    return Artist(
        item.id or "",
        item.name,
        genres=item.genres or (),
        images=_images(item.images),
        popularity=item.popularity or 0,
    )


def _album(item: AlbumItem) -> Album:
    return Album(
        item.id or "",
        item.name,
        item.artists,
        type=item.album_type or AlbumType.ALBUM,
        released=item.release_date or "",
        upc=item.upc or "",
        label=item.label or "",
        genres=item.genres or (),
        images=_images(item.images),
        popularity=item.popularity or 0,
        markets=_markets(item.available_markets),
    )


def _track(item: TrackItem) -> Track:
    return Track(
        item.id or "",
        item.name,
        item.artists,
        album=item.album or "",
        duration_ms=item.duration_ms or 0,
        disc_number=item.disc_number or 1,
        track_number=item.track_number or 0,
        is_explicit=item.explicit or False,
        isrc=isrc_of(item.isrc or "") or "",
        genres=item.genres or (),
        popularity=item.popularity or 0,
        markets=_markets(item.available_markets),
    )


def _images(items: Sequence[ImageItem] | None) -> tuple[Image, ...]:
    return tuple(Image(one.url, one.width, one.height) for one in items or ())


def _markets(codes: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if codes is None else shared(codes)
