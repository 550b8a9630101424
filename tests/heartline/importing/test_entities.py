from typing import Any

import pytest
from msgspec.structs import replace

from domain.catalogue import Album, Artist, Track
from domain.catalogue_ids import album_id, artist_id, track_id
from heartline.importing.entities import Said, said_by
from heartline.importing.rows import Fault, Row

ROW = Row(
    "c.csv:2",
    "Crazy in Love",
    ("Beyoncé", "JAY-Z"),
    album="Dangerously in Love",
    disc_number=1,
    track_number=2,
    released="2003-06-24",
    duration_ms=236_133,
    isrc="us-sm1-03-00761",
    upc="827969039526",
    genres=("r&b",),
    popularity=80,
)
BEYONCE, JAY_Z = artist_id("beyoncé"), artist_id("Jay-Z")


def said(row: Row) -> Said:
    found = said_by(row)
    assert isinstance(found, Said)
    return found


def test_a_row_tells_a_track_its_artists_and_its_album() -> None:
    album = album_id("Beyoncé", "Dangerously in Love")

    assert said(ROW) == Said(
        Track(
            track_id("Beyoncé", "Dangerously in Love", "Crazy in Love", 1, 2),
            "Crazy in Love",
            (BEYONCE, JAY_Z),
            album=album,
            duration_ms=236_133,
            track_number=2,
            isrc="USSM10300761",
            genres=("r&b",),
            popularity=80,
        ),
        (
            Artist(BEYONCE, "Beyoncé", genres=("r&b",), popularity=80),
            Artist(JAY_Z, "JAY-Z", genres=("r&b",), popularity=80),
        ),
        Album(
            album,
            "Dangerously in Love",
            (BEYONCE,),
            released="2003-06-24",
            upc="827969039526",
            genres=("r&b",),
            popularity=80,
        ),
    )


def test_an_album_may_be_by_somebody_else() -> None:
    found = said(replace(ROW, album_artists=("Various Artists",)))

    assert found.album
    assert found.album.id == album_id("Various Artists", "Dangerously in Love")
    assert Artist(artist_id("Various Artists"), "Various Artists") in found.artists


def test_a_track_may_be_on_no_album() -> None:
    found = said(replace(ROW, album=""))

    assert (found.album, found.track.album) == (None, "")


def test_one_artist_in_two_spellings_is_one() -> None:
    assert said(replace(ROW, artists=("JAY-Z", "Jay-z"))).track.artists == (JAY_Z,)


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [("4iV5W9uYEdYUVa79Axb7Rh", True), ("7", True), ("spotify:track:1", False), ("", False)],
)
def test_an_id_is_kept_where_it_is_base_62(given: str, is_kept: bool) -> None:
    assert (said(replace(ROW, id=given)).track.id == given) is is_kept


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"title": ""}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"title": "x" * 1_025}, "title"),
        ({"artists": ()}, "artist"),
        ({"artists": ("a", "\x1b[2J")}, "artist"),
        ({"album": "\x7f"}, "album"),
        ({"album_artists": ("\x7f",)}, "album_artist"),
        ({"duration_ms": 0}, "duration_ms"),
        ({"duration_ms": -1}, "duration_ms"),
        ({"duration_ms": 40_780_800_000}, "duration_ms"),
        ({"released": "Oct 3, 1995"}, "release_date"),
        ({"released": "2001-02-29"}, "release_date"),
        ({"isrc": "USRC1760783"}, "isrc"),
        ({"upc": "827969039527"}, "upc"),
        ({"popularity": 101}, "popularity"),
        ({"disc_number": -1}, "disc_number"),
        ({"track_number": 10_001}, "track_number"),
        ({"genres": ("x" * 65,)}, "genres"),
    ],
)
def test_a_row_is_refused_for_its_first_wrong_column(changes: dict[str, Any], column: str) -> None:
    fault = said_by(replace(ROW, **changes))

    assert isinstance(fault, Fault)
    assert (fault.where, fault.field, fault.reason) == ("c.csv:2", column, "invalid")
    assert fault.message.startswith(f"{column} ")
