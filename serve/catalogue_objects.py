"""Entities of the catalogue made into Spotify's objects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from msgspec import UNSET, UnsetType
from starlette.datastructures import URL

from domain.catalogue import Album, AlbumType, Artist, EntityKind, Image, Track
from domain.markets import is_offered
from domain.release_dates import precision
from serve.catalogue_bodies import (
    AlbumObject,
    ArtistAlbumObject,
    ArtistObject,
    ExternalIds,
    ImageObject,
    Restrictions,
    SimpleAlbumObject,
    SimpleArtistObject,
    SimpleTrackObject,
    TrackObject,
)
from serve.paging import LIMITS, Window, page

FIRST_TRACKS = Window(LIMITS[-1], 0)  # of an album, that come with it
NO_DATE = "0000"  # as Spotify writes it


@dataclass(frozen=True, slots=True)
class Known:
    """Entities by their ids, with those that they name, and how many tracks an album has."""

    tracks: Mapping[str, Track] = field(default_factory=dict)
    albums: Mapping[str, Album] = field(default_factory=dict)
    artists: Mapping[str, Artist] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Objects:
    """Makes objects of what is known, for a client that used the URL *base*, and asks for a *market*."""

    known: Known
    base: str
    market: str | None = None

    def artist(self, artist: Artist) -> ArtistObject:
        """Show an artist."""
        return ArtistObject(
            genres=list(artist.genres),
            href=self._href(EntityKind.ARTIST, artist.id),
            id=artist.id,
            images=_images(artist.images),
            name=artist.name,
            popularity=artist.popularity,
            uri=uri(EntityKind.ARTIST, artist.id),
        )

    def track(self, track_id: str) -> TrackObject:
        """Show a track, with its id for a name if it is not known."""
        track = self.known.tracks.get(track_id) or Track(track_id, track_id)
        album = self.known.albums.get(track.album)
        return TrackObject(
            **self._of_track(track),
            album=self._no_album(track) if album is None else self.simple_album(album),
            external_ids=ExternalIds(isrc=track.isrc),
            popularity=track.popularity,
        )

    def simple_track(self, track: Track) -> SimpleTrackObject:
        """Show a track without its album."""
        return SimpleTrackObject(**self._of_track(track))

    def album(self, album: Album, tracks: Sequence[Track]) -> AlbumObject:
        """Show an album with its first *tracks*."""
        url = URL(f"{self._href(EntityKind.ALBUM, album.id)}/tracks")
        if self.market:
            url = url.include_query_params(market=self.market)
        shown = [self.simple_track(track) for track in tracks]
        return AlbumObject(
            **self._of_album(album),
            external_ids=ExternalIds(upc=album.upc),
            genres=list(album.genres),
            label=album.label,
            popularity=album.popularity,
            tracks=page(url, FIRST_TRACKS, shown, self.known.sizes.get(album.id, 0)),
        )

    def simple_album(self, album: Album) -> SimpleAlbumObject:
        """Show an album without its tracks."""
        return SimpleAlbumObject(**self._of_album(album))

    def artist_album(self, album: Album, group: str) -> ArtistAlbumObject:
        """Show an album of an artist."""
        return ArtistAlbumObject(**self._of_album(album), album_group=group)

    def _of_track(self, track: Track) -> dict[str, Any]:
        album = self.known.albums.get(track.album)
        return {
            "artists": self._artists(track.artists),
            "disc_number": track.disc_number,
            "duration_ms": track.duration_ms,
            "explicit": track.is_explicit,
            "href": self._href(EntityKind.TRACK, track.id),
            "id": track.id,
            "name": track.name,
            "track_number": track.track_number,
            "uri": uri(EntityKind.TRACK, track.id),
            **self._offered(track.markets, album.markets if album else None),
        }

    def _of_album(self, album: Album) -> dict[str, Any]:
        return {
            "album_type": album.type,
            "artists": self._artists(album.artists),
            "href": self._href(EntityKind.ALBUM, album.id),
            "id": album.id,
            "images": _images(album.images),
            "name": album.name,
            "release_date": album.released or NO_DATE,
            "release_date_precision": precision(album.released),
            "total_tracks": self.known.sizes.get(album.id, 0),
            "uri": uri(EntityKind.ALBUM, album.id),
            **self._offered(album.markets),
        }

    def _no_album(self, track: Track) -> SimpleAlbumObject:
        return SimpleAlbumObject(
            album_type=AlbumType.ALBUM,
            artists=self._artists(track.artists),
            href=None,
            id=None,
            images=[],
            name="",
            release_date=NO_DATE,
            release_date_precision=precision(""),
            total_tracks=0,
            uri=None,
        )

    def _artists(self, artist_ids: Iterable[str]) -> list[SimpleArtistObject]:
        named = (self.known.artists.get(artist_id) for artist_id in artist_ids)
        return [
            SimpleArtistObject(
                href=self._href(EntityKind.ARTIST, artist.id),
                id=artist.id,
                name=artist.name,
                uri=uri(EntityKind.ARTIST, artist.id),
            )
            for artist in named
            if artist
        ]

    def _offered(self, *offers: tuple[str, ...] | None) -> dict[str, Any]:
        if self.market is None:
            return {"available_markets": _markets(offers)}
        offered = is_offered(self.market, *offers)
        return {"is_playable": offered, "restrictions": UNSET if offered else Restrictions()}

    def _href(self, kind: EntityKind, entity_id: str) -> str:
        safe = (
            entity_id if entity_id.isalnum() and entity_id.isascii() else quote(entity_id, safe="")
        )
        return f"{self.base}/v1/{kind}s/{safe}"


def uri(kind: EntityKind, entity_id: str) -> str:
    """Name an entity wherever it is shown."""
    return f"heartline:{kind}:{entity_id}"


def _images(images: Iterable[Image]) -> list[ImageObject]:
    widest = sorted(images, key=lambda image: -(image.width or 0))
    return [ImageObject(image.url, image.width, image.height) for image in widest]


def _markets(offers: Iterable[tuple[str, ...] | None]) -> list[str] | UnsetType:
    limited = [offer for offer in offers if offer is not None]
    if not limited:
        return UNSET
    return [market for market in limited[0] if is_offered(market, *limited)]
