"""Catalogues in CSV: between commas, semicolons or tabs, plain or gzipped, in UTF-8."""

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import IO, cast

from heartline.importing.columns import UnreadableCatalogue, indexes_of, known_indexes
from heartline.importing.rows import Cells, Fault, place_of

GZIP = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
DELIMITERS = ",;\t"
MOST_LINE = 1 << 20  # bytes
DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error)


def csv_lines(path: Path, mapping: Mapping[str, str]) -> Iterator[tuple[str, Cells] | Fault]:
    """Read the lines of a file by the names in its first; what is no line of CSV is a fault.

    Raises
    ------
    UnreadableCatalogue
        It is damaged, empty, not UTF-8, or no catalogue.
    NoColumns
        Its first line lacks columns.
    """
    try:
        with path.open("rb") as binary, closing(_plain(binary)) as plain:
            yield from _cells(path, _decoded(path, plain), mapping)
    except DAMAGED as error:
        raise UnreadableCatalogue(place_of(path), f"is a damaged archive ({error})") from error


def _plain(binary: IO[bytes]) -> IO[bytes]:
    magic = binary.read(2)
    binary.seek(0)
    return cast("IO[bytes]", gzip.open(binary)) if magic == GZIP else binary


def _decoded(path: Path, plain: IO[bytes]) -> Iterator[str]:
    number = 0
    while raw := plain.readline(MOST_LINE):
        number += 1
        if len(raw) == MOST_LINE:
            raise UnreadableCatalogue(
                place_of(path), f"line {number} is longer than {MOST_LINE} bytes"
            )
        try:
            yield (raw.removeprefix(BOM) if number == 1 else raw).decode()
        except UnicodeDecodeError as error:
            raise UnreadableCatalogue(
                place_of(path),
                f"line {number} is not UTF-8, it may be Latin-1:"
                " convert the file with `iconv -f latin1 -t utf-8`",
            ) from error


def _cells(
    path: Path, lines: Iterator[str], mapping: Mapping[str, str]
) -> Iterator[tuple[str, Cells] | Fault]:
    names = next(lines, None)
    if names is None:
        raise UnreadableCatalogue(place_of(path), "is empty")
    delimiter, header = _header(path, names, mapping)
    indexes = indexes_of(header, mapping)
    place, reader = place_of(path), csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        first = reader.line_num + 2  # of its lines; the reader has not seen the header
        where = f"{place}:{first}"
        try:
            values = next(reader, None)
        except csv.Error as error:
            last = reader.line_num + 1
            through = f" up to line {last}" if last > first else ""
            yield Fault(where, "", "not_csv", f"is not CSV{through}: {error}")
            continue
        if values is None:
            return
        if len(values) > len(header):
            yield Fault(where, "", "not_csv", f"has {len(values)} cells, the header {len(header)}")
        elif any(values):
            yield where, {ours: values[at] for ours, at in indexes.items() if at < len(values)}


def _header(path: Path, first: str, mapping: Mapping[str, str]) -> tuple[str, list[str]]:
    """Tell by the first line what stands between cells: what brings most of our columns."""
    try:
        headers = {one: next(csv.reader([first], delimiter=one), []) for one in DELIMITERS}
    except csv.Error as error:
        raise UnreadableCatalogue(place_of(path), f"its first line is not CSV: {error}") from error
    return max(
        headers.items(), key=lambda each: (len(known_indexes(each[1], mapping)), len(each[1]))
    )
