"""Rows of a catalogue: one track each, whatever file it stands in, and what is wrong with one."""

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from msgspec import Struct

from domain.catalogue_faults import INVALID, NEEDS

SEVERAL = "|"  # between several artists or genres in one cell
YES, NO = frozenset({"true", "yes", "y", "1", "t"}), frozenset({"false", "no", "n", "0", "f"})

_NUMBER = re.compile(r"([+-]?[0-9]{1,18})(?:\.0*)?")
_YEAR = re.compile(r"[0-9]{4}\.0")  # what spreadsheets make of a year
_DAY_AND_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ].*", re.DOTALL)

Cells = Mapping[str, object]  # by our columns; what a cell does not say is None or ""


class Row(Struct, frozen=True):
    """What a row says of a track; None, "" and () where it says nothing."""

    where: str  # the file, and the line in it
    title: str = ""
    artists: tuple[str, ...] = ()  # names, the main one first
    id: str = ""
    album: str = ""
    album_artists: tuple[str, ...] = ()  # names; () for the track's main one
    disc_number: int | None = None
    track_number: int | None = None
    released: str = ""
    duration_ms: int | None = None
    is_explicit: bool | None = None
    isrc: str = ""
    upc: str = ""
    genres: tuple[str, ...] = ()
    popularity: int | None = None


class Fault(Struct, frozen=True):
    """Why a row, or a file of a folder, is not imported."""

    where: str
    field: str  # our column; "" for the file as a whole
    reason: str
    message: str

    @property
    def summary(self) -> str:
        """What it is counted by."""
        return f"{self.field}: {self.reason}" if self.field else self.reason

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def place_of(path: Path) -> str:
    """Tell where a file is in text that can be kept and printed; names need not be UTF-8."""
    return os.fsencode(path).decode(errors="backslashreplace")


def row_of(where: str, cells: Cells) -> Row | Fault:
    """Read the cells of a row; the first that cannot be read is its fault."""
    told: dict[str, Any] = {}
    for column, value in cells.items():
        if value is None or value == "":
            continue
        name, reader = _READERS[column]
        try:
            told[name] = reader(value)
        except ValueError:
            return Fault(where, column, INVALID, f"{column} must be {NEEDS.get(column, 'text')}")
    return Row(where, **told)


def _text(value: object) -> str:
    if value is None or isinstance(value, str):
        return (value or "").strip()
    if isinstance(value, float):
        return "" if math.isnan(value) else str(_whole(value))
    if isinstance(value, int):
        return str(value)
    raise ValueError


def _several(value: object) -> tuple[str, ...]:
    values: Iterable[object]
    if isinstance(value, str):
        values = value.split(SEVERAL) if SEVERAL in value else (value,)
    else:
        values = value if isinstance(value, list | tuple) else (value,)
    return tuple(dict.fromkeys(text for one in values if (text := _text(one))))


def _number(value: object) -> int | None:
    if isinstance(value, str):
        if not (text := value.strip()):
            return None
        if match := _NUMBER.fullmatch(text):
            return int(match[1])
        raise ValueError
    if isinstance(value, bool):
        raise ValueError  # noqa: TRY004 (as every cell that cannot be read)
    if isinstance(value, float):
        return None if math.isnan(value) else _whole(value)
    if value is None or isinstance(value, int):
        return value
    raise ValueError


def _whole(value: float) -> int:
    if not value.is_integer():
        raise ValueError
    return int(value)


def _ordinal(value: object) -> int | None:
    """Read a number of a disc or of a track; many files write 0 where they do not know it."""
    return _number(value) or None


def _flag(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    text = _text(value).casefold()
    if not text:
        return None
    if text in YES:
        return True
    if text in NO:
        return False
    raise ValueError


def _date(value: object) -> str:
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()[:10]
    text = _text(value)
    if _YEAR.fullmatch(text):
        return text[:4]
    match = _DAY_AND_TIME.fullmatch(text)
    return match[1] if match else text


_READERS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "id": ("id", _text),
    "title": ("title", _text),
    "artist": ("artists", _several),
    "album": ("album", _text),
    "album_artist": ("album_artists", _several),
    "disc_number": ("disc_number", _ordinal),
    "track_number": ("track_number", _ordinal),
    "release_date": ("released", _date),
    "duration_ms": ("duration_ms", _number),
    "explicit": ("is_explicit", _flag),
    "isrc": ("isrc", _text),
    "upc": ("upc", _text),
    "genres": ("genres", _several),
    "popularity": ("popularity", _number),
}
