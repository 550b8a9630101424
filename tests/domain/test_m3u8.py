import re

import pytest
from hypothesis import given

from domain.playlist_files import FileTrack, PlaylistFile, UnreadablePlaylist, tidied
from domain.playlist_formats import PlaylistFormat, parse, render
from tests.domain.playlist_files import RIGHT, playlists


def read(text: str) -> PlaylistFile:
    return parse(text.encode(), PlaylistFormat.M3U8)


def held(track: FileTrack) -> FileTrack:
    """What is left of a tidied track."""
    artist = re.sub("(?<= )-(?= |$)", "–", ", ".join(track.artists))
    seconds = track.duration_ms and max(1, round(track.duration_ms / 1_000))
    return FileTrack(
        uri=f"./{track.uri}" if track.uri.startswith("#") else track.uri,
        title=track.title,
        artists=(artist,) if artist else (),
        album=track.album,
        duration_ms=seconds and seconds * 1_000,
    )


@given(playlists)
def test_all_but_details_is_held(playlist: PlaylistFile) -> None:
    tidy = tidied(playlist)

    again = parse(render(playlist, PlaylistFormat.M3U8), PlaylistFormat.M3U8)

    assert again == PlaylistFile(tidy.title, "", tuple(held(track) for track in tidy.tracks))


def test_it_looks_as_players_expect() -> None:
    assert render(RIGHT, PlaylistFormat.M3U8).decode() == (
        "#EXTM3U\n"
        "#PLAYLIST:Road trip\n"
        "#EXTINF:174,Nina Simone - Feeling Good\n"
        "#EXTALB:I Put a Spell on You\n"
        "heartline:track:4uLU6hMCjMI75M1A2tKUQC\n"
        "#EXTINF:-1,Queen, David Bowie - Under Pressure\n"
        "#EXTINF:-1,\n"
        "file:///music/x.mp3\n"
    )


@pytest.mark.parametrize(
    ("info", "track"),
    [
        ("180,A - B", FileTrack("u", "B", ("A",), duration_ms=180_000)),
        ("180.9,A - B - C", FileTrack("u", "B - C", ("A",), duration_ms=180_000)),
        ("180,A-B", FileTrack("u", "A-B", duration_ms=180_000)),
        (" 180 , A - B ", FileTrack("u", "B", ("A",), duration_ms=180_000)),
        ("-1,A - B", FileTrack("u", "B", ("A",))),
        ("0,A - B", FileTrack("u", "B", ("A",))),
        ('-1 tvg-id="a,b" group-title="c",A - B, C', FileTrack("u", "B, C", ("A",))),
        ("180", FileTrack("u", duration_ms=180_000)),
        ("180,", FileTrack("u", duration_ms=180_000)),
        (",A - B", FileTrack("u", "B", ("A",))),
        ("long,A - B", FileTrack("u", "B", ("A",))),
        ("", FileTrack("u")),
        ('"', FileTrack("u")),
        ("180, - B", FileTrack("u", "B", duration_ms=180_000)),
        ("180,A - ", FileTrack("u", "", ("A",), duration_ms=180_000)),
    ],
)
def test_a_track_is_described_before_its_place(info: str, track: FileTrack) -> None:
    assert read(f"#EXTM3U\n#EXTINF:{info}\nu\n").tracks == (track,)


def test_places_alone_are_tracks() -> None:
    told = read("a.mp3\r\n\r\n  b.mp3\r# c.mp3\nhttp://radio/d")

    assert [(track.uri, track.place) for track in told.tracks] == [
        ("a.mp3", "line 1"),
        ("b.mp3", "line 3"),
        ("http://radio/d", "line 5"),
    ]


def test_what_is_described_and_has_no_place_is_a_track_too() -> None:
    told = read("#EXTM3U\n#EXTINF:1,A - B\n#EXTINF:2,C - D\nd.mp3\n#EXTINF:3,E - F")

    assert [(track.title, track.uri, track.place) for track in told.tracks] == [
        ("B", "", "line 2"),
        ("D", "d.mp3", "line 3"),
        ("F", "", "line 5"),
    ]


def test_an_album_is_of_one_track_wherever_it_is_said() -> None:
    told = read("#EXTINF:1,A - B\n#EXTALB:X\nb\n#EXTALB:Y\n#EXTINF:1,C - D\nd\n#EXTINF:1,E - F\nf")

    assert [track.album for track in told.tracks] == ["X", "Y", ""]


def test_other_directives_are_passed_over() -> None:
    told = read("#EXTM3U\n#EXTENC:UTF-8\n#EXTGRP:rock\n#extinf:1,A - B\n#EXTVLCOPT:x\nb\n")

    assert told == PlaylistFile(tracks=(FileTrack("b", "B", ("A",), duration_ms=1_000),))


def test_the_first_name_is_the_playlists() -> None:
    assert read("#EXTM3U\n#PLAYLIST: \n#PLAYLIST:One\n#PLAYLIST:Two\n").title == "One"


@pytest.mark.parametrize(
    ("data", "place", "fault"),
    [
        (b"\xef\xbb\xbf#EXTM3U\r\n#EXTINF:1,Bj\xf6rk\r\nx", "line 2", "it is not UTF-8"),
        (b"\xff\xfe#", "line 1", "it is not UTF-8"),
        (
            b"#EXTM3U\n#EXT-X-VERSION:3\n",
            "line 2",
            "it describes a stream (HLS), not tracks",
        ),
    ],
)
def test_what_is_none_is_refused_with_its_line(data: bytes, place: str, fault: str) -> None:
    with pytest.raises(UnreadablePlaylist) as caught:
        parse(data, PlaylistFormat.M3U8)

    assert (caught.value.place, caught.value.fault) == (place, fault)
