"""Catalogues in SQLite with the tables of the Chinook database: Artist, Album, Track, Genre."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from heartline.importing.columns import UnreadableCatalogue
from heartline.importing.rows import Cells, place_of

MAGIC = b"SQLite format 3\0"
TABLES = ("Artist", "Album", "Track", "Genre")
COLUMNS = ("title", "artist", "album", "track_number", "duration_ms", "genres")

# A track has no number of its own there, but they were entered album by album, in order.
_TRACKS = """
SELECT Track.TrackId, Track.Name, Artist.Name, Album.Title,
       CASE WHEN Album.AlbumId IS NOT NULL
            THEN row_number() OVER (PARTITION BY Album.AlbumId ORDER BY Track.TrackId) END,
       Track.Milliseconds, Genre.Name
FROM {Track} AS Track
LEFT JOIN {Album} AS Album ON Album.AlbumId = Track.AlbumId
LEFT JOIN {Artist} AS Artist ON Artist.ArtistId = Album.ArtistId
LEFT JOIN {Genre} AS Genre ON Genre.GenreId = Track.GenreId
ORDER BY Track.TrackId
"""


def chinook_lines(path: Path) -> Iterator[tuple[str, Cells]]:
    """Read the tracks of a database, one by one.

    Raises
    ------
    UnreadableCatalogue
        It has not these tables, or is damaged.
    """
    place = place_of(path)
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            database.text_factory = lambda raw: raw.decode(errors="replace")
            for number, *values in database.execute(_TRACKS.format_map(_tables(path, database))):
                yield f"{place}: track {number}", dict(zip(COLUMNS, values, strict=True))
    except sqlite3.Error as error:
        raise UnreadableCatalogue(place, f"cannot be read as a catalogue: {error}") from error


def _tables(path: Path, database: sqlite3.Connection) -> dict[str, str]:
    """Tell what the tables are called; some copies of the database write them in the plural."""
    there = {
        name.casefold(): name for (name,) in database.execute("SELECT name FROM sqlite_master")
    }
    found = {
        table: there.get(table.casefold()) or there.get(f"{table.casefold()}s") for table in TABLES
    }
    lacking = [table for table, name in found.items() if name is None]
    if lacking:
        raise UnreadableCatalogue(
            place_of(path), f"is SQLite without the tables of Chinook: {', '.join(lacking)}"
        )
    return {table: f'"{name}"' for table, name in found.items()}
