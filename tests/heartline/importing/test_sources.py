import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from heartline.importing.entities import Said, said_by
from heartline.importing.gathered import Gathered
from heartline.importing.rows import Row
from heartline.importing.sources import rows_of
from tests.real_data import real

CHINOOK = """
CREATE TABLE Artist (ArtistId, Name); INSERT INTO Artist VALUES (1, 'A');
CREATE TABLE Album (AlbumId, ArtistId, Title); INSERT INTO Album VALUES (1, 1, 'L');
CREATE TABLE Genre (GenreId, Name);
CREATE TABLE Track (TrackId, Name, AlbumId, GenreId, Milliseconds);
INSERT INTO Track VALUES (1, 'T', 1, NULL, 1000);
"""


def audio(path: Path) -> None:
    path.write_bytes(real("tagged_files/full.flac").read_bytes())


def csv(path: Path) -> None:
    path.write_text("title,artist\nT,A\n")


def parquet(path: Path) -> None:
    with path.open("wb") as binary:
        pq.write_table(pa.table({"title": ["T"], "artist": ["A"]}), binary)


def chinook(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(CHINOOK)


@pytest.mark.parametrize("written", [audio, csv, parquet, chinook])
def test_the_name_of_a_file_need_not_be_utf_8(
    tmp_path: Path, written: Callable[[Path], None]
) -> None:
    path = tmp_path / os.fsdecode(b"Bj\xf6rk")
    written(path)

    (row,) = rows_of(path, {})
    assert isinstance(row, Row)
    assert row.where.startswith(rf"{tmp_path}/Bj\xf6rk")
    said = said_by(row)
    assert isinstance(said, Said)
    with Gathered() as gathered:
        assert gathered.add([(row.where, said)]) == []


def test_what_is_wrong_with_a_file_is_told_by_a_name_that_can_be_kept(tmp_path: Path) -> None:
    for name in (b"b\xf6.txt", b"c\xf6.mp3"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"\0")

    assert [Path(one.where).name for one in rows_of(tmp_path, {})] == [r"b\xf6.txt", r"c\xf6.mp3"]
