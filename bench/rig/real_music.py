"""Real artists and tracks as entries of the search index, from the catalogues beside the project."""

import csv
import gzip
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from domain.catalogue import EntityKind
from domain.search import Entry

CATALOGUES = Path(__file__).resolve().parents[3] / "shared" / "data"
UNTOLD = 30  # the popularity of what no catalogue tells it of
CHINOOK = """
SELECT Track.TrackId, Track.Name, Artist.Name, Album.Title
FROM Track JOIN Album USING (AlbumId) JOIN Artist USING (ArtistId) ORDER BY Track.TrackId
"""


def tracks(folder: Path = CATALOGUES) -> list[Entry]:
    """Read the tracks of spotify_songs, then those of Chinook."""
    return [*_spotify(folder), *_chinook(folder)]


def artists(folder: Path = CATALOGUES) -> list[Entry]:
    """Read the artists of Last.fm's."""
    text = (folder / "lastfm_2k" / "artists.dat").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines()[1:])
    return [_entry(EntityKind.ARTIST, f"lastfm{row[0]}", row[1]) for row in rows if row[1]]


def _spotify(folder: Path) -> Iterator[Entry]:
    seen = set[str]()
    with gzip.open(
        folder / "spotify_songs" / "spotify_songs.csv.gz", "rt", encoding="utf-8"
    ) as file:
        for row in csv.DictReader(file):
            if row["track_id"] not in seen and row["track_name"] and row["track_artist"]:
                seen.add(row["track_id"])
                yield _entry(
                    EntityKind.TRACK,
                    row["track_id"],
                    row["track_name"],
                    artist=row["track_artist"],
                    album=row["track_album_name"],
                    released=row["track_album_release_date"],
                    popularity=int(float(row["track_popularity"])),
                )


def _chinook(folder: Path) -> Iterator[Entry]:
    with closing(sqlite3.connect(folder / "chinook" / "Chinook_Sqlite.sqlite")) as database:
        for number, name, artist, album in database.execute(CHINOOK):
            yield _entry(EntityKind.TRACK, f"chinook{number}", name, artist=artist, album=album)


def _entry(
    kind: EntityKind,
    key: str,
    name: str,
    *,
    artist: str = "",
    album: str = "",
    released: str = "",
    popularity: int = UNTOLD,
) -> Entry:
    names = (artist,) if artist else ()
    return Entry(
        kind=kind,
        id=key,
        name=name,
        artists=names,
        artist_ids=names or (key,),
        album=album,
        released=released,
        popularity=popularity,
    )
