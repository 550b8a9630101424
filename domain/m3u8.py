"""Playlists as M3U8: extended M3U in UTF-8, a directive or a place a line.

    #EXTM3U
    #PLAYLIST:Road trip
    #EXTINF:180,Nina Simone - Feeling Good
    #EXTALB:I Put a Spell on You
    heartline:track:4uLU6hMCjMI75M1A2tKUQC

It holds neither description, ISRC nor number, of several artists their names in one, and whole
seconds. What has no place has no line for one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from domain.playlist_files import (
    MOST_TRACKS,
    FileTrack,
    PlaylistFile,
    UnreadablePlaylist,
    number_of,
    too_many,
)
from domain.units import SECOND_MS

HEAD = "#EXTM3U"
UNKNOWN_S = -1
_OF_STREAMS = "#EXT-X-"  # RFC 8216

_BETWEEN = " - "  # artist and title
_DASH = re.compile(r"(?<= )-(?= |$)")
_LINE = re.compile(r"([^\r\n]*+)(?:\r\n|[\r\n]|\Z)")
# Seconds, what programs for television write behind them, and what the track is called.
_INFO = re.compile(r'\s*(-?[0-9.]*+)(?:[^,"]|"[^"]*+")*+(?:,(.*))?', re.DOTALL)


def parse(data: bytes) -> PlaylistFile:
    """Read a playlist; files of places alone are ones, too.

    :raises UnreadablePlaylist: if it is not UTF-8, has too many tracks, or describes a stream.
    """
    reading = _Reading()
    for number, line in enumerate(_LINE.finditer(_text(data)), 1):
        reading.take(line[1].lstrip(), f"line {number}")
    reading.end_track()
    return PlaylistFile(reading.title, "", tuple(reading.tracks))


def render(playlist: PlaylistFile) -> bytes:
    """Write a tidied playlist."""
    return "".join(f"{line}\n" for line in _lines(playlist)).encode()


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(data[: error.start + 1].splitlines())
        raise UnreadablePlaylist(f"line {line}", "it is not UTF-8") from error


def _lines(playlist: PlaylistFile) -> Iterator[str]:
    yield HEAD
    if playlist.title:
        yield f"#PLAYLIST:{playlist.title}"
    for track in playlist.tracks:
        yield f"#EXTINF:{_seconds(track.duration_ms)},{_label(track)}"
        if track.album:
            yield f"#EXTALB:{track.album}"
        if track.uri:
            yield f"./{track.uri}" if track.uri.startswith("#") else track.uri


def _seconds(duration_ms: int | None) -> int:
    return UNKNOWN_S if duration_ms is None else max(1, round(duration_ms / SECOND_MS))


def _label(track: FileTrack) -> str:
    """Write artist and title so that the first dash between spaces stands between them."""
    artist = _DASH.sub("–", ", ".join(track.artists))
    if artist or _BETWEEN in track.title:
        return f"{artist}{_BETWEEN}{track.title}"
    return track.title


@dataclass(slots=True)
class _Reading:
    """What was read so far, and what was said of the track whose place comes next."""

    title: str = ""
    tracks: list[FileTrack] = field(default_factory=list)
    _info: str | None = None
    _album: str = ""
    _place: str = ""

    def take(self, line: str, place: str) -> None:
        if not line.startswith("#"):
            if line:
                self._place = self._place or place
                self._add(line)
            return
        if line.startswith(_OF_STREAMS):
            raise UnreadablePlaylist(place, "it describes a stream (HLS), not tracks")
        name, _, value = line.partition(":")
        self._direct(name.rstrip().upper(), value, place)

    def _direct(self, name: str, value: str, place: str) -> None:
        if name == "#EXTINF":
            self.end_track()
            self._info, self._place = value, place
        elif name == "#EXTALB":
            self._album = value
        elif name == "#PLAYLIST":
            self.title = self.title or value.strip()

    def end_track(self) -> None:
        """Take what was described and has no place."""
        if self._info is not None:
            self._add("")

    def _add(self, uri: str) -> None:
        if len(self.tracks) == MOST_TRACKS:
            raise too_many(self._place)
        seconds, label = _told(self._info or "")
        artist, between, title = label.partition(_BETWEEN)
        self.tracks.append(
            FileTrack(
                uri=uri,
                title=title if between else label,
                artists=(artist,) if between else (),
                album=self._album,
                duration_ms=seconds and seconds * SECOND_MS,
                place=self._place,
            )
        )
        self._info, self._album, self._place = None, "", ""


def _told(info: str) -> tuple[int | None, str]:
    found = _INFO.match(info)
    return (number_of(found[1]), found[2] or "") if found else (None, "")
