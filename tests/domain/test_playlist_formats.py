"""What holds for playlist files of every format."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.playlist_files import (
    MOST_BYTES,
    MOST_TRACKS,
    FileTrack,
    PlaylistFile,
    UnreadablePlaylist,
    line_of,
    main_uri,
    number_of,
    tidied,
    track_id_of,
)
from domain.playlist_formats import (
    PlaylistFormat,
    format_of_content,
    format_of_name,
    parse,
    render,
)
from tests.domain.playlist_files import RIGHT, playlists, texts
from tests.mutations import mutated

formats = pytest.mark.parametrize("written_as", PlaylistFormat)
whole_formats = pytest.mark.parametrize("written_as", [PlaylistFormat.XSPF, PlaylistFormat.JSPF])


@whole_formats
@given(playlist=playlists)
def test_what_is_written_is_read_again(written_as: PlaylistFormat, playlist: PlaylistFile) -> None:
    assert parse(render(playlist, written_as), written_as) == tidied(playlist)


@formats
@given(playlist=playlists)
def test_what_was_read_once_is_kept_for_ever(
    written_as: PlaylistFormat, playlist: PlaylistFile
) -> None:
    read = parse(render(playlist, written_as), written_as)

    assert parse(render(read, written_as), written_as) == read


@given(playlists)
def test_what_is_tidy_stays_as_it_is(playlist: PlaylistFile) -> None:
    assert tidied(tidied(playlist)) == tidied(playlist)


@formats
@given(data=st.binary() | texts.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused(written_as: PlaylistFormat, data: bytes) -> None:
    with suppress(UnreadablePlaylist):
        parse(data, written_as)


@formats
@given(st.data())
def test_what_was_right_is_read_or_refused(written_as: PlaylistFormat, data: st.DataObject) -> None:
    with suppress(UnreadablePlaylist):
        parse(data.draw(mutated([render(RIGHT, written_as)])), written_as)


@formats
def test_a_byte_order_mark_is_passed_over(written_as: PlaylistFormat) -> None:
    written = render(RIGHT, written_as)

    assert parse(b"\xef\xbb\xbf" + written, written_as) == parse(written, written_as)


@formats
def test_windows_ends_its_lines_otherwise(written_as: PlaylistFormat) -> None:
    written = render(RIGHT, written_as)

    assert parse(written.replace(b"\n", b"\r\n"), written_as) == parse(written, written_as)


@formats
def test_there_is_a_largest_number_of_tracks(written_as: PlaylistFormat) -> None:
    most, more = (
        render(PlaylistFile(tracks=(FileTrack("u"),) * count), written_as)
        for count in (MOST_TRACKS, MOST_TRACKS + 1)
    )

    assert len(parse(most, written_as).tracks) == MOST_TRACKS
    with pytest.raises(UnreadablePlaylist, match="more than 10000 tracks") as caught:
        parse(more, written_as)
    assert caught.value.place


@formats
@pytest.mark.parametrize("more", [0, 1], ids=["at", "above"])
def test_there_is_a_largest_file(written_as: PlaylistFormat, more: int) -> None:
    written = render(RIGHT, written_as)
    filled = written + b" " * (MOST_BYTES - len(written) + more)

    if not more:
        assert parse(filled, written_as).title == "Road trip"
        return
    with pytest.raises(UnreadablePlaylist, match="larger than 16 MiB"):
        parse(filled, written_as)


@formats
def test_a_format_is_known_by_how_it_begins(written_as: PlaylistFormat) -> None:
    written = render(RIGHT, written_as)

    assert format_of_content(b"\xef\xbb\xbf\r\n" + written) is written_as
    assert format_of_name(f"Road.Trip.{written_as.upper()}") is written_as


@pytest.mark.parametrize(
    ("name", "written_as"),
    [
        ("a.m3u", PlaylistFormat.M3U8),
        ("a.json", PlaylistFormat.JSPF),
        ("a.csv", None),
        ("m3u8", None),
    ],
)
def test_an_ending_tells_the_format(name: str, written_as: PlaylistFormat | None) -> None:
    assert format_of_name(name) is written_as


def test_places_alone_do_not_tell_the_format() -> None:
    assert format_of_content(b"/music/a.mp3\n") is None


@given(texts)
@example("\r\x00\n a")
@example("x" * 5_000)
def test_a_line_is_one_line_of_any_length_but_too_many(text: str) -> None:
    line = line_of(text)

    assert line == line_of(line) == line.strip()
    assert len(line.splitlines()) <= 1
    assert len(line) <= 4_096
    assert line.encode().decode() == line


@pytest.mark.parametrize(
    ("said", "number"),
    [
        (0, 0),
        (7, 7),
        (7.6, 8),
        ("7", 7),
        (" 7 ", 7),
        ("7.6", 7),
        ("", None),
        (None, None),
        (-1, None),
        ("-1", None),
        ("seven", None),
        (float("inf"), None),
        (float("nan"), None),
        (1e300, None),
        ("9" * 15, int("9" * 15)),
        ("9" * 16, None),
        ("٧", None),
    ],
    ids=repr,
)
def test_numbers_are_read_however_they_are_written(
    said: float | str | None, number: int | None
) -> None:
    assert number_of(said) == number


@pytest.mark.parametrize(
    ("uri", "track_id"),
    [
        ("heartline:track:abc", "abc"),
        ("spotify:track:abc", "abc"),
        ("https://open.spotify.com/track/abc?si=1", "abc"),
        ("https://open.spotify.com/intl-de/track/abc", "abc"),
        ("heartline:track:", ""),
        ("heartline:album:abc", ""),
        (f"heartline:track:{'x' * 129}", ""),
        ("x heartline:track:abc", ""),
        ("/music/abc.mp3", ""),
        ("", ""),
    ],
)
def test_uris_of_tracks_are_known(uri: str, track_id: str) -> None:
    assert track_id_of(uri) == track_id


@pytest.mark.parametrize(
    ("locations", "identifiers", "chosen"),
    [
        (["a.mp3", "heartline:track:x"], ["i"], "heartline:track:x"),
        (["a.mp3"], ["i", "spotify:track:x"], "spotify:track:x"),
        (["", " a.mp3 ", "b.mp3"], ["i"], "a.mp3"),
        ([], ["i"], "i"),
        ([], [], ""),
    ],
)
def test_of_several_places_one_of_ours_is_taken(
    locations: list[str], identifiers: list[str], chosen: str
) -> None:
    assert main_uri(locations, identifiers) == chosen


def test_the_place_of_a_track_makes_no_other_track() -> None:
    assert replace(RIGHT.tracks[0], place="line 3") == RIGHT.tracks[0]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UnreadablePlaylist("line 3", "it is not UTF-8"), "line 3: it is not UTF-8"),
        (UnreadablePlaylist("", "it is not UTF-8"), "it is not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    error: UnreadablePlaylist, sentence: str
) -> None:
    assert str(error) == sentence
