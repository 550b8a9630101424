from hypothesis import given

from domain.catalogue import Album, AlbumType, Artist, Track
from domain.catalogue_items import MOST_GENRES
from domain.catalogue_merging import completed, merged
from tests.catalogues import albums, artists, tracks


def test_what_one_does_not_tell_is_taken_from_the_other() -> None:
    said = Track("t", "Title", ("a",), album="l", popularity=3)
    other = Track("t", "Old", ("b",), duration_ms=9, isrc="USRC17607839", popularity=5, markets=())

    assert completed(said, other) == Track(
        "t",
        "Title",
        ("a",),
        album="l",
        duration_ms=9,
        isrc="USRC17607839",
        popularity=3,
        markets=(),
    )


def test_both_together_have_all_genres_and_the_larger_popularity() -> None:
    first = Artist("a", "Beyoncé", genres=("pop", "r&b"), popularity=7)
    second = Artist("a", "Beyonce", genres=("soul", "pop"), popularity=9)

    together = merged(first, second)

    assert together == Artist("a", "Beyoncé", genres=("pop", "r&b", "soul"), popularity=9)


def test_what_a_label_wrote_of_an_album_stands() -> None:
    written = Album("l", "L", ("a",), type=AlbumType.SINGLE, label="Ours", markets=("DE",))

    together = merged(written, Album("l", "L", ("a",), released="1999"))

    assert (together.type, together.label, together.released) == (AlbumType.SINGLE, "Ours", "1999")
    assert together.markets == ("DE",)


def test_genres_have_a_bound() -> None:
    first = Artist("a", "A", genres=tuple(map(str, range(MOST_GENRES))))

    assert merged(first, Artist("a", "A", genres=("more",))).genres == first.genres


@given(artists, artists)
def test_merging_an_artist_again_changes_nothing(first: Artist, second: Artist) -> None:
    together = merged(first, second)

    assert merged(together, second) == merged(together, first) == together


@given(albums, albums)
def test_merging_an_album_again_changes_nothing(first: Album, second: Album) -> None:
    together = merged(first, second)

    assert merged(together, second) == merged(together, first) == together


@given(tracks, tracks)
def test_completing_a_track_again_changes_nothing(said: Track, other: Track) -> None:
    whole = completed(said, other)

    assert completed(said, whole) == completed(whole, other) == whole
