import json
from typing import Any

import pytest

from domain.playlist_files import FileTrack, PlaylistFile, UnreadablePlaylist
from domain.playlist_formats import PlaylistFormat, parse, render
from tests.domain.playlist_files import RIGHT


def read(document: Any) -> PlaylistFile:
    return parse(json.dumps(document).encode(), PlaylistFormat.JSPF)


def of_track(**said: Any) -> FileTrack:
    (track,) = read({"playlist": {"track": [said]}}).tracks
    return track


def test_it_looks_as_players_expect() -> None:
    assert json.loads(render(RIGHT, PlaylistFormat.JSPF)) == {
        "playlist": {
            "title": "Road trip",
            "annotation": "for\nthe road",
            "track": [
                {
                    "location": ["heartline:track:4uLU6hMCjMI75M1A2tKUQC"],
                    "identifier": ["urn:isrc:USPR36500003"],
                    "title": "Feeling Good",
                    "creator": "Nina Simone",
                    "album": "I Put a Spell on You",
                    "trackNum": 7,
                    "duration": 174_000,
                },
                {
                    "title": "Under Pressure",
                    "creator": "Queen, David Bowie",
                    "meta": [{"heartline:artist": "Queen"}, {"heartline:artist": "David Bowie"}],
                },
                {"location": ["file:///music/x.mp3"]},
            ],
        }
    }


def test_a_playlist_without_tracks_has_a_list_all_the_same() -> None:
    assert json.loads(render(PlaylistFile(), PlaylistFormat.JSPF)) == {"playlist": {"track": []}}


def test_others_write_it_otherwise() -> None:
    told = read(
        {
            "playlist": {
                "title": "Weekly jams",
                "annotation": None,
                "creator": "listenbrainz",
                "date": "2023-01-01",
                "extension": {"https://musicbrainz.org/doc/jspf#playlist": {"public": True}},
                "track": [
                    {
                        "creator": "Portishead",
                        "title": "Glory Box",
                        "identifier": "https://musicbrainz.org/recording/1",
                        "extension": {"https://musicbrainz.org/doc/jspf#track": [[{}]]},
                    }
                ],
            }
        }
    )

    track = FileTrack("https://musicbrainz.org/recording/1", "Glory Box", ("Portishead",))
    assert told == PlaylistFile("Weekly jams", "", (track,))
    assert told.tracks[0].place == "track 1"


@pytest.mark.parametrize(
    ("said", "track"),
    [
        ({}, FileTrack()),
        ({"location": "a", "identifier": None}, FileTrack("a")),
        ({"location": [None, "", "a"]}, FileTrack("a")),
        ({"location": [], "identifier": ["isrc:USRC17607839", "i"]}, FileTrack("i", isrc="USRC17607839")),
        ({"title": None, "creator": None, "album": None}, FileTrack()),
        ({"title": "null"}, FileTrack(title="null")),
        ({"duration": "1000", "trackNum": "3"}, FileTrack(duration_ms=1_000, number=3)),
        ({"duration": 1000.4, "trackNum": 3.0}, FileTrack(duration_ms=1_000, number=3)),
        ({"duration": 10**40, "trackNum": 0}, FileTrack()),
        ({"duration": None, "trackNum": ""}, FileTrack()),
        ({"meta": [{"heartline:artist": "A"}, {"b": 1}, 2]}, FileTrack(artists=("A",))),
        ({"meta": {"heartline:artist": "A"}, "creator": "B"}, FileTrack(artists=("B",))),
        ({"meta": [{"heartline:artist": 1}], "creator": "B"}, FileTrack(artists=("B",))),
    ],
)  # fmt: skip
def test_a_track_is_read(said: dict[str, Any], track: FileTrack) -> None:
    assert of_track(**said) == track


@pytest.mark.parametrize(
    ("data", "place", "fault"),
    [
        (b"", "", "it is no JSPF: Input data was truncated"),
        (b"[]", "", "it is no JSPF: Expected `object`, got `array`"),
        (b"{}", "", "it is no JSPF: Object missing required field `playlist`"),
        (b'{"playlist": {}}', "$.playlist", "it is no JSPF: Object missing required field `track`"),
        (
            b'{"playlist": {"track": [{}, {"title": 1}]}}',
            "$.playlist.track[1].title",
            "it is no JSPF: Expected `str | null`, got `int`",
        ),
        (b'{"playlist": {"title": "\xff"}}', "", "it is not UTF-8"),
        (b'{"x": ' + b"[" * 1_000_000, "", "it is nested too deep"),
    ],
)
def test_what_is_none_is_refused_with_its_place(data: bytes, place: str, fault: str) -> None:
    with pytest.raises(UnreadablePlaylist) as caught:
        parse(data, PlaylistFormat.JSPF)

    assert (caught.value.place, caught.value.fault) == (place, fault)
