import pickle
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Refused
from domain.fields import (
    EVERYTHING,
    MOST_CHARACTERS,
    MOST_DEPTH,
    InvalidFields,
    parse_fields,
    select,
    wants,
)

PLAYLIST = {
    "description": "for runs",
    "uri": "spotify:playlist:1",
    "followers": {"href": None, "total": 7},
    "images": [],
    "tracks": {
        "total": 2,
        "next": None,
        "items": [
            {
                "added_at": "2026-11-16",
                "added_by": {"id": "ann", "uri": "spotify:user:ann"},
                "track": {
                    "name": "Doxy",
                    "href": "/t/1",
                    "album": {"name": "Bags' Groove", "href": "/a/1", "year": 1957, "images": [1]},
                },
            },
            {"added_at": None, "added_by": None, "track": None},
        ],
    },
}

NAMES = "abcd"
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=2)
MARKED_PATHS = st.builds("".join, st.tuples(st.sampled_from(("", "", "!")), PATHS.map(".".join)))


def _with_group(entries: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("{}({})".format, MARKED_PATHS, st.lists(entries, max_size=4).map(",".join))


ENTRIES = st.recursive(MARKED_PATHS, _with_group, max_leaves=12)
FIELDS = st.lists(ENTRIES, max_size=4).map(",".join)
UNMARKED = FIELDS.map(lambda text: text.replace("!", "")).filter(bool)
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inside),
    max_leaves=40,
)
OBJECTS = st.dictionaries(st.sampled_from(NAMES), VALUES)
PIECES = (
    *"(),.!* \n\t",
    "\0",
    "é",
    "\ud800",
    "a",
    "name",
    "a(",
    "a.",
    "!a",
    "!(",
    "a()",
    "a(!b,c)",
)
TYPED = st.text(st.characters(exclude_categories=())) | st.lists(st.sampled_from(PIECES)).map(
    "".join
)


LETTERS = dict.fromkeys("abcde", 0)
OBJECT = {name: {name: dict.fromkeys(LETTERS, LETTERS) for name in LETTERS} for name in LETTERS}


def fault(text: str) -> InvalidFields | None:
    try:
        select(parse_fields(text), PLAYLIST)
    except InvalidFields as refused:
        return refused
    return None


def paths(value: Any) -> Iterator[tuple[str, ...]]:
    """Every path in *value*, through lists."""
    if isinstance(value, list):
        for item in value:
            yield from paths(item)
    if isinstance(value, dict):
        for name, inside in value.items():
            yield (name,)
            yield from ((name, *path) for path in paths(inside))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("description,uri", {"description": "for runs", "uri": "spotify:playlist:1"}),
        ("tracks.total", {"tracks": {"total": 2}}),
        ("tracks(total,next)", {"tracks": {"total": 2, "next": None}}),
        ("followers", {"followers": {"href": None, "total": 7}}),
        (
            "tracks.items(added_at,added_by.id)",
            {
                "tracks": {
                    "items": [
                        {"added_at": "2026-11-16", "added_by": {"id": "ann"}},
                        {"added_at": None, "added_by": None},
                    ]
                }
            },
        ),
        (
            "tracks.items(track(name,href,album(name,href)))",
            {
                "tracks": {
                    "items": [
                        {
                            "track": {
                                "name": "Doxy",
                                "href": "/t/1",
                                "album": {"name": "Bags' Groove", "href": "/a/1"},
                            }
                        },
                        {"track": None},
                    ]
                }
            },
        ),
        (
            "tracks.items(track(name,album(!name,href)))",
            {
                "tracks": {
                    "items": [
                        {"track": {"name": "Doxy", "album": {"year": 1957, "images": [1]}}},
                        {"track": None},
                    ]
                }
            },
        ),
        (
            "tracks.items.track.album(!images,year)",
            {
                "tracks": {
                    "items": [
                        {"track": {"album": {"name": "Bags' Groove", "href": "/a/1"}}},
                        {"track": None},
                    ]
                }
            },
        ),
        ("followers()", {"followers": {}}),
        ("followers(nobody)", {"followers": {}}),
        ("tracks.items()", {"tracks": {"items": [{}, {}]}}),
        ("images.url", {"images": []}),
        ("uri.scheme", {"uri": "spotify:playlist:1"}),
        ("nobody,uri", {"uri": "spotify:playlist:1"}),
        ("nobody", {}),
        ("", PLAYLIST),
        (" \n", PLAYLIST),
    ],
)
def test_spotifys_fields_are_selected(text: str, expected: Any) -> None:
    assert select(parse_fields(text), PLAYLIST) == expected


@pytest.mark.parametrize("items", [[{"a": 1, "b": 2}, 3], ({"a": 1, "b": 2}, 3)])
def test_each_object_of_a_list_or_a_tuple_is_narrowed(items: Any) -> None:
    assert select(parse_fields("items(a)"), {"items": items}) == {"items": [{"a": 1}, 3]}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("!a", "b.x,b.y,c.x,c.y"),
        ("!a,b", "c.x,c.y"),
        ("a,!b", "c.x,c.y"),
        ("!a,!b", "c.x,c.y"),
        ("!a.x", "a.y,b,c"),
        ("!a.x,!a.y", "a(),b,c"),
        ("!a(x,y)", "a(),b,c"),
        ("!a(!x)", "a.x,b,c"),
        ("!a()", "a,b,c"),
        ("!a,b.x", "b.x,c"),
        ("!a,b(!x)", "b.y,c"),
        ("!a,a.x", "b,c"),
        ("!a.x,a.x", "a(),b,c"),
        ("!nobody", "a,b,c"),
        ("a(!x)", "a.y"),
    ],
)
def test_an_exclamation_mark_takes_away(text: str, shown: str) -> None:
    value = {name: {"x": 1, "y": 2} for name in "abc"}

    assert select(parse_fields(text), value) == select(parse_fields(shown), value)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (" a , b ( c . d , ! e ) \n", "a,b(c.d,!e)"),
        ("a.b.c", "a(b(c))"),
        ("a.b(c),a.b(d)", "a.b(c,d)"),
        ("a,a", "a"),
        ("a,a.b", "a"),
        ("a(),a.b", "a.b"),
        ("a( )", "a()"),
        ("a(!b),a.b", "a"),
        ("a(!b),a(!c)", "a"),
        ("a(!b,!c),a(!b,!d)", "a(!b)"),
        ("a(!b),a(c)", "a(!b)"),
        ("a(!b.c),a(!b)", "a(!b.c)"),
        ("!a,!a", "!a"),
        ("!a()", ""),
    ],
)
def test_the_same_fields_may_be_written_in_more_than_one_way(text: str, same: str) -> None:
    assert parse_fields(text) == parse_fields(same)


@pytest.mark.parametrize(
    ("text", "position", "fault"),
    [
        (",", 1, "a name is wanted"),
        ("a,", 3, "a name is wanted"),
        ("a,,b", 3, "a name is wanted"),
        ("a.", 3, "a name is wanted"),
        ("a..b", 3, "a name is wanted"),
        (".a", 1, "a name is wanted"),
        ("()", 1, "a name is wanted"),
        ("a.(b)", 3, "a name is wanted"),
        ("a(,)", 3, "a name is wanted"),
        ("a(b,)", 5, "a name is wanted"),
        ("!", 2, "a name is wanted"),
        ("!!a", 2, "a name is wanted"),
        ("a.!b", 3, "a name is wanted"),
        ("a, *", 4, "a name is wanted"),
        ("é", 1, "a name is wanted"),
        ("a b", 3, "a comma is wanted"),
        ("a!b", 2, "a comma is wanted"),
        ("a-b", 2, "a comma is wanted"),
        ("a(b)c", 5, "a comma is wanted"),
        ("a(b).c", 5, "a comma is wanted"),
        ("a(b c)", 5, "a comma is wanted"),
        ("a(b))", 5, "this closes nothing"),
        ("a)", 2, "this closes nothing"),
        ("a(", 3, "a name is wanted"),
        ("a(b", 4, "a parenthesis is not closed"),
        ("a(b(c)", 7, "a parenthesis is not closed"),
    ],
)
def test_malformed_fields_are_refused_where_the_fault_is(
    text: str, position: int, fault: str
) -> None:
    with pytest.raises(InvalidFields) as refused:
        parse_fields(text)

    assert str(refused.value) == f"character {position} of fields: {fault}"
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)
    assert isinstance(refused.value, Refused)


@pytest.mark.parametrize("length", [MOST_CHARACTERS - 1, MOST_CHARACTERS])
def test_fields_have_up_to_a_thousand_characters(length: int) -> None:
    assert wants(parse_fields("a" * length), "a" * length)


def test_longer_fields_are_refused() -> None:
    with pytest.raises(InvalidFields, match="character 1001 of fields: there may be 1000"):
        parse_fields(" " * (MOST_CHARACTERS + 1))


@pytest.mark.parametrize(("before", "after"), [("a.", ""), ("a(", ")"), ("!a(", ")")])
def test_names_are_nested_up_to_sixteen_deep(before: str, after: str) -> None:
    deepest, deeper = (before * more + "a" + after * more for more in (MOST_DEPTH - 1, MOST_DEPTH))
    position = len(before) * MOST_DEPTH + 1

    assert wants(parse_fields(deepest), *"a" * (MOST_DEPTH - 1))
    with pytest.raises(InvalidFields, match=rf"character {position} of .* nested deeper than 16"):
        parse_fields(deeper)


@pytest.mark.parametrize(
    "piece", ["(", ")", "a(", "!a(", "a.", "!", "a,", "a(b),", "!a.b,", ".", ","]
)
def test_nothing_that_is_repeated_does_harm(piece: str) -> None:
    for length in range(MOST_CHARACTERS - len(piece), MOST_CHARACTERS + 1):
        refused = fault((piece * MOST_CHARACTERS)[:length])

        assert refused is None or 1 <= refused.position <= length + 1


@given(TYPED)
def test_any_text_is_fields_or_refused(text: str) -> None:
    refused = fault(text)

    assert refused is None or 1 <= refused.position <= len(text) + 1


@given(FIELDS)
def test_what_is_written_by_the_rules_is_read(text: str) -> None:
    spaced = "".join(f" {letter}\n" for letter in text)

    assert parse_fields(spaced) == parse_fields(text)


@given(OBJECTS)
def test_all_top_level_names_select_all(value: dict[str, Any]) -> None:
    assert select(parse_fields(",".join(value)), value) == value
    assert select(EVERYTHING, value) == value


@given(OBJECTS)
def test_a_marked_name_drops_just_itself(value: dict[str, Any]) -> None:
    rest = {name: inside for name, inside in value.items() if name != "a"}

    assert select(parse_fields("!a"), value) == rest


@given(FIELDS, VALUES)
def test_what_is_wanted_is_what_is_selected(text: str, value: Any) -> None:
    fields = parse_fields(text)

    assert set(paths(select(fields, value))) == {
        path for path in paths(value) if wants(fields, *path)
    }


@given(FIELDS, VALUES)
def test_selecting_again_changes_nothing(text: str, value: Any) -> None:
    fields, before = parse_fields(text), deepcopy(value)
    once = select(fields, value)

    assert select(fields, once) == once
    assert value == before


@given(UNMARKED, UNMARKED, VALUES)
def test_names_without_marks_add_up(one: str, other: str, value: Any) -> None:
    fields = parse_fields(one), parse_fields(other)
    both = parse_fields(f"{one},{other}")

    assert both == parse_fields(f"{other},{one}")
    assert set(paths(select(both, value))) == {
        path for each in fields for path in paths(select(each, value))
    }


@given(FIELDS, FIELDS)
def test_names_that_lead_to_groups_add_up(one: str, other: str) -> None:
    both = parse_fields(f"a({one}),a({other})")
    alone = parse_fields(f"a({one})"), parse_fields(f"a({other})")

    for path in paths(OBJECT):
        assert wants(both, "a", *path) is any(wants(each, "a", *path) for each in alone)


@given(PATHS, VALUES)
def test_a_marked_path_takes_away_itself_and_what_is_inside(path: list[str], value: Any) -> None:
    taken = {found for found in paths(value) if found[: len(path)] == tuple(path)}
    shown = select(parse_fields("!" + ".".join(path)), value)

    assert set(paths(shown)) == set(paths(value)) - taken
