import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.queries import QUERY_WORDS, parse
from domain.search import Query
from domain.words import WORD_CHARACTERS

PIECES = (
    *("artist:", "album:", "track:", "year:", "genre:", "isrc:", "upc:", "tag:", "tag:new", "ARTIST:"),
    *('"', '""', "“", ":", "*", "(", ")", "\0", "\ud800", "-", "1990", "1990-1995", " ", "\t", "\n"),
    *("NOT ", "AND", "daft punk", "USRC17607839", "00602517737280", "光線", "!!!", "é"),
)  # fmt: skip
TYPED = st.text(st.characters(exclude_categories=())) | st.lists(st.sampled_from(PIECES)).map(
    "".join
)


def of(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One More Time", Query(words=of("one more time"))),
        ("", Query()),
        (" \t\n", Query()),
        ('artist:"Daft Punk" one more', Query(words=of("one more"), artist=of("daft punk"))),
        (
            "artist:daft punk track:one more time",
            Query(artist=of("daft punk"), track=of("one more time")),
        ),
        ("ARTIST:Björk", Query(artist=of("bjork"))),
        ("artist: björk", Query(artist=of("bjork"))),
        (
            'track:"Doxy"artist:“Miles Davis”',
            Query(track=of("doxy"), artist=of("miles davis")),
        ),
        ("album:discovery love", Query(album=of("discovery love"))),
        ("genre:hip hop", Query(genre=of("hip hop"))),
        ("year:1990 love", Query(words=of("love"), years=(1990, 1990))),
        ("love year:1990-1995", Query(words=of("love"), years=(1990, 1995))),
        ("year:1995-1990", Query(years=(1990, 1995))),
        ('year:"1990-1995"', Query(years=(1990, 1995))),
        ("isrc:US-RC1-76-07839", Query(isrc="USRC17607839")),
        ("upc:00602517737280", Query(upc="00602517737280")),
        ("tag:NEW love", Query(words=of("love"), is_new=True)),
        ('say "hello hello" you', Query(words=of("say you"), phrases=(of("hello hello"),))),
        ("artist:artist:", Query(artist=of("artist"))),
        ('"hello"', Query(words=of("hello"))),
        ('artist:abba "dancing queen"', Query(artist=of("abba"), phrases=(of("dancing queen"),))),
        ("artist:!!!", Query(artist=of("!!!"))),
        ("artist:a artist:b", Query(artist=of("a b"))),
    ],
)
def test_a_query_is_read(text: str, expected: Query) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("artist:", "artist"),
        ('artist:""', "artist"),
        ('artist:"', "artist"),
        ('"unbalanced', "unbalanced"),
        ("xartist:abba", "xartist abba"),
        ("year:soon", "year soon"),
        ("year:90", "year 90"),
        ("year:1990-", "year 1990"),
        ("isrc:nonsense", "isrc nonsense"),
        ("upc:12", "upc 12"),
        ("tag:old", "tag old"),
        ("((((love))))", "love"),
        ("NOT love AND -hate", "not love and hate"),
        ("lo\0ve", "lo ve"),
        ("*" * 10_000, "*" * WORD_CHARACTERS),
        ("(" * 5_000 + "love" + ")" * 5_000, "(" * WORD_CHARACTERS),
        ("x" * 10_000, "x" * WORD_CHARACTERS),
        ("word " * 500, "word " * QUERY_WORDS),
        (':"ARTIST:', "artist"),
        ("NOT " * 5_000, "not " * QUERY_WORDS),
        ("artist: " * 5_000, "artist " * QUERY_WORDS),
    ],
)
def test_wrong_syntax_is_text(text: str, words: str) -> None:
    assert parse(text) == Query(words=of(words))


@given(TYPED)
def test_whatever_is_typed_is_a_bounded_query(text: str) -> None:
    query = parse(text)
    found = [
        *(*query.words, *query.artist, *query.album, *query.track, *query.genre),
        *(word for phrase in query.phrases for word in phrase),
    ]

    assert len(found) <= QUERY_WORDS
    assert [word for word in found if word.split() != [word] or len(word) > WORD_CHARACTERS] == []
    assert not query.years or query.years[0] <= query.years[1]


@given(TYPED)
def test_its_words_mean_themselves(text: str) -> None:
    words = parse(text).words

    assert parse(" ".join(words)).words == words
