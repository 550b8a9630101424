"""Spotify's artist, album and track objects, as far as Heartline knows what to put into them.

A field that is left out stands for something that was not asked for or that does not restrict:
``is_playable`` and ``restrictions`` come with a ``market``, ``available_markets`` where there are any.
"""

from msgspec import UNSET, Struct, UnsetType

from domain.catalogue import AlbumType
from domain.release_dates import Precision
from serve.account_bodies import ExternalUrls
from serve.paging import Page


class ImageObject(Struct, frozen=True):
    """A picture, and its size in pixels if it is known."""

    url: str
    width: int | None
    height: int | None


class Followers(Struct, frozen=True):
    """How many follow an artist: nobody can, yet."""

    href: str | None = None
    total: int = 0


class ExternalIds(Struct, frozen=True, omit_defaults=True):
    """What recordings and releases are traded under, where it is known."""

    isrc: str = ""
    upc: str = ""


class Restrictions(Struct, frozen=True):
    """Why something cannot be played: ``market``."""

    reason: str = "market"


class SimpleArtistObject(Struct, frozen=True, kw_only=True):
    """An artist, where something else is shown."""

    external_urls: ExternalUrls = ExternalUrls()
    href: str
    id: str
    name: str
    type: str = "artist"
    uri: str


class ArtistObject(SimpleArtistObject, frozen=True, kw_only=True):
    """An artist."""

    followers: Followers = Followers()
    genres: list[str]
    images: list[ImageObject]
    popularity: int


class SimpleAlbumObject(Struct, frozen=True, kw_only=True):
    """An album, where something else is shown.

    That of a track that is on none known has no id; a date that is not known is the year 0000.
    """

    album_type: AlbumType
    artists: list[SimpleArtistObject]
    available_markets: list[str] | UnsetType = UNSET
    external_urls: ExternalUrls = ExternalUrls()
    href: str | None
    id: str | None
    images: list[ImageObject]
    is_playable: bool | UnsetType = UNSET
    name: str
    release_date: str
    release_date_precision: Precision
    restrictions: Restrictions | UnsetType = UNSET
    total_tracks: int
    type: str = "album"
    uri: str | None


class ArtistAlbumObject(SimpleAlbumObject, frozen=True, kw_only=True):
    """An album of an artist, and what it is to the artist: its type, or ``appears_on``."""

    album_group: str


class SimpleTrackObject(Struct, frozen=True, kw_only=True):
    """A track, where its album is shown."""

    artists: list[SimpleArtistObject]
    available_markets: list[str] | UnsetType = UNSET
    disc_number: int
    duration_ms: int
    explicit: bool
    external_urls: ExternalUrls = ExternalUrls()
    href: str
    id: str
    is_local: bool = False
    is_playable: bool | UnsetType = UNSET
    name: str
    preview_url: str | None = None
    restrictions: Restrictions | UnsetType = UNSET
    track_number: int
    type: str = "track"
    uri: str


class TrackObject(SimpleTrackObject, frozen=True, kw_only=True):
    """A track; its name is its id where the catalogue does not know it."""

    album: SimpleAlbumObject
    external_ids: ExternalIds
    popularity: int


class Copyright(Struct, frozen=True):
    """A copyright statement: ``C`` of the work, ``P`` of the recording."""

    text: str
    type: str


class AlbumObject(SimpleAlbumObject, frozen=True, kw_only=True):
    """An album, and the first page of its tracks."""

    copyrights: list[Copyright] = []
    external_ids: ExternalIds
    genres: list[str]
    label: str
    popularity: int
    tracks: Page[SimpleTrackObject]


class Tracks(Struct, frozen=True):
    """Tracks in the order of the ids that were asked for, null where there is none."""

    tracks: list[TrackObject | None]


class Albums(Struct, frozen=True):
    """Albums in the order of the ids that were asked for, null where there is none."""

    albums: list[AlbumObject | None]


class Artists(Struct, frozen=True):
    """Artists in the order of the ids that were asked for, null where there is none."""

    artists: list[ArtistObject | None]


class TopTracks(Struct, frozen=True):
    """The best known tracks of an artist, the best known first."""

    tracks: list[TrackObject]
