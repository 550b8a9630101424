import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue import EntityKind
from domain.entries import fame, rounded_plays, year
from domain.search import Entry


def entry(plays: int = 0, popularity: int = 0) -> Entry:
    return Entry(kind=EntityKind.TRACK, id="1", name="1", plays=plays, popularity=popularity)


@pytest.mark.parametrize(
    ("plays", "rounded"),
    [(-1, 0), (0, 0), (1, 1), (2, 2), (3, 3), (90, 91), (100, 108), (1_000, 1_024)],
)
def test_plays_are_rounded(plays: int, rounded: int) -> None:
    assert rounded_plays(plays) == rounded


@given(st.integers(10, 10**15))
def test_few_plays_more_change_nothing_or_one_step(plays: int) -> None:
    before, after = rounded_plays(plays), rounded_plays(plays + plays // 12)

    assert before <= after <= before * 1.25


@given(st.integers(0, 10**15))
def test_rounding_again_changes_nothing(plays: int) -> None:
    assert rounded_plays(rounded_plays(plays)) == rounded_plays(plays)


def test_nobody_knows_what_is_neither_played_nor_popular() -> None:
    assert fame(entry()) == 0


def test_plays_and_popularity_make_fame() -> None:
    assert fame(entry(popularity=100)) == pytest.approx(2**20, rel=0.01)
    assert fame(entry(plays=5, popularity=10)) == 5 + 3


@pytest.mark.parametrize(
    ("released", "expected"),
    [("", 0), ("1999", 1999), ("1999-12", 1999), ("1999-12-31", 1999), ("soon", 0), ("²⁰¹⁵", 0)],
)
def test_a_release_date_has_a_year(released: str, expected: int) -> None:
    assert year(released) == expected
