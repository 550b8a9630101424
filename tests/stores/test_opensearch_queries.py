import re

from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue import EntityKind
from domain.search import Query
from stores.opensearch_queries import Completion, OpenSearchCascade, misspelt_beginning

WORDS = st.text('ab東.*\\"', min_size=1, max_size=6)
LETTERS = st.sampled_from('abc東.*\\"')


def edited(word: str, at: int, letter: str) -> set[str]:
    """Everything that is one edit away at one place, the word itself included."""
    before, after = word[:at], word[at:]
    turned = before + after[1::-1] + after[2:]
    return {word, before + letter + after, before + letter + after[1:], before + after[1:], turned}


@given(WORDS, st.data(), LETTERS, WORDS)
def test_a_beginning_is_known_with_any_one_edit(
    word: str, data: st.DataObject, letter: str, rest: str
) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    pattern = re.compile(misspelt_beginning(word))

    assert [each for each in edited(word, at, letter) if not pattern.fullmatch(each + rest)] == []


def test_a_beginning_with_two_wrong_letters_is_another() -> None:
    assert not re.fullmatch(misspelt_beginning("bill"), "bxxl")
    assert not re.fullmatch(misspelt_beginning("a.c"), "xbcd")


def test_what_begins_text_in_a_regular_expression_is_a_letter() -> None:
    assert '"' not in re.sub(r'\\"', "", misspelt_beginning('a"b"'))


def test_what_is_typed_is_never_more_than_the_text_of_a_leaf() -> None:
    typed = '") OR {"match_all": {}} *'
    cascade = OpenSearchCascade(
        Query(words=(typed,), phrases=((typed, typed),)), EntityKind.TRACK, now_ms=0
    )

    trees = [
        cascade.literal(),
        cascade.partly({typed}),
        Completion([typed], EntityKind.TRACK).begun(),
    ]

    assert {name for tree in trees for name in names(tree)} <= {
        *("bool", "must", "filter", "should", "minimum_should_match", "term", "prefix", "fuzzy"),
        *("constant_score", "boost", "match_phrase", "query", "analyzer", "value", "fuzziness"),
        *("max_expansions", "kind", "track_all", "track_name", "track_artist", "track_album"),
    }


def names(tree: object) -> set[str]:
    """All keys, however deep."""
    if isinstance(tree, dict):
        return {*tree, *(name for value in tree.values() for name in names(value))}
    if isinstance(tree, list):
        return {name for each in tree for name in names(each)}
    return set()
