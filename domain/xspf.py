"""Playlists as XSPF, version 1 (https://www.xspf.org/spec): XML with a list of tracks.

A track's ISRC is an identifier, ``urn:isrc:``; several artists are ``meta`` of ours beside the one
``creator`` that others read. Documents with a DOCTYPE are refused, so no entity is ever declared.
"""

from collections.abc import Iterable
from itertools import chain
from xml.etree import ElementTree as ET
from xml.parsers import expat

from domain.playlist_files import (
    MOST_TRACKS,
    FileTrack,
    PlaylistFile,
    UnreadablePlaylist,
    main_uri,
    number_of,
    too_many,
)

NAMESPACE = "http://xspf.org/ns/0/"
ISRC_PREFIX = "urn:isrc:"
ARTIST = "heartline:artist"  # what the meta of each of several artists is called

META = "meta "  # and what it is called: no element has a space in its name
MOST_DEPTH = 32
_AT_ONCE = 1 << 20  # expat goes on to the end of what it was given, whatever is raised
_PLAYLIST = ("playlist",)
_TRACK = ("playlist", "trackList", "track")

_Texts = dict[str, list[str]]


def parse(data: bytes) -> PlaylistFile:
    """Read a playlist, with or without its namespace.

    :raises UnreadablePlaylist: if it is no such XML, has too many tracks, or a DOCTYPE.
    """
    reading = _Reading()
    try:
        for at in range(0, len(data), _AT_ONCE):
            reading.parser.Parse(data[at : at + _AT_ONCE], False)
        reading.parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise UnreadablePlaylist(f"line {error.lineno}", expat.ErrorString(error.code)) from error
    except (LookupError, ValueError) as error:  # of an encoding that the document names
        raise UnreadablePlaylist("line 1", str(error)) from error
    return reading.playlist()


def render(playlist: PlaylistFile) -> bytes:
    """Write a tidied playlist."""
    root = ET.Element("playlist", version="1", xmlns=NAMESPACE)
    _add(root, "title", playlist.title)
    _add(root, "annotation", playlist.description)
    tracks = ET.SubElement(root, "trackList")
    for track in playlist.tracks:
        _add_track(tracks, track)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _add_track(tracks: ET.Element, track: FileTrack) -> None:
    element = ET.SubElement(tracks, "track")
    _add(element, "location", track.uri)
    _add(element, "identifier", track.isrc and ISRC_PREFIX + track.isrc)
    _add(element, "title", track.title)
    _add(element, "creator", ", ".join(track.artists))
    _add(element, "album", track.album)
    _add(element, "trackNum", str(track.number or ""))
    _add(element, "duration", str(track.duration_ms or ""))
    for artist in several(track.artists):
        ET.SubElement(element, "meta", rel=ARTIST).text = artist


def _add(parent: ET.Element, name: str, text: str) -> None:
    if text:
        ET.SubElement(parent, name).text = text


def several(artists: tuple[str, ...]) -> tuple[str, ...]:
    """Tell the artists that one ``creator`` cannot tell apart."""
    return artists if len(artists) > 1 else ()


def isrc_within(identifiers: Iterable[str]) -> tuple[str, list[str]]:
    """Tell apart a track's ISRC, "" if it has none, and its other identifiers."""
    codes: list[str] = []
    others: list[str] = []
    for each in identifiers:
        head, _, code = each.strip().rpartition(":")
        is_code = head.lower() in {"isrc", ISRC_PREFIX[:-1]}
        (codes if is_code else others).append(code if is_code else each)
    return next(iter(codes), ""), others


class _Reading:
    """What was read so far, and the parser that tells of it; no tree is kept."""

    def __init__(self) -> None:
        self._path: list[str] = []  # the names of the elements that are open
        self._texts: list[list[str]] = []  # what was read of each of them
        self._rel = ""  # of the newest meta
        self._head: _Texts = {}
        self._track: _Texts = {}
        self._place = ""
        self._tracks: list[FileTrack] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.CharacterDataHandler = self._data
        self.parser.EndElementHandler = self._end

    def playlist(self) -> PlaylistFile:
        return PlaylistFile(
            _first(self._head, "title"), _first(self._head, "annotation"), tuple(self._tracks)
        )

    def _doctype(self, *_declared: object) -> None:
        raise self._fault("a DOCTYPE is not taken")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        self._path.append(local if namespace in {"", NAMESPACE} else "")
        self._texts.append([])
        if len(self._path) > MOST_DEPTH:
            raise self._fault(f"elements are nested deeper than {MOST_DEPTH}")
        if len(self._path) == 1 and self._path != [*_PLAYLIST]:
            raise self._fault("it is no XSPF, which begins with <playlist>")
        if tuple(self._path) == _TRACK:
            self._track, self._place = {}, f"line {self.parser.CurrentLineNumber}"
            if len(self._tracks) == MOST_TRACKS:
                raise too_many(self._place)
        self._rel = attributes.get("rel", "")

    def _data(self, text: str) -> None:
        self._texts[-1].append(text)

    def _end(self, _name: str) -> None:
        path, text = tuple(self._path), "".join(self._texts.pop())
        name = self._path.pop()
        if path == _TRACK:
            self._tracks.append(_track_of(self._track, self._place))
        elif path[:-1] == _TRACK:
            key = f"{META}{self._rel}" if name == "meta" else name
            self._track.setdefault(key, []).append(text)
        elif path[:-1] == _PLAYLIST:
            self._head.setdefault(name, []).append(text)

    def _fault(self, fault: str) -> UnreadablePlaylist:
        return UnreadablePlaylist(f"line {self.parser.CurrentLineNumber}", fault)


def _track_of(texts: _Texts, place: str) -> FileTrack:
    isrc, identifiers = isrc_within(texts.get("identifier", ()))
    return FileTrack(
        uri=main_uri(texts.get("location", ()), identifiers),
        title=_first(texts, "title"),
        artists=tuple(texts.get(f"{META}{ARTIST}", ())) or (_first(texts, "creator"),),
        album=_first(texts, "album"),
        duration_ms=number_of(_first(texts, "duration")),
        isrc=isrc,
        number=number_of(_first(texts, "trackNum")),
        place=place,
    )


def _first(texts: _Texts, name: str) -> str:
    return next(chain(texts.get(name, ()), ("",)))
