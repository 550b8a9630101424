"""What a file of another program says of a playlist, whatever its format.

Nothing that was read or is written has control characters or lone surrogates, no line is longer than
any name should be, and no text but the description has several: so every format can hold it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from domain.catalogue_items import MOST_DURATION_MS
from domain.catalogue_items import MOST_TRACKS as MOST_NUMBER
from domain.errors import Refused
from domain.ids import is_id
from domain.recording_codes import isrc_of

MOST_TRACKS = 10_000
MOST_BYTES = 16 << 20
MOST_CHARACTERS = 4_096  # of a line

TRACK_PREFIX = "heartline:track:"

# What is a line's end or a tab becomes a space; XML 1.0 (section 2.2) allows nothing of the rest.
_BREAK = re.compile(r"\r\n|[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_END = re.compile(r"\r\n|[\n\v\f\r\x85\u2028\u2029]")
_TRACK = re.compile(
    r"(?:heartline|spotify):track:(.+)|https?://open\.spotify\.com/(?:[a-z-]+/)?track/(\w+)(?:\?.*)?"
)
_NUMBER = re.compile(r"\s*([0-9]{1,15})(?:\.[0-9]*)?\s*")


class UnreadablePlaylist(Refused):
    """Raised when bytes are no playlist of their format; *place* is a line, a path or empty."""

    def __init__(self, place: str, fault: str) -> None:
        super().__init__(place, fault)
        self.place, self.fault = place, fault

    def __str__(self) -> str:
        return f"{self.place}: {self.fault}" if self.place else self.fault


@dataclass(frozen=True, slots=True)
class FileTrack:
    """A track as a file tells of it; "", () and None where it tells nothing."""

    uri: str = ""  # one of ours, or whatever the file calls a place
    title: str = ""
    artists: tuple[str, ...] = ()  # names, the main one first; a file may say several in one
    album: str = ""
    duration_ms: int | None = None
    isrc: str = ""
    number: int | None = None  # on its album
    place: str = field(default="", compare=False)  # in the file, as people look for it


@dataclass(frozen=True, slots=True)
class PlaylistFile:
    """A playlist as a file tells of it."""

    title: str = ""
    description: str = ""
    tracks: tuple[FileTrack, ...] = ()


def tidied(playlist: PlaylistFile) -> PlaylistFile:
    """Leave out what no file should hold: control characters, codes and numbers that are none."""
    lines = _LINE_END.split(playlist.description)
    return PlaylistFile(
        title=line_of(playlist.title),
        description="\n".join(map(line_of, lines)).strip(),
        tracks=tuple(map(_tidied, playlist.tracks)),
    )


def _tidied(track: FileTrack) -> FileTrack:
    return replace(
        track,
        uri=line_of(track.uri),
        title=line_of(track.title),
        artists=tuple(filter(None, map(line_of, track.artists))),
        album=line_of(track.album),
        duration_ms=_within(track.duration_ms, MOST_DURATION_MS),
        isrc=isrc_of(track.isrc.strip()) or "",
        number=_within(track.number, MOST_NUMBER),
    )


def line_of(text: str) -> str:
    """Write a text in one line of bounded length, without spaces at its ends."""
    return _FORBIDDEN.sub("", _BREAK.sub(" ", text)).strip()[:MOST_CHARACTERS].rstrip()


def number_of(said: float | str | None) -> int | None:
    """Read a whole number that is not negative, as a number or as text; None if it is none."""
    found = _NUMBER.fullmatch(said if isinstance(said, str) else _plain(said))
    return int(found[1]) if found else None


def main_uri(locations: Iterable[str], identifiers: Iterable[str] = ()) -> str:
    """Choose what a track is called: what names one of ours if anything does, else its first place."""
    said = [line_of(each) for each in (*locations, *identifiers)]
    return next(filter(track_id_of, said), next(filter(None, said), ""))


def track_id_of(uri: str) -> str:
    """Take the track's id out of a URI, ours or Spotify's; "" if it names none."""
    found = _TRACK.fullmatch(uri)
    track_id = (found[1] or found[2]) if found else ""
    return track_id if is_id(track_id) else ""


def check_size(data: bytes) -> None:
    """Refuse what is too large.

    :raises UnreadablePlaylist: if it is.
    """
    if len(data) > MOST_BYTES:
        raise UnreadablePlaylist("", f"it is larger than {MOST_BYTES >> 20} MiB")


def too_many(place: str) -> UnreadablePlaylist:
    """Tell that one track more stands at *place* than a playlist may have."""
    return UnreadablePlaylist(place, f"more than {MOST_TRACKS} tracks")


def _plain(said: float | None) -> str:
    return "" if said is None else f"{said:.0f}"  # of infinity it is inf


def _within(number: int | None, most: int) -> int | None:
    return number if number is not None and 0 < number <= most else None
