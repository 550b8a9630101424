"""What a playlist may be called, and which tracks may be in it."""

import pytest

from domain.playlists import (
    DESCRIPTION_CHARACTERS,
    NAME_CHARACTERS,
    BadEdit,
    Details,
    check_details,
    is_entry_id,
    track_of,
)


@pytest.mark.parametrize("prefix", ["heartline", "spotify"])
def test_a_track_is_named_by_its_uri(prefix: str) -> None:
    assert track_of(f"{prefix}:track:4uLU6hMCjMI75M1A2tKUQC", "uris") == "4uLU6hMCjMI75M1A2tKUQC"


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "track:1",
        "heartline:track:",
        "heartline:track:a\nb",
        "heartline:album:1",
        "spotify:episode:1",
        "deezer:track:1",
        "HEARTLINE:TRACK:1",
        "heartline:track:" + "x" * 129,
    ],
)
def test_what_is_no_track_is_blamed(uri: str) -> None:
    with pytest.raises(BadEdit) as refused:
        track_of(uri, "uris[3]")

    assert refused.value.field == "uris[3]"


@pytest.mark.parametrize("name", ["Mix", "  x  ", "🎧", "Ü" * NAME_CHARACTERS, "愛"])
def test_a_name_is_taken_as_it_is(name: str) -> None:
    assert check_details(Details(name)).name == name


@pytest.mark.parametrize(
    ("details", "field"),
    [
        (Details(""), "name"),
        (Details("   "), "name"),
        (Details("\u200b"), "name"),
        (Details("a\x00b"), "name"),
        (Details("a\nb"), "name"),
        (Details("\ud800"), "name"),
        (Details("x" * (NAME_CHARACTERS + 1)), "name"),
        (Details("x", "a\x07b"), "description"),
        (Details("x", "d" * (DESCRIPTION_CHARACTERS + 1)), "description"),
        (Details("x", public=True, collaborative=True), "collaborative"),
    ],
)
def test_what_cannot_be_is_blamed(details: Details, field: str) -> None:
    with pytest.raises(BadEdit) as refused:
        check_details(details)

    assert refused.value.field == field


def test_a_description_may_have_lines() -> None:
    assert check_details(Details("x", "one\ntwo")).description == "one\ntwo"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("a", True), ("Z9" * 11, True), ("", False), ("a" * 23, False), ("a-b", False), (7, False)],
)
def test_an_entry_id_is_letters_and_digits(text: object, is_one: bool) -> None:
    assert is_entry_id(text) is is_one
