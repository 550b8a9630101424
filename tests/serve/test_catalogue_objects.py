from dataclasses import replace

import msgspec
import pytest

from domain.catalogue import Album, AlbumType, Artist, Image, Track
from serve.catalogue_bodies import Restrictions
from serve.catalogue_objects import Known, Objects

AIR = Artist("a1", "Air", genres=("downtempo",), popularity=70)
BECK = Artist("a2", "Beck")
ALBUM = Album(
    "l1",
    "10 000 Hz Legend",
    ("a1",),
    type=AlbumType.ALBUM,
    released="2001-05",
    upc="724381033227",
    label="Source",
    images=(Image("https://x/s", 64, 64), Image("https://x/l", 640, 640), Image("https://x/u")),
    markets=("DE", "FR"),
)
TRACK = Track(
    "t1",
    "The Vagabond",
    ("a1", "a2", "a3"),
    album="l1",
    duration_ms=337_000,
    track_number=4,
    isrc="FRZ110100110",
    popularity=50,
    markets=("FR", "US"),
)
KNOWN = Known({"t1": TRACK}, {"l1": ALBUM}, {"a1": AIR, "a2": BECK}, {"l1": 11})
BASE = "http://music.example"


def shown(thing: object) -> object:
    return msgspec.to_builtins(thing)


def artist(artist_id: str, name: str) -> dict[str, object]:
    return {
        "external_urls": {},
        "href": f"{BASE}/v1/artists/{artist_id}",
        "id": artist_id,
        "name": name,
        "type": "artist",
        "uri": f"heartline:artist:{artist_id}",
    }


SIMPLE_ALBUM = {
    "album_type": "album",
    "artists": [artist("a1", "Air")],
    "available_markets": ["DE", "FR"],
    "external_urls": {},
    "href": f"{BASE}/v1/albums/l1",
    "id": "l1",
    "images": [
        {"url": "https://x/l", "width": 640, "height": 640},
        {"url": "https://x/s", "width": 64, "height": 64},
        {"url": "https://x/u", "width": None, "height": None},
    ],
    "name": "10 000 Hz Legend",
    "release_date": "2001-05",
    "release_date_precision": "month",
    "total_tracks": 11,
    "type": "album",
    "uri": "heartline:album:l1",
}
SIMPLE_TRACK = {
    "artists": [artist("a1", "Air"), artist("a2", "Beck")],
    "available_markets": ["FR"],
    "disc_number": 1,
    "duration_ms": 337_000,
    "explicit": False,
    "external_urls": {},
    "href": f"{BASE}/v1/tracks/t1",
    "id": "t1",
    "is_local": False,
    "name": "The Vagabond",
    "preview_url": None,
    "track_number": 4,
    "type": "track",
    "uri": "heartline:track:t1",
}
MORE_OF_TRACK = {"external_ids": {"isrc": "FRZ110100110"}, "popularity": 50}


def test_a_track_is_shown_with_its_album_and_the_artists_that_are_known() -> None:
    objects = Objects(KNOWN, BASE)

    assert shown(objects.simple_track(TRACK)) == SIMPLE_TRACK
    assert shown(objects.track("t1")) == SIMPLE_TRACK | MORE_OF_TRACK | {"album": SIMPLE_ALBUM}


def test_an_album_is_shown_with_the_first_of_its_tracks() -> None:
    tracks = [msgspec.structs.replace(TRACK, id=f"t{number}") for number in range(50)]
    known = replace(KNOWN, sizes={"l1": 60})
    album = Objects(known, BASE, "DE").album(ALBUM, tracks)

    assert [track.id for track in album.tracks.items] == [f"t{number}" for number in range(50)]
    assert album.tracks.next == f"{BASE}/v1/albums/l1/tracks?market=DE&limit=50&offset=50"
    assert (album.tracks.total, album.tracks.previous) == (60, None)
    assert shown(album.external_ids) == {"upc": "724381033227"}
    assert (album.label, album.copyrights) == ("Source", [])


def test_an_artist_is_shown() -> None:
    assert shown(Objects(KNOWN, BASE).artist(AIR)) == artist("a1", "Air") | {
        "followers": {"href": None, "total": 0},
        "genres": ["downtempo"],
        "images": [],
        "popularity": 70,
    }


@pytest.mark.parametrize(
    ("market", "playable"), [("FR", True), ("DE", False), ("US", False), ("JP", False)]
)
def test_a_track_can_be_played_where_it_and_its_album_are_offered(
    market: str, *, playable: bool
) -> None:
    track = Objects(KNOWN, BASE, market).track("t1")

    assert track.is_playable is playable
    assert (track.restrictions == Restrictions("market")) is not playable
    assert track.available_markets is msgspec.UNSET


def test_what_is_offered_everywhere_lists_no_markets() -> None:
    everywhere = msgspec.structs.replace(TRACK, markets=None, album="")

    objects = Objects(Known({"t1": everywhere}), BASE)

    assert objects.track("t1").available_markets is msgspec.UNSET
    assert Objects(Known({"t1": everywhere}), BASE, "JP").track("t1").is_playable is True


def test_a_track_that_nobody_described_is_named_by_its_id() -> None:
    track = Objects(Known(), BASE).track("a/b ?é")

    assert (track.name, track.href) == ("a/b ?é", f"{BASE}/v1/tracks/a%2Fb%20%3F%C3%A9")
    assert (track.artists, track.album.name, track.album.id) == ([], "", None)


def test_a_date_that_is_not_known_is_written_as_spotify_does() -> None:
    album = Objects(KNOWN, BASE).simple_album(Album("l2", "Untitled", ()))

    assert (album.release_date, album.release_date_precision) == ("0000", "year")
    assert album.total_tracks == 0
