"""What the catalogue knows: artists, albums and tracks, as they are changed and stored.

Albums and tracks name artists by id, and tracks their album: names are put in when something is shown.
"""

from enum import StrEnum
from typing import ClassVar

from msgspec import Struct


class EntityKind(StrEnum):
    """What an entity is, in the words of URIs and of the search's types."""

    ARTIST = "artist"
    ALBUM = "album"
    TRACK = "track"


class AlbumType(StrEnum):
    """What an album is sold as."""

    ALBUM = "album"
    SINGLE = "single"
    COMPILATION = "compilation"


class Image(Struct, frozen=True, omit_defaults=True):
    """A picture; its size in pixels, None: not known."""

    url: str
    width: int | None = None
    height: int | None = None


class Artist(Struct, frozen=True, omit_defaults=True, tag_field="entity", tag="artist"):
    """Somebody who makes music. *popularity* is 0 to 100, as labels and other catalogues tell it."""

    kind: ClassVar = EntityKind.ARTIST

    id: str
    name: str
    genres: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()
    popularity: int = 0


class Album(Struct, frozen=True, omit_defaults=True, tag_field="entity", tag="album"):
    """What was released together."""

    kind: ClassVar = EntityKind.ALBUM

    id: str
    name: str
    artists: tuple[str, ...]  # ids, the main one first
    type: AlbumType = AlbumType.ALBUM
    released: str = ""  # YYYY, YYYY-MM or YYYY-MM-DD; "": not known
    upc: str = ""
    label: str = ""
    genres: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()
    popularity: int = 0
    markets: tuple[str, ...] | None = None  # ISO 3166-1 alpha-2; None: everywhere


class Track(Struct, frozen=True, omit_defaults=True, tag_field="entity", tag="track"):
    """A recording on an album. "" and 0 mean that it is not known."""

    kind: ClassVar = EntityKind.TRACK

    id: str
    name: str
    artists: tuple[str, ...] = ()  # ids, the main one first
    album: str = ""  # an id
    duration_ms: int = 0
    disc_number: int = 1
    track_number: int = 0
    is_explicit: bool = False
    isrc: str = ""
    genres: tuple[str, ...] = ()
    popularity: int = 0
    markets: tuple[str, ...] | None = None


class Removed(Struct, frozen=True, tag_field="entity", tag="removed"):
    """An entity that is no longer there."""

    kind: EntityKind
    id: str


Entity = Artist | Album | Track
Change = Artist | Album | Track | Removed  # the whole of what is now, never a difference
