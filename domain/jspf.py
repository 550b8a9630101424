"""Playlists as JSPF (https://wiki.xiph.org/JSPF): what XSPF says, in JSON.

Where the draft wants a list of URIs or a number, many programs write one URI or a text; where there
is nothing to say, null. All of that is read, and what extensions say is passed over.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from domain.playlist_files import (
    MOST_TRACKS,
    FileTrack,
    PlaylistFile,
    UnreadablePlaylist,
    main_uri,
    number_of,
    too_many,
)
from domain.xspf import ARTIST, ISRC_PREFIX, isrc_within, several

_BOM = b"\xef\xbb\xbf"

_Uris = list[str | None] | str | None
_Number = float | str | None


class _Track(Struct, omit_defaults=True, rename={"number": "trackNum"}):
    location: _Uris = None
    identifier: _Uris = None
    title: str | None = None
    creator: str | None = None
    album: str | None = None
    number: _Number = None
    duration: _Number = None  # ms
    meta: Any = None


class _Playlist(Struct, omit_defaults=True, kw_only=True):
    title: str | None = None
    annotation: str | None = None
    track: list[_Track]


class _Document(Struct):
    playlist: _Playlist


_decoder = msgspec.json.Decoder(_Document)


def parse(data: bytes) -> PlaylistFile:
    """Read a playlist.

    :raises UnreadablePlaylist: if it is no such JSON, or has too many tracks.
    """
    playlist = _decoded(data.removeprefix(_BOM)).playlist
    if len(playlist.track) > MOST_TRACKS:
        raise too_many(f"track {MOST_TRACKS + 1}")
    tracks = [_track_of(track, f"track {n}") for n, track in enumerate(playlist.track, 1)]
    return PlaylistFile(playlist.title or "", playlist.annotation or "", tuple(tracks))


def render(playlist: PlaylistFile) -> bytes:
    """Write a tidied playlist."""
    written = _Playlist(
        title=playlist.title or None,
        annotation=playlist.description or None,
        track=[_written(track) for track in playlist.tracks],
    )
    return msgspec.json.format(msgspec.json.encode(_Document(written)), indent=2) + b"\n"


def _decoded(data: bytes) -> _Document:
    try:
        return _decoder.decode(data)
    except msgspec.DecodeError as error:
        fault, _, place = str(error).partition(" - at ")
        raise UnreadablePlaylist(place.strip("`"), f"it is no JSPF: {fault}") from error
    except UnicodeDecodeError as error:
        raise UnreadablePlaylist("", "it is not UTF-8") from error
    except RecursionError as error:
        raise UnreadablePlaylist("", "it is nested too deep") from error


def _track_of(track: _Track, place: str) -> FileTrack:
    isrc, identifiers = isrc_within(_uris(track.identifier))
    artists = tuple(_artists(track.meta))
    return FileTrack(
        uri=main_uri(_uris(track.location), identifiers),
        title=track.title or "",
        artists=artists or (track.creator or "",),
        album=track.album or "",
        duration_ms=number_of(track.duration),
        isrc=isrc,
        number=number_of(track.number),
        place=place,
    )


def _uris(said: _Uris) -> list[str]:
    return [said] if isinstance(said, str) else [each for each in said or () if each]


def _artists(meta: object) -> Iterator[str]:
    for each in meta if isinstance(meta, list) else ():
        artist = each.get(ARTIST) if isinstance(each, dict) else None
        if isinstance(artist, str):
            yield artist


def _written(track: FileTrack) -> _Track:
    metas = [{ARTIST: artist} for artist in several(track.artists)]
    return _Track(
        location=[track.uri] if track.uri else None,
        identifier=[ISRC_PREFIX + track.isrc] if track.isrc else None,
        title=track.title or None,
        creator=", ".join(track.artists) or None,
        album=track.album or None,
        number=track.number,
        duration=track.duration_ms,
        meta=metas or None,
    )
