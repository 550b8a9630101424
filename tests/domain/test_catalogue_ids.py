import pytest

from domain.catalogue_ids import album_id, artist_id, track_id
from domain.ids import is_id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Nina Simone", "nina  SIMONE "),
        ("Beyonc\u00e9", "Beyonce\u0301"),
        ("\uff21\uff22\uff23", "abc"),
        ("Stra\u00dfe", "STRASSE"),
    ],
)
def test_spellings_of_one_name_have_one_id(one: str, other: str) -> None:
    assert artist_id(one) == artist_id(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Ana", "An\u00e1"), ("AC/DC", "ACDC"), ("", "a"), ("a b", "ab")]
)
def test_other_names_have_other_ids(one: str, other: str) -> None:
    assert artist_id(one) != artist_id(other)


def test_an_id_says_of_what_kind_it_is_and_where_names_end() -> None:
    made = {
        artist_id("a"),
        album_id("a", "b"),
        album_id("ab", ""),
        album_id("", "ab"),
        track_id("a", "b", "c", 1, 1),
        track_id("a", "b", "c", 1, 2),
        track_id("a", "b", "c", 2, 1),
        track_id("a", "bc", "", 1, 1),
    }

    assert len(made) == 8
    assert all(is_id(each) and each.isalnum() and len(each) == 22 for each in made)


def test_ids_stay_what_they_are() -> None:
    assert artist_id("Nina Simone") == "4IYnmJOsR1pqCccpZrYb2q"
    assert album_id("Nina Simone", "Pastel Blues") == "5zEVYJEF12cXYUdSck2fRQ"
    assert track_id("Nina Simone", "Pastel Blues", "Sinnerman", 1, 9) == "2kCuf2YjHNRVNLWBq0oH6m"


def test_what_is_no_text_has_an_id_too() -> None:
    assert artist_id("\ud800") != artist_id("\udfff")
