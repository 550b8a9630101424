import csv
import gzip
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heartline.importing import csv_lines
from heartline.importing.columns import UnreadableCatalogue
from heartline.importing.rows import Fault, Row
from heartline.importing.sources import rows_of
from tests.real_data import real

HEADER = "title,artist,duration_ms\n"
SPOTIFY = {
    "id": "track_id",
    "title": "track_name",
    "artist": "track_artist",
    "album": "track_album_name",
    "release_date": "track_album_release_date",
    "popularity": "track_popularity",
    "genres": "playlist_genre",
}

At = Callable[[str | bytes], Path]


@pytest.fixture
def at(tmp_path: Path) -> At:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "catalogue"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def read(path: Path) -> list[Row | Fault]:
    return list(rows_of(path, {}))


def only_row(path: Path) -> Row:
    (row,) = read(path)
    assert isinstance(row, Row)
    return row


def test_a_line_is_a_row_with_its_place(at: At) -> None:
    path = at(
        "id,title,artist,album,disc_number,track_number,release_date,duration_ms,explicit,isrc,upc,"
        "genres,popularity\n"
        "7x,Für Elise,A|B,Both,2,3,1999-12,61000,true,USRC17607839,075678164125,pop|rock,66\n"
    )

    assert only_row(path) == Row(
        f"{path}:2",
        title="Für Elise",
        artists=("A", "B"),
        id="7x",
        album="Both",
        disc_number=2,
        track_number=3,
        released="1999-12",
        duration_ms=61_000,
        is_explicit=True,
        isrc="USRC17607839",
        upc="075678164125",
        genres=("pop", "rock"),
        popularity=66,
    )


def test_what_a_line_does_not_say_is_not_known(at: At) -> None:
    path = at("album,title,artist,popularity\n,T,A\n")

    assert only_row(path) == Row(f"{path}:2", "T", ("A",))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_stands_between_cells_is_found_out(at: At, delimiter: str) -> None:
    row = only_row(at(HEADER.replace(",", delimiter) + delimiter.join(("T", "A|B", "1000"))))

    assert (row.title, row.artists, row.duration_ms) == ("T", ("A", "B"), 1_000)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(gzip.compress(HEADER.encode() + b"T,A,1\n"), id="gzipped"),
        pytest.param(b"\xef\xbb\xbf" + HEADER.encode() + b"T,A,1\n", id="with a byte-order mark"),
        pytest.param(b" Title ,ARTIST,Duration_ms\r\nT,A,1\r\n", id="of Windows, in capitals"),
        pytest.param(HEADER.encode() + b"\n,,\nT,A,1", id="with empty lines, without the last end"),
        pytest.param(HEADER.encode() + b'"T","A",1.0\n', id="quoted, with a number as a float"),
    ],
)
def test_a_row_is_read_however_it_is_written(at: At, content: bytes) -> None:
    row = only_row(at(content))

    assert (row.title, row.artists, row.duration_ms) == ("T", ("A",), 1)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("T,A,abc", "duration_ms"),
        ("T,A,1.5", "duration_ms"),
        ("T,A,1e3", "duration_ms"),
        ("T,A,1_000", "duration_ms"),
        ("T,A,9999999999999999999", "duration_ms"),
        ('T,"A"B,1', ""),
        ("T,A,1,2", ""),
    ],
)
def test_a_line_that_cannot_be_read_is_a_fault_and_the_rest_is_read(
    at: At, line: str, field: str
) -> None:
    path = at(f"{HEADER}{line}\nlast,A,1\n")

    fault, row = read(path)

    assert isinstance(fault, Fault)
    assert (fault.where, fault.field) == (f"{path}:2", field)
    assert isinstance(row, Row)
    assert (row.title, row.where) == ("last", f"{path}:3")


def test_a_quote_without_an_end_tells_how_many_lines_it_took(at: At) -> None:
    path = at(HEADER + 'T,A,1\n"Heroes,A,1\nlost,A,1\nlost,A,1\n')

    row, fault = read(path)

    assert isinstance(row, Row)
    assert str(fault) == f"{path}:3: is not CSV up to line 5: unexpected end of data"


def test_a_place_is_the_first_line_of_a_row_of_several(at: At) -> None:
    path = at(HEADER + '"two\nlines",A,1\nT,A,1\n')

    assert [row.where for row in read(path)] == [f"{path}:2", f"{path}:4"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(
            b"name,artist\nT,A\n", "no column 'title'; it has 'name', 'artist'", id="names"
        ),
        pytest.param(
            HEADER.encode() + b"T,A,1\nBeyonc\xe9,A,1\n", "line 3 is not UTF-8", id="Latin-1"
        ),
        pytest.param(gzip.compress(HEADER.encode() * 9)[:-9], "damaged archive", id="cut off"),
        pytest.param(HEADER.encode("utf-16"), "is no catalogue", id="UTF-16"),
        pytest.param(b"\x7fELF\0\0", "is no catalogue; understood are CSV", id="a program"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused(at: At, content: bytes, said: str) -> None:
    with pytest.raises(UnreadableCatalogue, match=said):
        read(at(content))


def test_a_line_without_an_end_is_refused(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_lines, "MOST_LINE", 64)

    with pytest.raises(UnreadableCatalogue, match="line 2 is longer than 64 bytes"):
        read(at(HEADER + "T" * 100))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableCatalogue, match="No such file"):
        read(tmp_path / "nowhere.csv")


def test_a_file_may_call_the_columns_otherwise(at: At) -> None:
    path = at("track_name,title,singer\nT,not this,A\n")

    (row,) = rows_of(path, {"title": "track_name", "artist": "singer"})

    assert row == Row(f"{path}:2", "T", ("A",))


def test_a_column_that_is_said_to_be_there_must_be(at: At) -> None:
    with pytest.raises(UnreadableCatalogue, match="no column 'name'"):
        list(rows_of(at(HEADER), {"title": "name"}))


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0|\r"), max_size=20).map(
    str.strip
)


@given(st.lists(st.tuples(texts.filter(bool), texts.filter(bool), texts), max_size=5))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, written: Sequence[tuple[str, str, str]]
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([("title", "artist", "album"), *written])
    path = tmp_path_factory.mktemp("csv") / "catalogue.csv"
    path.write_bytes(text.getvalue().encode())

    read_back = [
        (row.title, row.artists[0], row.album) for row in read(path) if isinstance(row, Row)
    ]

    assert read_back == list(written)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200))
def test_whatever_follows_a_header_is_rows_and_faults(
    tmp_path_factory: pytest.TempPathFactory, content: str
) -> None:
    path = tmp_path_factory.mktemp("csv") / "catalogue.csv"
    path.write_bytes((HEADER + content).encode())

    read(path)


def test_playlists_of_spotify_are_read() -> None:
    path = real("spotify_songs/spotify_songs.csv.gz")

    rows = list(rows_of(path, SPOTIFY))

    assert len(rows) == 32_833
    assert [row for row in rows if isinstance(row, Fault)] == []
    assert len({row.id for row in rows if isinstance(row, Row)}) == 28_356


def test_a_table_of_artists_is_no_catalogue() -> None:
    with pytest.raises(UnreadableCatalogue, match="no column 'title'; it has 'id', 'name', 'url'"):
        list(rows_of(real("lastfm_2k/artists.dat"), {}))
