import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.playlist_files import FileTrack
from domain.queries import parse
from domain.track_matches import agrees, best_match, queries


def track(title: str = "", *artists: str, album: str = "", ms: int | None = None) -> FileTrack:
    return FileTrack(title=title, artists=artists, album=album, duration_ms=ms)


@pytest.mark.parametrize(
    ("wanted", "searched"),
    [
        (track("Feeling Good", "Nina Simone"), ['track:"feeling good" artist:"nina simone"']),
        (
            FileTrack(title="Help!", artists=("The Beatles",), isrc="GBAYE0601690"),
            ["isrc:GBAYE0601690", 'track:"help" artist:"the beatles"'],
        ),
        (FileTrack(isrc="GBAYE0601690"), ["isrc:GBAYE0601690"]),
        (track("Help! - Remastered 2009", "The Beatles"), ['track:"help" artist:"the beatles"']),
        (track("Help! - Live", "The Beatles"), ['track:"help live" artist:"the beatles"']),
        (track("Airplanes", "B.o.B feat. Hayley"), ['track:"airplanes" artist:"bob"']),
        (track('"Heroes"', "David “Bowie”"), ['track:"heroes" artist:"david bowie"']),
        (track("Help!"), []),
        (track("", "The Beatles"), []),
        (track(' " ', "The Beatles"), []),
        (FileTrack("/music/Help.mp3"), []),
    ],
)
def test_what_is_known_is_searched_for(wanted: FileTrack, searched: list[str]) -> None:
    assert list(queries(wanted)) == searched


@given(st.text(), st.text())
def test_a_query_always_filters_by_artist_and_title(title: str, artist: str) -> None:
    for text in queries(track(f"x {title}", f"y {artist}")):
        query = parse(text)

        assert query.track
        assert query.artist
        assert not query.words
        assert not query.phrases


@pytest.mark.parametrize(
    ("wanted", "candidate"),
    [
        (track("Feeling Good", "Nina Simone"), track("feeling good!", "NINA SIMONE")),
        (track("Déjà Vu", "Beyoncé"), track("Deja vu", "Beyonce")),
        (track("Thunderstruck", "ACDC"), track("Thunderstruck", "AC/DC")),
        (track("Help!", "The Beatles"), track("Help! - Remastered 2009", "The Beatles")),
        (track("Help! (Remastered 2009)", "The Beatles"), track("Help!", "The Beatles")),
        (track("Airplanes", "B.o.B"), track("Airplanes (feat. Hayley Williams)", "B.o.B", "Hayley")),
        (track("Airplanes", "B.o.B feat. Hayley Williams"), track("Airplanes", "B.o.B")),
        (track("Under Pressure", "Queen, David Bowie"), track("Under Pressure", "Queen", "David Bowie")),
        (track("Under Pressure", "David Bowie & Queen"), track("Under Pressure", "Queen", "David Bowie")),
        (track("Under Pressure", "Queen"), track("Under Pressure", "Queen", "David Bowie")),
        (track("September", "Earth, Wind & Fire"), track("September", "Earth, Wind and Fire")),
        (track("", "Nina Simone"), track("Feeling Good", "Nina Simone")),
        (track("Feeling Good"), track("Feeling Good", "Nina Simone")),
        (track("花束", "椎名林檎"), track("花束", "椎名林檎")),
    ],
)  # fmt: skip
def test_the_same_track_agrees_however_it_is_written(
    wanted: FileTrack, candidate: FileTrack
) -> None:
    assert agrees(wanted, candidate)


@pytest.mark.parametrize(
    ("wanted", "candidate"),
    [
        (track("Feeling Good", "Nina Simone"), track("Feeling Good", "Muse")),
        (track("Feeling Good", "Nina Simone"), track("Feeling Bad", "Nina Simone")),
        (track("Feeling Good", "Nina Simone"), track("Feeling Good - Live", "Nina Simone")),
        (track("Feeling Good (Remix)", "Nina Simone"), track("Feeling Good", "Nina Simone")),
        (track("September", "Earth, Wind & Fire"), track("September", "Earth")),
        (track("X", "Feat"), track("X")),
        (track("Feeling Good", "Nina Simone"), track("Feeling Good")),
        (track("花", "椎名林檎"), track("鳥", "椎名林檎")),
    ],
)
def test_another_track_does_not_agree(wanted: FileTrack, candidate: FileTrack) -> None:
    assert not agrees(wanted, candidate)


@pytest.mark.parametrize(
    ("wanted", "best"),
    [
        (track("Help!", "B"), 1),
        (track("Help! - Remastered 2009", "B"), 0),
        (track("Help!", "B", album="Hits"), 2),
        (track("Help!", "B", ms=140_000), 1),
        (track("Help!", "B", ms=170_000), 3),
    ],
)
def test_of_several_the_nearest_is_taken(wanted: FileTrack, best: int) -> None:
    candidates = [
        track("Help! - Remastered 2009", "B", album="Help!", ms=138_000),
        track("Help!", "B", album="Help!", ms=138_000),
        track("Help!", "B", album="Hits", ms=139_000),
        track("Help!", "B", album="Help!", ms=180_000),
        track("Help!", "Other", album="Hits", ms=138_000),
    ]

    if wanted.duration_ms == 140_000:
        candidates[2] = track("Help!", "B", album="Hits", ms=130_000)

    assert best_match(wanted, candidates) is candidates[best]


def test_of_none_that_agrees_none_is_taken() -> None:
    assert best_match(track("Help!", "B"), [track("Help!", "C")]) is None
    assert best_match(track("Help!", "B"), []) is None
