import pytest

from domain.catalogue import EntityKind
from domain.lookups import MOST_FORGIVEN, asked_of, edits_of, exact, is_forgiven, longest, spellings
from domain.search import Query


@pytest.mark.parametrize(("letters", "edits"), [(0, 0), (3, 0), (4, 1), (7, 1), (8, 2), (64, 2)])
def test_longer_words_are_forgiven_more(letters: int, edits: int) -> None:
    assert edits_of("x" * letters) == edits


@pytest.mark.parametrize(
    ("letters", "is_expected"), [(3, False), (4, True), (24, True), (25, False), (64, False)]
)
def test_words_that_are_very_long_are_taken_as_they_are(letters: int, is_expected: bool) -> None:
    assert is_forgiven("x" * letters) is is_expected


def test_the_longest_words_are_forgiven_first() -> None:
    words = ["x" * letters for letters in range(4, 24)]

    assert longest(words) == set(words[-MOST_FORGIVEN:])


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (0, ["a", "ab", "abc"]),
        (1, ["b", "ab", "bc", "abc", "bcd"]),
        (3, ["d", "cd", "bcd"]),
    ],
)
def test_a_word_may_be_glued_to_its_neighbours(at: int, expected: list[str]) -> None:
    assert spellings(["a", "b", "c", "d"], at) == expected


def test_a_filter_looks_where_a_kind_has_what_is_asked_for() -> None:
    query = Query(artist=("adele",), album=("25",))

    assert asked_of(query, EntityKind.TRACK) == {"artist": ("adele",), "album": ("25",)}
    assert asked_of(query, EntityKind.ALBUM) == {"artist": ("adele",), "name": ("25",)}
    assert asked_of(query, EntityKind.ARTIST) is None


def test_who_asks_for_nothing_is_given_nothing() -> None:
    assert asked_of(Query(), EntityKind.TRACK) is None
    assert asked_of(Query(words=("hello",)), EntityKind.TRACK) == {}


def test_codes_are_compared_without_hyphens() -> None:
    assert exact("GB-BKS-15-00214") == "gbbks1500214"
