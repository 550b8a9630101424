"""Catalogues in tagged audio files: a file, or a folder of them with all that is below it."""

import os
import stat
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import mutagen
from mutagen.mp4 import MP4FreeForm

from domain.units import SECOND_MS
from heartline.importing.rows import Cells, Fault, place_of

# What our columns are called by ID3 (MP3, AIFF, WAV, DSF), MP4, Vorbis comments (FLAC, Ogg, Opus),
# APEv2 (Monkey's Audio, Musepack, WavPack) and ASF (WMA), without their capitals.
KEYS: Mapping[str, tuple[str, ...]] = {
    "title": ("tit2", "©nam", "title"),
    "artist": ("tpe1", "©art", "artist", "author"),
    "album": ("talb", "©alb", "album", "wm/albumtitle"),
    "album_artist": ("tpe2", "aart", "albumartist", "album artist", "wm/albumartist"),
    "disc_number": ("tpos", "disk", "discnumber", "disc", "wm/partofset"),
    "track_number": ("trck", "trkn", "tracknumber", "track", "wm/tracknumber"),
    "release_date": ("tdrc", "tyer", "©day", "date", "year", "wm/year"),
    "explicit": ("rtng", "itunesadvisory", "txxx:itunesadvisory"),
    "isrc": ("tsrc", "----:com.apple.itunes:isrc", "isrc", "wm/isrc"),
    "upc": ("txxx:barcode", "----:com.apple.itunes:barcode", "barcode", "upc", "wm/barcode"),
    "genres": ("tcon", "©gen", "genre", "wm/genre"),
}
SEVERAL = frozenset({"artist", "album_artist", "genres"})
NUMBERS = frozenset({"disc_number", "track_number"})
CLEAN, EXPLICIT = "2", "4"  # iTunes' advice; 4 was written before 1

# What mutagen raises beside its own error when a header lies.
BROKEN = (ValueError, LookupError, TypeError, AttributeError, OverflowError, EOFError, struct.error)


def audio_lines(path: Path) -> Iterator[tuple[str, Cells] | Fault]:
    """Read the tags of a file, or of every file of a folder, in the order of their names.

    What is no audio file, or cannot be read, is a fault; so is a folder that cannot be read.
    """
    for each in _files(path) if path.is_dir() else (path,):
        yield each if isinstance(each, Fault) else _line(each)


def is_audio(path: Path) -> bool:
    """Whether a file is audio as far as its tags tell."""
    return not isinstance(_line(path), Fault)


def _files(folder: Path) -> Iterator[Path | Fault]:
    away: list[OSError] = []
    for where, folders, names in os.walk(folder, onerror=away.append):
        yield from _told(away)
        folders.sort()
        for name in sorted(names):
            yield Path(where, name)
    yield from _told(away)


def _told(errors: list[OSError]) -> Iterator[Fault]:
    yield from (_fault_of(Path(error.filename), error) for error in errors)
    errors.clear()


def _fault_of(path: Path, error: OSError) -> Fault:
    said = f"cannot be read: {error.strerror or error}"
    return Fault(place_of(path), "", "unreadable", said)


def _line(path: Path) -> tuple[str, Cells] | Fault:
    where = place_of(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            # To open a pipe is to wait for somebody.
            return Fault(where, "", "not_audio", "is no file")
        file = mutagen.File(path)
    except OSError as error:
        return _fault_of(path, error)
    except (mutagen.MutagenError, *BROKEN) as error:
        return Fault(where, "", "unreadable", f"is a broken audio file: {error}")
    if file is None:
        return Fault(where, "", "not_audio", "is not an audio file")
    try:
        return where, _cells(file)
    except BROKEN as error:
        return Fault(where, "", "unreadable", f"has broken tags: {error}")


def _cells(file: Any) -> Cells:
    tags = _texts(file.tags or {})
    cells: dict[str, object] = {"duration_ms": round(file.info.length * SECOND_MS)}
    for column, keys in KEYS.items():
        values = next((tags[key] for key in keys if tags.get(key)), [])
        cells[column] = values if column in SEVERAL else _one(column, values)
    return cells


def _one(column: str, values: list[str]) -> str:
    text = values[0] if values else ""
    if column in NUMBERS:
        return text.partition("/")[0]  # 2/3: the second of three
    if column == "explicit":
        return "no" if text == CLEAN else "yes" if text == EXPLICIT else text
    if column == "release_date":
        return "" if text.startswith("0000") else text.replace("/", "-")
    return text


def _texts(tags: Any) -> dict[str, list[str]]:
    """Write all tags as texts; what two keys say that differ in capitals only stands together."""
    found: dict[str, list[str]] = {}
    for key in tags.keys():  # noqa: SIM118 (some of mutagen's tags iterate over pairs)
        said = [text for one in _values(tags[key]) if (text := _text(one))]
        found.setdefault(str(key).casefold(), []).extend(said)
    return found


def _values(value: Any) -> Iterable[Any]:
    if isinstance(value, str | bytes):
        return (value,)
    said = getattr(value, "genres", None) or getattr(value, "text", None)  # of ID3
    if said is not None:
        return [said] if isinstance(said, str) else list(said)
    return value if isinstance(value, list) else (value,)


def _text(value: Any) -> str:
    if isinstance(value, tuple):  # of MP4: the second of three
        return str(value[0])
    if isinstance(value, MP4FreeForm | bytes):
        return bytes(value).decode(errors="replace").strip()
    return str(value).strip()
