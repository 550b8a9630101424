"""What a search index is, wherever it is: in the data directory, or on servers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from domain.catalogue import EntityKind
from domain.search import Candidate, Entry, Query, SearchIndex, SearchWriter
from domain.units import DAY_MS
from domain.words import words
from stores.tantivy_index import TantivyIndex
from stores.tantivy_writer import TantivyWriter
from tests.stores.search_names import new_search_name

NOW = 1_800_000_000_000
ALL = tuple(EntityKind)
ARTIST, ALBUM, TRACK = ALL
MANY = 3_000


class Stage:
    """An index with its writer and a reader, which sees a commit at once."""

    def __init__(
        self, writer: SearchWriter, index: SearchIndex, shown: Callable[[], Awaitable[None]]
    ) -> None:
        self.writer, self.index, self._shown = writer, index, shown
        self._position = 0

    async def put(self, *entries: Entry) -> None:
        """Write and commit."""
        self._position += 1
        await self.writer.write(entries)
        await self.commit(self._position)

    async def commit(self, position: int | None = None) -> None:
        await self.writer.commit(position)
        await self._shown()

    async def candidates(
        self, kinds: Collection[EntityKind] = ALL, *, limit: int = 50, **query: Any
    ) -> list[Candidate]:
        return await self.index.propose(Query(**query), kinds, now_ms=NOW, limit=limit)

    async def found(self, text: str = "", **query: Any) -> set[str]:
        """The ids of what is proposed for the words of *text*."""
        return ids(await self.candidates(words=words(text), **query))

    async def begun(
        self, text: str, kinds: Collection[EntityKind] = ALL, limit: int = 50
    ) -> set[str]:
        """The ids of what completes *text*."""
        return ids(await self.index.complete(words(text), kinds, limit=limit))


def ids(candidates: Sequence[Candidate]) -> set[str]:
    return {candidate.entry.id for candidate in candidates}


async def nothing() -> None:
    """A reader that looks anew each time needs no waiting."""


@pytest.fixture(
    params=["tantivy", pytest.param("opensearch", marks=pytest.mark.servers)],
)
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        if request.param == "tantivy":
            made = Stage(TantivyWriter(tmp_path), TantivyIndex(tmp_path, reload_s=0), nothing)
        else:
            url = request.getfixturevalue("opensearch")
            name = await stack.enter_async_context(new_search_name(url))
            made = Stage(name.writer(), name.index(), name.show)
        yield made
        await made.index.close()
        await made.writer.close()


def track(name: str, artist: str = "Somebody", album: str = "", **more: Any) -> Entry:
    fields = {"id": name, "artists": (artist,), "artist_ids": (artist,), "album": album}
    return Entry(kind=TRACK, name=name, **{**fields, **more})


def album(name: str, artist: str = "Somebody", **more: Any) -> Entry:
    fields = {"id": name, "artists": (artist,), "artist_ids": (artist,)}
    return Entry(kind=ALBUM, name=name, **{**fields, **more})


def artist(name: str, **more: Any) -> Entry:
    return Entry(kind=ARTIST, name=name, **{"id": name, "artist_ids": (name,), **more})


# --- writing -------------------------------------------------------------------------------------


async def test_an_index_that_was_never_filled_has_no_position(stage: Stage) -> None:
    assert await stage.writer.position() is None
    assert await stage.found("anything") == set()
    assert await stage.begun("any") == set()
    assert await stage.index.similar_words("anything", limit=5) == []


async def test_the_position_is_that_of_the_last_commit_that_had_one(stage: Stage) -> None:
    await stage.writer.commit(7)
    await stage.writer.write([track("Hello")])
    await stage.writer.commit()
    kept = await stage.writer.position()
    await stage.writer.commit(9)

    assert (kept, await stage.writer.position()) == (7, 9)


async def test_a_reader_sees_what_was_committed(stage: Stage) -> None:
    entry = track(
        "Hello",
        "Adele",
        "25",
        released="2015-10-23",
        genres=("soul", "pop"),
        isrc="GBBKS1500214",
        popularity=80,
        plays=1024,
        added_ms=NOW - DAY_MS,
        markets=("GB", "US"),
    )
    await stage.put(entry, track("Skyfall", "Adele"))

    assert [each.entry for each in await stage.candidates(words=("hello",))] == [entry]


async def test_the_newest_entry_of_an_id_holds(stage: Stage) -> None:
    await stage.put(track("Helo", id="1"), artist("Helo", id="1"))
    await stage.put(track("Hello", id="1"))
    await stage.put(track("Hallo", id="1"), track("Bonjour", id="1"))

    assert [each.entry.name for each in await stage.candidates([TRACK], words=("bonjour",))] == [
        "Bonjour"
    ]
    assert ids(await stage.candidates([TRACK], words=("hello",))) == set()
    assert ids(await stage.candidates([ARTIST], words=("helo",))) == {"1"}


async def test_an_index_that_is_filled_again_has_each_entry_once(stage: Stage) -> None:
    one, other = track("Hello", id="1"), track("Hello", id="2")
    await stage.writer.position()
    await stage.writer.fill([one])
    await stage.commit()  # and there its filling ended
    place = await stage.writer.position()
    await stage.writer.fill([one, other])
    await stage.commit(1)
    await stage.writer.fill([other])
    await stage.commit(2)
    found = await stage.candidates([TRACK], words=("hello",))

    assert place is None
    assert sorted(each.entry.id for each in found) == ["1", "2"]


async def test_what_is_removed_is_not_found(stage: Stage) -> None:
    await stage.put(track("Hello", id="1"), artist("Hello", id="1"), track("Hello", id="2"))
    await stage.writer.write([], [(TRACK, "1"), (ALBUM, "1"), (TRACK, "9")])
    await stage.commit()

    assert ids(await stage.candidates([TRACK], words=("hello",))) == {"2"}
    assert ids(await stage.candidates([ARTIST], words=("hello",))) == {"1"}


async def test_entries_are_told_by_kind(stage: Stage) -> None:
    tracks = [track("Hello", id=str(number)) for number in range(MANY)]
    await stage.put(*tracks, artist("Adele"))

    seen = [entry async for entry in stage.writer.entries(TRACK)]

    assert sorted(seen, key=lambda entry: int(entry.id)) == tracks
    assert [entry.name async for entry in stage.writer.entries(ARTIST)] == ["Adele"]
    assert [entry async for entry in stage.writer.entries(ALBUM)] == []


async def test_writing_again_changes_nothing(stage: Stage) -> None:
    await stage.put(track("Hello"), track("Hello"))
    await stage.put(track("Hello"))

    assert len([entry async for entry in stage.writer.entries(TRACK)]) == 1


# --- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "hello adele",
        "adele hello",
        "HELLO",
        "hello 25",
        "hel",
        "hello ad",
        "helo adele",
        "hello adelle",
        "hlelo",
        "adele hello something",
    ],
)
async def test_a_track_is_found_by_its_words(stage: Stage, typed: str) -> None:
    await stage.put(track("Hello", "Adele", "25"), track("Nothing Else", "Others"), artist("Zz"))

    assert await stage.found(typed) == {"Hello"}


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("AC/DC", "acdc"),
        ("AC/DC", "ac dc"),
        ("ACDC", "ac dc"),
        ("T.N.T.", "tnt"),
        ("Sugarcane", "sugar cane"),
        ("Sugar Cane", "sugarcane"),
        ("Déjà Vu", "deja vu"),
        ("Déjà Vu", "dejavu"),
        ("Motörhead", "motorhead"),
        ("Кино", "КИНО"),
        ("東京事変", "東京事変"),
        ("東京事変", "東京"),
        ("Kendrick Lamar", "kendrik lamarr"),
        ("Beyoncé", "beyonse"),
    ],
)
@pytest.mark.parametrize("make", [artist, album, track])
async def test_names_are_forgiven_their_spelling(
    stage: Stage, make: Callable[[str], Entry], name: str, typed: str
) -> None:
    await stage.put(make(name), make("Something Different"))

    assert await stage.found(typed) == {name}


@pytest.mark.parametrize(
    ("typed", "is_found"),
    [
        ("sit", False),  # three letters: none may be wrong
        ("salt", True),  # four: one
        ("selt", True),
        ("selk", False),
        ("mountains", True),  # eight and more: two
        ("mountein", True),
        ("muontein", True),
        ("muontxxn", False),
    ],
)
async def test_longer_words_are_forgiven_more(stage: Stage, typed: str, is_found: bool) -> None:
    await stage.put(track("Salt Mountain Sat"), track("Something Different"))

    assert await stage.found(typed) == ({"Salt Mountain Sat"} if is_found else set())


async def test_what_was_typed_comes_before_what_may_be_meant(stage: Stage) -> None:
    await stage.put(*(track("Hallo", id=f"hallo {number}") for number in range(4)), track("Hello"))

    assert "Hello" not in await stage.found("hallo")


async def test_a_rare_word_may_be_a_typing_error_though_somebody_has_it(stage: Stage) -> None:
    await stage.put(artist("Beatels"), artist("Beatles", popularity=90))

    assert await stage.found("beatels") == {"Beatels", "Beatles"}


async def test_all_words_are_wanted_where_something_has_them(stage: Stage) -> None:
    await stage.put(
        *(track("Blue Moon", f"Band {number}", id=str(number)) for number in range(3)),
        track("Blue Sky"),
        track("New Moon"),
    )

    assert await stage.found("blue moon") == {"0", "1", "2"}


async def test_some_words_will_do_where_nothing_has_all(stage: Stage) -> None:
    await stage.put(track("Blue Moon"), track("Blue Sky"), track("Red Sun"))

    assert await stage.found("blue moon unheardof") == {"Blue Moon"}


async def test_kinds_are_proposed_as_asked(stage: Stage) -> None:
    await stage.put(track("Hello", id="t"), album("Hello", id="b"), artist("Hello", id="a"))

    assert await stage.found("hello") == {"t", "b", "a"}
    assert await stage.found("hello", kinds=[ARTIST, ALBUM]) == {"b", "a"}
    assert await stage.found("hello", kinds=[]) == set()


async def test_no_more_than_the_limit_of_each_kind(stage: Stage) -> None:
    await stage.put(
        *(track("Hello", id=f"t{number}") for number in range(30)),
        *(album("Hello", id=f"b{number}") for number in range(30)),
    )

    proposed = await stage.candidates(words=("hello",), limit=7)

    assert sorted(each.entry.kind for each in proposed) == [ALBUM] * 7 + [TRACK] * 7
    assert len(ids(proposed)) == 14


async def test_the_famous_are_among_the_candidates(stage: Stage) -> None:
    await stage.put(
        *(track("Hello", id=str(number)) for number in range(500)),
        track("Hello Is A Long Title For A Track", id="popular", popularity=95),
        track("Hello And Good Bye To All Of You", id="played", plays=10_000_000),
    )

    assert {"popular", "played"} <= await stage.found("hello", limit=20)


async def test_the_nearest_match_is_among_the_candidates(stage: Stage) -> None:
    await stage.put(
        *(track("Hello To Many Others", id=str(number), popularity=90) for number in range(500)),
        track("Hello", id="exact"),
    )

    assert "exact" in await stage.found("hello", limit=20)


# --- phrases and filters -------------------------------------------------------------------------


async def test_the_words_of_a_phrase_stand_side_by_side(stage: Stage) -> None:
    await stage.put(
        track("Dark Side"), track("Side Dark", id="turned"), track("Dark Other Side", id="between")
    )

    assert await stage.found(phrases=(("dark", "side"),)) == {"Dark Side"}
    assert await stage.found("side", phrases=(("dark",),)) >= {"Dark Side", "turned", "between"}


async def test_a_phrase_may_be_the_artist(stage: Stage) -> None:
    await stage.put(track("Money", "Pink Floyd"), track("Money", "Floyd Pink", id="other"))

    assert await stage.found("money", phrases=(("pink", "floyd"),)) == {"Money"}


FILTERED = [
    artist("Adele"),
    album("25", "Adele", id="b25", released="2015-11-20", upc="886445581959", genres=("Soul",)),
    track("Hello", "Adele", "25", released="2015", isrc="GBBKS1500214", genres=("Soul", "UK Pop")),
    track("Skyfall", "Adele", "Skyfall", id="sky", released="2012-10-05"),
    track("Hello", "Lionel Richie", "Can't Slow Down", id="old", released="1984-02"),
    track("Nothing", "The AC/DC Tribute", id="acdc", added_ms=NOW - 13 * DAY_MS),
    track("Else", "Others", id="recent", added_ms=NOW - 15 * DAY_MS),
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"artist": ("adele",)}, {"Adele", "b25", "Hello", "sky"}),
        ({"artist": ("adele",), "words": ("hello",)}, {"Hello"}),
        ({"artist": ("acdc",)}, {"acdc"}),
        ({"artist": ("ac", "dc")}, {"acdc"}),
        ({"artist": ("nobody",), "words": ("hello",)}, set()),
        ({"album": ("25",)}, {"b25", "Hello"}),
        ({"album": ("25",), "artist": ("richie",)}, set()),
        ({"track": ("hello",)}, {"Hello", "old"}),
        ({"track": ("hello",), "artist": ("lionel", "richie")}, {"old"}),
        ({"genre": ("soul",)}, {"b25", "Hello"}),
        ({"genre": ("uk", "pop")}, {"Hello"}),
        ({"years": (2012, 2015)}, {"b25", "Hello", "sky"}),
        ({"years": (2015, 2015), "words": ("hello",)}, {"Hello"}),
        ({"years": (1984, 1984)}, {"old"}),
        ({"years": (1985, 2011)}, set()),
        ({"isrc": "gbbks1500214"}, {"Hello"}),
        ({"upc": "886445581959"}, {"b25"}),
        ({"isrc": "gbbks1500215"}, set()),
        ({"is_new": True}, {"acdc"}),
        ({"is_new": True, "words": ("hello",)}, set()),
        ({}, set()),
    ],
)
async def test_filters_hold_for_every_candidate(
    stage: Stage, query: dict[str, Any], expected: set[str]
) -> None:
    await stage.put(*FILTERED)

    assert ids(await stage.candidates(**query)) == expected


async def test_what_is_only_filtered_is_of_the_kinds_that_were_asked_for(stage: Stage) -> None:
    await stage.put(*FILTERED)

    assert ids(await stage.candidates([ALBUM], years=(2015, 2015))) == {"b25"}
    assert ids(await stage.candidates([TRACK], is_new=True)) == {"acdc"}
    assert len(await stage.candidates(genre=("soul",))) == 2


async def test_the_famous_are_among_what_is_only_filtered(stage: Stage) -> None:
    await stage.put(
        *(track("Hello", id=str(number), released="1999") for number in range(500)),
        track("Good Bye", id="popular", released="1999-05", popularity=95),
    )

    assert "popular" in await stage.found(years=(1999, 1999), limit=20)


async def test_filters_hold_where_words_do_not(stage: Stage) -> None:
    await stage.put(*FILTERED)

    assert await stage.found("helo", artist=("adele",)) == {"Hello"}
    assert await stage.found("hello unheardof", years=(1980, 1990)) == {"old"}


# --- completing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("b", {"Billie Eilish", "Billie Jean", "Bad Guy"}),
        ("bi", {"Billie Eilish", "Billie Jean"}),
        ("bil", {"Billie Eilish", "Billie Jean"}),
        ("Billie", {"Billie Eilish", "Billie Jean"}),
        ("jean", {"Billie Jean"}),
        ("billie j", {"Billie Jean"}),
        ("billie jea", {"Billie Jean"}),
        ("jean bill", {"Billie Jean"}),
        ("acd", {"AC/DC"}),
        ("acdc", {"AC/DC"}),
        ("ac d", {"AC/DC"}),
        ("東", {"東京事変"}),
        ("東京", {"東京事変"}),
        ("bilx", {"Billie Eilish", "Billie Jean"}),
        ("bllie je", {"Billie Jean"}),
        ("bix", set()),
        ("", set()),
    ],
)
async def test_names_are_completed(stage: Stage, typed: str, expected: set[str]) -> None:
    await stage.put(
        artist("Billie Eilish"),
        artist("AC/DC"),
        track("Billie Jean", "Michael Jackson"),
        track("Bad Guy", "Billie Eilish"),
        album("東京事変"),
    )

    assert await stage.begun(typed) == expected


async def test_the_artist_may_stand_beside_the_name(stage: Stage) -> None:
    await stage.put(track("Bad Guy", "Billie Eilish"), track("Bad Guy", "Others", id="other"))

    assert await stage.begun("bad guy bil") == {"Bad Guy"}
    assert await stage.begun("eilish bad") == {"Bad Guy"}


async def test_the_famous_are_completed_first(stage: Stage) -> None:
    await stage.put(
        *(artist(f"Bill {number}") for number in range(100)), artist("Billie", popularity=50)
    )

    assert "Billie" in await stage.begun("bil", limit=5)
    assert len(await stage.begun("bil", limit=5)) == 5


async def test_what_was_typed_whole_is_completed_as_well(stage: Stage) -> None:
    await stage.put(
        *(artist(f"Airplane {number}", popularity=90) for number in range(100)), artist("Air")
    )

    assert "Air" in await stage.begun("air", limit=5)


# --- similar words -------------------------------------------------------------------------------


async def test_similar_words_come_with_how_many_entries_have_them(stage: Stage) -> None:
    await stage.put(
        artist("Beatles"),
        track("Something", "Beatles"),
        track("Bottles"),
        track("Battle Of The Bands"),
    )

    similar = await stage.index.similar_words("beatels", limit=10)

    assert similar[0] == ("beatles", 2)
    assert set(similar[1:]) <= {("bottles", 1), ("battle", 1)}
    assert await stage.index.similar_words("beatels", limit=1) == [("beatles", 2)]
    assert await stage.index.similar_words("unheardof", limit=10) == []


# --- whatever comes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["\0", "*" * 64, "a" * 64, "(((((", "NOT NOT", "name:hello", "~2", "😀", '"', '""""']
)
async def test_what_looks_like_syntax_is_a_word(stage: Stage, typed: str) -> None:
    await stage.put(track("Hello"))

    for query in (Query(words=(typed,) * 16), Query(phrases=((typed, typed),)), Query(isrc=typed)):
        assert await stage.index.propose(query, ALL, now_ms=NOW, limit=5) == []
    assert await stage.index.complete((typed,) * 16, ALL, limit=5) == []
    assert await stage.index.similar_words(typed, limit=5) == []


async def test_many_searches_go_on_at_once(stage: Stage) -> None:
    await stage.put(*(track(f"Song {number}", id=str(number)) for number in range(200)))

    async with asyncio.TaskGroup() as group:
        searches = [group.create_task(stage.found(f"song {number}")) for number in range(200)]

    assert [str(number) in search.result() for number, search in enumerate(searches)] == [
        True
    ] * 200
