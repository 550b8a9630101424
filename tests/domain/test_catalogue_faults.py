from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue import Album, AlbumType, Artist, EntityKind, Image, Track
from domain.catalogue_faults import ITEMS, NEEDS, judge
from domain.catalogue_items import MOST_DURATION_MS, NAME_BYTES
from domain.heartbeats import Refusal
from domain.markets import MARKETS
from tests.domain.catalogue import ALBUM, ARTIST, RIGHT, TRACK, items

ARTISTS, ALBUMS, TRACKS = EntityKind


def test_right_items_become_entities() -> None:
    assert judge(ARTISTS, ARTIST) == Artist(
        "4gzpq5DPGxSnKTe4SA8HAU",
        "Coldplay",
        genres=("permanent wave", "pop"),
        images=(Image("https://images.example/coldplay.jpg", 640, 640),),
        popularity=90,
    )
    assert judge(ALBUMS, ALBUM) == Album(
        "0RHX9XECH8IVI3LNgWDpmQ",
        "A Rush of Blood to the Head",
        ("4gzpq5DPGxSnKTe4SA8HAU",),
        type=AlbumType.ALBUM,
        released="2002-08-27",
        upc="724354050428",
        label="Parlophone UK",
        images=(Image("https://images.example/rush.jpg"),),
        popularity=85,
        markets=("AT", "DE", "GB"),
    )
    assert judge(TRACKS, TRACK) == Track(
        "75JFxkI2RXiU7L9VXzMkle",
        "The Scientist",
        ("4gzpq5DPGxSnKTe4SA8HAU",),
        album="0RHX9XECH8IVI3LNgWDpmQ",
        duration_ms=309_600,
        disc_number=1,
        track_number=4,
        isrc="GBAYE0200771",
        genres=("permanent wave",),
        popularity=88,
        markets=("AT", "DE", "GB"),
    )


def test_what_is_left_out_is_not_known() -> None:
    fields = {"id": "t", "name": "T", "artists": ["a"], "album": None, "available_markets": None}

    assert judge(TRACKS, fields) == Track("t", "T", ("a",))


def test_nowhere_is_not_everywhere() -> None:
    nowhere = judge(TRACKS, TRACK | {"available_markets": []})

    assert isinstance(nowhere, Track)
    assert nowhere.markets == ()


def test_an_isrc_is_kept_without_hyphens() -> None:
    track = judge(TRACKS, TRACK | {"isrc": "gb-aye-02-00771"})

    assert isinstance(track, Track)
    assert track.isrc == "GBAYE0200771"


BAD_NAMES = ["", " ", "\u3000", "a\0", "a\n", "a\x85", "\ud800", "é" * (NAME_BYTES // 2) + "e", 1]
BAD_IDS = ["", "a-b", "a b", "é", "x" * 129, "a\n", "٣", 1, ["a"]]
BAD_ARTISTS = [[], "a", ["a", "a"], ["a", ""], ["a", None], [f"a{n}" for n in range(65)], [["a"]]]
BAD_IMAGES = [
    "https://x", [{}], [{"url": "ftp://x"}], [{"url": "https://a b"}], [{"url": "https://x\n"}],
    [{"url": "https://x", "width": 0}], [{"url": "https://x", "depth": 1}],
    [{"url": "https://" + "x" * 2_041}], [{"url": "https://x"}] * 17,
]  # fmt: skip
WRONG = [
    *((kind, "id", value) for kind in EntityKind for value in BAD_IDS),
    *((kind, "name", value) for kind in EntityKind for value in BAD_NAMES),
    *((kind, "artists", value) for kind in (ALBUMS, TRACKS) for value in BAD_ARTISTS),
    *((TRACKS, "album", value) for value in BAD_IDS),
    *((TRACKS, "duration_ms", value) for value in [0, -1, MOST_DURATION_MS + 1, 1.5, "1", True]),
    *((TRACKS, "disc_number", value) for value in [0, -1, 1_001, "1"]),
    *((TRACKS, "track_number", value) for value in [0, -1, 10_001, 1 << 70]),
    *((TRACKS, "explicit", value) for value in [0, 1, "true"]),
    *((TRACKS, "isrc", value) for value in ["", "USRC1760783", "x" * 12, 1]),
    *((ALBUMS, "album_type", value) for value in ["", "Album", "ep", 1]),
    *((ALBUMS, "release_date", value) for value in ["", "2023-02-29", "77", 1977]),
    *((ALBUMS, "upc", value) for value in ["", "724354050429", "72435405042", 724354050428]),
    *((ALBUMS, "label", value) for value in ["a\0", "x" * 513, 1]),
    *((kind, "genres", value) for kind in EntityKind for value in [[""], ["x" * 65], "pop", ["a"] * 33]),
    *((kind, "popularity", value) for kind in EntityKind for value in [-1, 101, 50.5]),
    *((kind, "images", value) for kind in (ARTISTS, ALBUMS) for value in BAD_IMAGES),
    *((TRACKS, "available_markets", value) for value in [["de"], ["DE", "DE"], ["ZZ"], "DE", [""]]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "field", "value"), WRONG, ids=lambda value: ascii(value)[:40])
def test_a_wrong_value_is_refused_by_name(kind: EntityKind, field: str, value: object) -> None:
    refusal = judge(kind, RIGHT[kind] | {field: value})

    assert refusal == Refusal(field, "invalid", f"{field} must be {NEEDS[field]}")


@pytest.mark.parametrize("kind", EntityKind)
def test_what_an_item_cannot_do_without_is_told(kind: EntityKind) -> None:
    for field in {"id", "name", "artists"} & RIGHT[kind].keys():
        without = {name: value for name, value in RIGHT[kind].items() if name != field}
        for fields in (without, without | {field: None}):
            assert judge(kind, fields) == Refusal(field, "invalid", f"{field} is required")


@pytest.mark.parametrize("kind", EntityKind)
def test_a_field_that_there_is_not_is_refused_by_name(kind: EntityKind) -> None:
    refusal = judge(kind, RIGHT[kind] | {"durationms": 1})

    assert isinstance(refusal, Refusal)
    assert (refusal.field, refusal.reason) == ("durationms", "invalid")


@pytest.mark.parametrize("fields", [None, 1, "text", [], [ARTIST]], ids=ascii)
def test_what_is_no_object_is_refused(fields: object) -> None:
    assert judge(ARTISTS, fields) == Refusal("", "invalid", "an item must be an object")


kinds_and_items = st.sampled_from(EntityKind).flatmap(
    lambda kind: st.tuples(st.just(kind), items(kind))
)


@given(kinds_and_items)
def test_right_items_keep_what_they_say(drawn: tuple[EntityKind, dict[str, Any]]) -> None:
    kind, fields = drawn
    entity = judge(kind, fields)

    assert not isinstance(entity, Refusal)
    assert entity.kind is kind
    assert (entity.id, entity.name) == (fields["id"], fields["name"])
    if not isinstance(entity, Artist):
        assert list(entity.artists) == fields["artists"]
        markets = fields.get("available_markets")
        assert entity.markets == (None if markets is None else tuple(markets))
        assert all(MARKETS[code] is code for code in entity.markets or ())


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(kinds_and_items, st.data())
def test_whatever_a_field_says_it_is_taken_or_blamed(
    drawn: tuple[EntityKind, dict[str, Any]], data: st.DataObject
) -> None:
    kind, fields = drawn
    field = data.draw(st.sampled_from([one.name for one in msgspec.structs.fields(ITEMS[kind])]))

    judged = judge(kind, fields | {field: data.draw(anything)})

    assert not isinstance(judged, Refusal) or judged.field == field


@given(
    st.sampled_from(EntityKind),
    anything | st.dictionaries(st.sampled_from(sorted(NEEDS)), anything),
)
def test_whatever_is_sent_is_taken_or_refused(kind: EntityKind, fields: object) -> None:
    judge(kind, fields)
