import pickle
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.catalogue import EntityKind
from domain.errors import InvalidWeights
from domain.queries import parse
from domain.ranking import Ranked, Taste, Weights, once_each, order, weights_of
from domain.search import Candidate, Entry, Query

NOW_MS = 1_795_000_000_000  # 2026-11-18
TITLES = ("Yellow", "yellow submarine", "!!!", "", "AC/DC", "光線", "Help! (Live) - Remastered")


def track(name: str, artist: str = "", **known: object) -> Entry:
    names = (artist,) if artist else ()
    facts = {"id": f"{name} {artist}", "artists": names, "artist_ids": names} | known
    return Entry(kind=EntityKind.TRACK, name=name, **facts)  # type: ignore[arg-type]


def ranked(
    typed: str,
    entries: Sequence[Entry],
    *,
    weights: Weights | None = None,
    taste: Taste | None = None,
) -> list[Ranked]:
    return order(
        parse(typed),
        [Candidate(entry) for entry in entries],
        weights=weights or Weights(),
        taste=taste or Taste(),
        now_ms=NOW_MS,
    )


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        pytest.param(
            "yellow",
            [
                "Yellow",
                "Yellows",
                "Yellow Submarine",
                "My Big Yellow Submarine",
                "Yelow Day",
                "Blue",
            ],
            id="the-whole-title-then-its-beginning-then-a-part",
        ),
        pytest.param(
            "yelow submarine",
            ["Yellow Submarine", "Yellow Submarine Sandwich", "Yellow Sea"],
            id="misspelt",
        ),
        pytest.param("acdc", ["AC/DC", "ACDC Live Forever", "Accordion"], id="glued"),
        pytest.param("sugar cane", ["Sugarcane", "Sugar"], id="apart"),
        pytest.param(
            "help",
            ["Help! - Remastered 2015", "Help! - Live", "Help Me Out"],
            id="additions-are-forgiven",
        ),
        pytest.param("satisf", ["Satisfaction", "Sad Is The Faction"], id="typed-in-part"),
        pytest.param("satizf", ["Satisfaction", "Sat"], id="typed-in-part-and-misspelt"),
        pytest.param("光線", ["光線", "光と線", "線"], id="without-spaces"),
    ],
)
def test_the_better_match_comes_first(typed: str, names: list[str]) -> None:
    found = ranked(typed, [track(name) for name in reversed(names)])

    assert [one.entry.name for one in found] == names


@pytest.mark.parametrize(
    "typed",
    ["yellow coldplay", "coldplay yellow", "yelow coldplay", "yellow coldpaly", "yellow cold play"],
)
def test_the_artist_decides_between_titles(typed: str) -> None:
    entries = [
        track("Yellow", "Someone", popularity=100),
        track("Yellow Lights", "Coldplay", popularity=40),
        track("Yellow", "Coldplay"),
    ]

    assert ranked(typed, entries)[0].entry.artists == ("Coldplay",)


def test_who_else_is_heard_is_found() -> None:
    entries = [track("Airplanes", "Someone"), track("Airplanes (feat. Hayley Williams)", "B.o.B")]

    assert ranked("airplanes hayley williams", entries)[0].entry.artists == ("B.o.B",)


def test_a_filter_counts_in_its_field_only() -> None:
    entries = [track("Queen", "Someone"), track("Someone", "Queen")]

    assert ranked("artist:queen", entries)[0].entry.name == "Someone"
    assert ranked("track:queen", entries)[0].entry.name == "Queen"


@pytest.mark.parametrize(
    "better",
    [
        pytest.param({"popularity": 50}, id="popular"),
        pytest.param({"plays": 5_000}, id="played"),
        pytest.param({"released": "2026-10-01"}, id="new"),
        pytest.param({"added_ms": NOW_MS - 1_000}, id="just-added"),
        pytest.param({"artist_ids": ("liked",)}, id="by-somebody-liked"),
        pytest.param({"id": "near"}, id="of-near-factors"),
        pytest.param({"id": "A"}, id="of-the-smaller-id-else"),
    ],
)
def test_of_equal_matches_one_comes_first(better: dict[str, object]) -> None:
    taste = Taste({"liked": 0.5}, (0.5, 0.5), {"near": (1.0, 0.2)})
    entries = [track("Yellow", "B"), track("Yellow", "B", **better)]

    assert ranked("yellow", entries, taste=taste)[0].entry == entries[1]


def test_an_artist_is_not_new() -> None:
    queen = Entry(kind=EntityKind.ARTIST, id="queen", name="Queen", added_ms=NOW_MS - 1_000)

    (one,) = ranked("queen", [queen])

    assert one.parts["recency"] == 0


def test_releases_of_one_song_are_shown_once() -> None:
    entries = [
        track("Yellow", "Coldplay", popularity=50),
        track("Yellow!", "Coldplay", id="again"),
        track("Yellow", "Others"),
        replace(track("Yellow", "Coldplay", popularity=20), kind=EntityKind.ALBUM),
        replace(track("Yellow", "Coldplay", popularity=10), kind=EntityKind.ALBUM),
    ]

    shown = once_each(ranked("yellow", entries))

    assert [one.entry for one in shown] == [entries[0], entries[3], entries[4], entries[2]]


def test_the_famous_wins_a_query_of_one_word() -> None:
    entries = [
        track("Queen of Nothing", "Nobody"),
        track("Bohemian Rhapsody", "Queen", popularity=90),
    ]

    assert ranked("queen", entries)[0].entry.artists == ("Queen",)


def test_a_score_is_the_product_of_its_parts() -> None:
    weights = Weights(popularity=1, recency=0.5, taste=2)
    entry = track("Yellow", "a", popularity=50, released="2025-11-18")

    one = ranked("yellow", [entry], weights=weights, taste=Taste({"a": 0.25}))[0]

    assert one.parts == pytest.approx(
        {"likeness": 1, "popularity": 0.5, "recency": 0.5, "taste": 0.25}, abs=0.01
    )
    parts = one.parts
    expected = (1 + parts["popularity"]) * (1 + 0.5 * parts["recency"]) * (1 + 2 * parts["taste"])
    assert one.score == pytest.approx(parts["likeness"] * expected)


@given(
    st.lists(st.sampled_from([track(name, artist) for name in TITLES for artist in TITLES])),
    st.lists(st.sampled_from([*TITLES, "artist:", '"', "yelow", "a b"])).map(" ".join),
    st.randoms(),
)
def test_the_order_is_always_the_same(entries: list[Entry], typed: str, random: object) -> None:
    found = ranked(typed, entries)
    random.shuffle(entries)  # type: ignore[attr-defined]

    assert ranked(typed, entries) == found
    assert sorted(one.entry.id for one in found) == sorted(entry.id for entry in entries)
    assert [
        one for one in found if not all(0 <= part <= 1.0001 for part in one.parts.values())
    ] == []


def test_filters_alone_leave_the_order_to_the_rest() -> None:
    entries = [track("a"), track("b", popularity=10)]

    assert ranked("year:1990", entries)[0].entry.name == "b"
    assert order(Query(), [], now_ms=NOW_MS) == []


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("", Weights()),
        ("popularity=0.3,recency=0.1,taste=0.2", Weights(0.3, 0.1, 0.2)),
        (" taste = 0 ", Weights(taste=0)),
        ("recency=10", Weights(recency=10)),
    ],
)
def test_weights_are_read(text: str, weights: Weights) -> None:
    assert weights_of(text) == weights


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "fame=1",
            "'fame' is no weight, or there twice; the weights are popularity, recency, taste",
        ),
        ("taste=1,taste=1", "'taste' is no weight, or there twice"),
        (",", "'' is no weight"),
        ("taste", "'taste' wants a number from 0 to 10, not ''"),
        ("taste=much", "'taste' wants a number from 0 to 10, not 'much'"),
        ("taste=-1", "'taste' wants a number"),
        ("taste=10.1", "'taste' wants a number"),
        ("taste=nan", "'taste' wants a number"),
    ],
)
def test_wrong_weights_are_named(text: str, said: str) -> None:
    with pytest.raises(InvalidWeights) as refused:
        weights_of(text)

    assert str(refused.value).startswith(said)
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)
