"""The formats of playlist files: by name, by what a file is called, by what it begins with."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

from domain import jspf, m3u8, xspf
from domain.playlist_files import PlaylistFile, check_size, tidied


class PlaylistFormat(StrEnum):
    """How playlists are written for other programs."""

    M3U8 = "m3u8"
    XSPF = "xspf"
    JSPF = "jspf"


class _Codec(NamedTuple):
    parse: Callable[[bytes], PlaylistFile]
    render: Callable[[PlaylistFile], bytes]


_CODECS: Mapping[PlaylistFormat, _Codec] = {
    PlaylistFormat.M3U8: _Codec(m3u8.parse, m3u8.render),
    PlaylistFormat.XSPF: _Codec(xspf.parse, xspf.render),
    PlaylistFormat.JSPF: _Codec(jspf.parse, jspf.render),
}
_ENDINGS: Mapping[str, PlaylistFormat] = {
    ".m3u8": PlaylistFormat.M3U8,
    ".m3u": PlaylistFormat.M3U8,
    ".xspf": PlaylistFormat.XSPF,
    ".jspf": PlaylistFormat.JSPF,
    ".json": PlaylistFormat.JSPF,
}
_BEGINNINGS: Mapping[bytes, PlaylistFormat] = {
    m3u8.HEAD.encode(): PlaylistFormat.M3U8,
    b"<": PlaylistFormat.XSPF,
    b"{": PlaylistFormat.JSPF,
}
_BLANK = b"\xef\xbb\xbf \t\r\n"  # a BOM, too


def parse(data: bytes, written_as: PlaylistFormat) -> PlaylistFile:
    """Read a playlist.

    :raises UnreadablePlaylist: if it is none of that format, or larger than any should be.
    """
    check_size(data)
    return tidied(_CODECS[written_as].parse(data))


def render(playlist: PlaylistFile, written_as: PlaylistFormat) -> bytes:
    """Write a playlist, tidied; which of it a format cannot hold stands in the format's module."""
    return _CODECS[written_as].render(tidied(playlist))


def format_of_name(name: str) -> PlaylistFormat | None:
    """Tell the format by the ending of a file's name."""
    endings = (written_as for end, written_as in _ENDINGS.items() if name.lower().endswith(end))
    return next(endings, None)


def format_of_content(data: bytes) -> PlaylistFormat | None:
    """Tell the format by how a file begins; None where that says nothing."""
    begun = data[:64].lstrip(_BLANK)
    found = (written_as for head, written_as in _BEGINNINGS.items() if begun.startswith(head))
    return next(found, None)
