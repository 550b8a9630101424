"""What a file is, told by its content, and the rows in it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from heartline.importing.audio_lines import audio_lines, is_audio
from heartline.importing.chinook_lines import MAGIC as SQLITE
from heartline.importing.chinook_lines import chinook_lines
from heartline.importing.columns import NoColumns, UnreadableCatalogue
from heartline.importing.csv_lines import GZIP, csv_lines
from heartline.importing.parquet_lines import MAGIC as PARQUET
from heartline.importing.parquet_lines import parquet_lines
from heartline.importing.rows import Cells, Fault, Row, place_of, row_of

KNOWN = (
    "CSV (plain or gzipped), Parquet, SQLite with Chinook's tables, tagged audio files and folders"
)
HEAD_BYTES = 4_096


def rows_of(path: Path, mapping: Mapping[str, str]) -> Iterator[Row | Fault]:
    """Read the rows of a file or a folder; *mapping* tells its columns by ours.

    Raises
    ------
    UnreadableCatalogue
        The file cannot be read, is none of the known kinds, lacks columns, or is damaged.
    """
    try:
        for line in _lines(path, mapping):
            yield line if isinstance(line, Fault) else row_of(*line)
    except NoColumns as error:
        raise UnreadableCatalogue(place_of(path), str(error)) from error
    except OSError as error:
        raise UnreadableCatalogue(place_of(path), error.strerror or str(error)) from error


def _lines(path: Path, mapping: Mapping[str, str]) -> Iterator[tuple[str, Cells] | Fault]:
    if path.is_dir():
        return audio_lines(path)
    with path.open("rb") as binary:
        head = binary.read(HEAD_BYTES)
    if head.startswith(SQLITE):
        return chinook_lines(path)
    if head.startswith(PARQUET):
        return parquet_lines(path, mapping)
    if head.startswith(GZIP) or b"\0" not in head:  # no text has one, every audio file has
        return csv_lines(path, mapping)
    if is_audio(path):
        return audio_lines(path)
    raise UnreadableCatalogue(place_of(path), f"is no catalogue; understood are {KNOWN}")
