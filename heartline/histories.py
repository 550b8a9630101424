"""Listening histories in files: Spotify's two exports, Last.fm-1K and ListenBrainz, one shape inside.

What a file holds is told by its content, never by its name. Files are read as streams, plain,
gzipped or zipped, so that a history of a million plays needs no more memory than a small one.

    Spotify account export   [{"endTime": "2019-02-20 01:12", "artistName", "trackName", "msPlayed"}]
    Spotify extended export  [{"ts": "2023-01-01T10:00:00Z", "ms_played", "master_metadata_...", ...}]
    Last.fm-1K               user, ISO time, artist MBID, artist, track MBID, track between tabs
    ListenBrainz             {"listened_at": 1443521965, "track_metadata": {...}}: as JSON Lines, as an
                             array, as the API's {"payload": {"listens": [...]}}, as the export's zip
"""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import msgspec

from domain.errors import Refused
from heartline.history_rows import Play, Row, lastfm_play, row_type
from heartline.json_stream import DamagedJson, JsonStream

KNOWN = (
    "a Spotify export (StreamingHistory*.json, Streaming_History_Audio_*.json, endsong_*.json), "
    "a Last.fm-1K TSV, ListenBrainz listens (JSON, JSON Lines), each plain, gzipped or zipped"
)
ZIP, GZIP = (b"PK\x03\x04", b"PK\x05\x06"), b"\x1f\x8b"
MOST_LINE = 1 << 16  # characters of one line of a TSV
DAMAGED_ARCHIVE = (zipfile.BadZipFile, EOFError, zlib.error, RuntimeError, NotImplementedError)


class UnreadableHistory(Refused):
    """Raised when a file is not a listening history that we know, or is damaged."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path, self.problem = path, problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class _NotAHistory(Exception):
    """Raised inside when content is none of the known formats."""


class _DamagedRow(Exception):
    """Raised inside when a row of a known format does not hold what it should."""


def plays_of(path: Path) -> Iterator[Play]:
    """Read the plays of one file, in its order.

    Raises
    ------
    UnreadableHistory
        The file cannot be read, is none of the known formats, or is damaged.
    """
    try:
        with path.open("rb") as binary:
            yield from _plays_of_binary(binary)
    except _NotAHistory as error:
        raise UnreadableHistory(str(path), f"{error}; understood are {KNOWN}") from error
    except (DamagedJson, _DamagedRow) as error:
        raise UnreadableHistory(str(path), str(error)) from error
    except UnicodeDecodeError as error:
        raise UnreadableHistory(str(path), "is not UTF-8 text") from error
    except gzip.BadGzipFile as error:
        raise UnreadableHistory(str(path), f"is a damaged archive ({error})") from error
    except OSError as error:
        raise UnreadableHistory(str(path), error.strerror or str(error)) from error
    except DAMAGED_ARCHIVE as error:
        raise UnreadableHistory(str(path), f"is a damaged or locked archive ({error})") from error


def _plays_of_binary(binary: IO[bytes]) -> Iterator[Play]:
    magic = binary.read(4)
    binary.seek(0)
    if magic in ZIP:
        yield from _plays_of_zip(binary)
    elif magic.startswith(GZIP):
        with gzip.open(binary) as plain:
            yield from _plays_of_plain(cast("IO[bytes]", plain))
    else:
        yield from _plays_of_plain(binary)


def _plays_of_zip(binary: IO[bytes]) -> Iterator[Play]:
    """Read every member that is a history; an export holds other files as well."""
    found = False
    with zipfile.ZipFile(binary) as archive:
        for name in sorted(archive.namelist()):
            with archive.open(name) as member:
                plays = _named(_plays_of_plain(member), name)
                first = _first(plays)
                if first is not None:
                    found = True
                    yield first
                    yield from plays
    if not found:
        raise _NotAHistory("is an archive without a listening history")


def _first(plays: Iterator[Play]) -> Play | None:
    """Take a member's first play; None if it has none, or is something else."""
    try:
        return next(plays, None)
    except (_NotAHistory, UnicodeDecodeError):
        return None


def _named(plays: Iterator[Play], name: str) -> Iterator[Play]:
    """Give *plays* on; what is wrong with them is told with the member's name."""
    try:
        yield from plays
    except (DamagedJson, _DamagedRow) as error:
        raise _DamagedRow(f"in {name}: {error}") from error


def _plays_of_plain(binary: IO[bytes]) -> Iterator[Play]:
    with io.TextIOWrapper(binary, "utf-8-sig", newline="\n") as text:
        stream = JsonStream(text)
        first = stream.peek()
        if not first:
            raise _NotAHistory("is empty")
        if first in "[{":
            yield from _plays_of_json(stream)
        else:
            yield from _plays_of_lines(stream)


def _plays_of_json(stream: JsonStream) -> Iterator[Play]:
    kind: type[Row] | None = None
    for number, item in enumerate(_rows(stream), 1):
        kind = kind or row_type(item)
        if kind is None:
            raise _NotAHistory("is JSON, but not a listening history that we know")
        try:
            play = msgspec.convert(item, kind).play()
        except ValueError as error:  # msgspec's own is one
            raise _DamagedRow(f"play {number}: {error}") from error
        yield play


def _rows(stream: JsonStream) -> Iterator[object]:
    if stream.peek() == "[":
        yield from _numbered(stream.items())
        if stream.peek():
            raise DamagedJson("goes on after its end")
        return
    for value in _numbered(_values(stream)):
        payload = value.get("payload") if isinstance(value, dict) else None
        if isinstance(payload, dict) and isinstance(payload.get("listens"), list):
            yield from payload["listens"]
        else:
            yield value


def _values(stream: JsonStream) -> Iterator[object]:
    while stream.peek():
        yield stream.value()


def _numbered(values: Iterator[object]) -> Iterator[object]:
    """Give *values* on; damage is told with the number of the value in which it was met."""
    given = 0
    try:
        for value in values:
            yield value
            given += 1
    except DamagedJson as error:
        raise DamagedJson(f"{error}, at item {given + 1}: is the file whole?") from error


def _plays_of_lines(stream: JsonStream) -> Iterator[Play]:
    for number, line in enumerate(stream.lines(most=MOST_LINE), 1):
        if not line.strip():
            continue
        try:
            play = lastfm_play(line)
        except ValueError as error:
            if number == 1:
                raise _NotAHistory("is not a listening history that we know") from error
            raise _DamagedRow(f"line {number}: {error}") from error
        yield play
