import sqlite3
from pathlib import Path

import pytest

from heartline.importing.columns import UnreadableCatalogue
from heartline.importing.rows import Row
from heartline.importing.sources import rows_of
from tests.real_data import real

TABLES = """
CREATE TABLE artists (ArtistId INTEGER, Name TEXT);
CREATE TABLE albums (AlbumId INTEGER, Title TEXT, ArtistId INTEGER);
CREATE TABLE genres (GenreId INTEGER, Name TEXT);
CREATE TABLE tracks (TrackId INTEGER, Name TEXT, AlbumId INTEGER, GenreId INTEGER, Milliseconds INTEGER);
INSERT INTO artists VALUES (1, 'A');
INSERT INTO albums VALUES (5, 'L', 1);
INSERT INTO genres VALUES (2, 'Rock');
INSERT INTO tracks VALUES (9, 'Second', 5, NULL, 2000), (8, 'First', 5, 2, 1000), (10, 'Stray', 6, 2, 0);
"""


def database(path: Path, script: str) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()
    return path


def test_tracks_are_read_with_their_albums_and_artists(tmp_path: Path) -> None:
    path = database(tmp_path / "music catalogue?.db", TABLES)

    assert list(rows_of(path, {})) == [
        Row(
            f"{path}: track 8",
            "First",
            ("A",),
            album="L",
            track_number=1,
            duration_ms=1_000,
            genres=("Rock",),
        ),
        Row(f"{path}: track 9", "Second", ("A",), album="L", track_number=2, duration_ms=2_000),
        Row(f"{path}: track 10", "Stray", (), duration_ms=0, genres=("Rock",)),
    ]


def test_another_database_is_refused(tmp_path: Path) -> None:
    path = database(tmp_path / "c.db", "CREATE TABLE track (Name TEXT)")

    with pytest.raises(UnreadableCatalogue, match="without the tables of Chinook: Artist, Album"):
        list(rows_of(path, {}))


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    path = database(tmp_path / "c.db", TABLES)
    path.write_bytes(path.read_bytes()[:5_000])

    with pytest.raises(UnreadableCatalogue, match="cannot be read as a catalogue"):
        list(rows_of(path, {}))


def test_chinook_is_read() -> None:
    rows = [
        row for row in rows_of(real("chinook/Chinook_Sqlite.sqlite"), {}) if isinstance(row, Row)
    ]

    assert len(rows) == 3_503
    assert len({(row.artists, row.album) for row in rows}) == 347
    assert all(row.duration_ms and row.track_number for row in rows)
