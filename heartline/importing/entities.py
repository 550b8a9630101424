"""What a row says of artists, of an album and of a track, with the ids that their names give them."""

from collections.abc import Sequence
from functools import lru_cache
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from domain.catalogue import Album, Artist, EntityKind, Track
from domain.catalogue_faults import is_catalogue_id, judge, missing
from domain.catalogue_ids import album_id, artist_id, track_id
from domain.heartbeats import Refusal
from heartline.importing.rows import Fault, Row

COLUMN_OF = {"name": "title", "artists": "artist"}  # what a row calls the fields of a track
REMEMBERED = 1 << 14  # rows of one artist or album mostly stand together


class Said(Struct, frozen=True):
    """What one row says."""

    track: Track
    artists: tuple[Artist, ...]
    album: Album | None


class _Refused(Exception):
    def __init__(self, column: str, refusal: Refusal) -> None:
        super().__init__(column, refusal)
        self.column, self.refusal = column, refusal


def said_by(row: Row) -> Said | Fault:
    """Make entities of a row; the first field that is not as it must be is its fault."""
    try:
        return _said_by(row)
    except _Refused as refused:
        refusal = refused.refusal
        message = refusal.message.replace(refusal.field, refused.column, 1)
        return Fault(row.where, refused.column, refusal.reason, message)


def _said_by(row: Row) -> Said:
    for column, value in (("title", row.title), ("artist", row.artists)):
        if not value:
            raise _Refused(column, missing(column))
    makers = _artists(row.artists, "artist")
    owners = _artists(row.album_artists, "album_artist") or makers[:1]
    album = None
    if row.album:
        owner_ids = tuple(owner.id for owner in owners)
        album = _album(owners[0].name, row.album, owner_ids, row.released, row.upc)
    track = _track(row, makers, owners[0].name, album)
    told = {"genres": track.genres, "popularity": track.popularity}
    artists = {one.id: one for one in owners} | {one.id: replace(one, **told) for one in makers}
    return Said(track, tuple(artists.values()), album and replace(album, **told))


def _artists(names: Sequence[str], column: str) -> list[Artist]:
    found = [_artist(name, column) for name in names]
    return list({artist.id: artist for artist in found}.values())


@lru_cache(REMEMBERED)
def _artist(name: str, column: str) -> Artist:
    artist = judge(EntityKind.ARTIST, {"id": artist_id(name), "name": name})
    if isinstance(artist, Refusal):
        raise _Refused(column, artist)
    return cast("Artist", artist)


@lru_cache(REMEMBERED)
def _album(main: str, name: str, artists: tuple[str, ...], released: str, upc: str) -> Album:
    fields = {
        "id": album_id(main, name),
        "name": name,
        "artists": artists,
        "release_date": released or None,
        "upc": upc or None,
    }
    album = judge(EntityKind.ALBUM, fields)
    if isinstance(album, Refusal):
        raise _Refused("album" if album.field == "name" else album.field, album)
    return cast("Album", album)


def _track(row: Row, makers: Sequence[Artist], owner: str, album: Album | None) -> Track:
    given = row.id if is_catalogue_id(row.id) else ""
    disc, number = row.disc_number or 1, row.track_number or 0
    fields = {
        "id": given or track_id(owner, row.album, row.title, disc, number),
        "name": row.title,
        "artists": tuple(maker.id for maker in makers),
        "album": album.id if album else None,
        "duration_ms": row.duration_ms,
        "disc_number": row.disc_number,
        "track_number": row.track_number,
        "explicit": row.is_explicit,
        "isrc": row.isrc or None,
        "genres": row.genres,
        "popularity": row.popularity,
    }
    track = judge(EntityKind.TRACK, fields)
    if isinstance(track, Refusal):
        raise _Refused(COLUMN_OF.get(track.field, track.field), track)
    return cast("Track", track)
