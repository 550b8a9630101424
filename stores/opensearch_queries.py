"""Queries as OpenSearch takes them, made as trees word by word: nothing that was typed is parsed there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from domain.cascade import Cascade
from domain.catalogue import EntityKind
from domain.lookups import BEGUN, edits_of, is_forgiven, longest, spellings
from stores.opensearch_schema import MOST_BEGUN

MOST_SPELLINGS = 20  # of a misspelt word; sixteen words of them stay below the most clauses, 1024

Matching = Mapping[str, Any]


class OpenSearchCascade(Cascade[Matching]):
    """The queries for one kind of entity."""

    def has(self, word: str) -> Matching:
        """Any of this kind that has a word."""
        return _term(self._all, word)

    def _or_begun(self, whole: Matching, word: str) -> Matching:
        begun = {"filter": _beginning(self._all, word), "boost": BEGUN}
        return _some([whole, {"constant_score": begun}])

    def _filtered(self, parts: Sequence[Matching]) -> Matching:
        filters = [_term("kind", self._kind), *self._filters]
        if not parts:
            return {"constant_score": {"filter": {"bool": {"filter": filters}}}}
        return {"bool": {"must": parts, "filter": filters}}

    def _term(self, field: str, word: str) -> Matching:
        return _term(field, word)

    def _misspelt(self, word: str) -> Matching:
        return _fuzzy(self._all, word, edits_of(word))

    def _side_by_side(self, field: str, words: Sequence[str]) -> Matching:
        return {"match_phrase": {field: {"query": " ".join(words), "analyzer": "whitespace"}}}

    def _between(self, field: str, first: int, last: int | None) -> Matching:
        return {"range": {field: {"gte": first} | ({} if last is None else {"lte": last})}}

    def _some(self, parts: Sequence[Matching], *, least: int = 1) -> Matching:
        return _some(parts, least=least)


class Completion:
    """The queries for names of one kind that begin as was typed."""

    def __init__(self, words: Sequence[str], kind: EntityKind) -> None:
        self._name, self._all, self._words = f"{kind}_name", f"{kind}_all", words
        self._before = [
            _spelled(self._all, spellings(words[:-1], at)) for at in range(len(words) - 1)
        ]
        # The artist may stand beside the name, but is not completed for the name.
        self._last = self._all if self._before else self._name

    def begun(self) -> Matching:
        """The last word not to its end."""
        return _every([*self._before, _beginning(self._last, self._words[-1])])

    def whole(self) -> Matching:
        """Every word to its end."""
        return _every([*self._before, _term(self._name, self._words[-1])])

    def misspelt(self) -> Matching | None:
        """One wrong letter in each of the longest words; None: they are too short for that."""
        forgiven = longest(filter(is_forgiven, self._words))
        if not forgiven:
            return None
        *before, last = self._words
        parts = [_fuzzy(self._all, each, int(each in forgiven)) for each in before]
        if last not in forgiven:
            return _every([*parts, _beginning(self._last, last)])
        begun = {"value": misspelt_beginning(last[:MOST_BEGUN]), "flags": "NONE"}
        return _every([*parts, {"regexp": {self._last: begun}}])


def by_fame(matching: Matching) -> Matching:
    """Match the same, and multiply the score by the logarithm of the fame."""
    factor = {"field": "fame", "modifier": "log2p", "missing": 0}
    return {
        "function_score": {
            "query": matching,
            "field_value_factor": factor,
            "boost_mode": "multiply",
        }
    }


def misspelt_beginning(word: str) -> str:
    """Write as a regular expression: begins with *word*, or with what is one edit away from it."""
    letters = [letter if letter.isalnum() else f"\\{letter}" for letter in word]
    wrong = {"".join(letters)}
    for at in range(len(letters)):
        before, after = letters[:at], letters[at + 1 :]
        wrong.add("".join([*before, ".", *after]))
        wrong.add("".join([*before, ".", *letters[at:]]))
        wrong.add("".join([*before, *after]))
        if after:
            wrong.add("".join([*before, after[0], letters[at], *after[1:]]))
    return f"({'|'.join(sorted(wrong))}).*"


def _term(field: str, word: str) -> Matching:
    return {"term": {field: word}}


def _spelled(field: str, words: Iterable[str]) -> Matching:
    return _some([_term(field, word) for word in words])


def _fuzzy(field: str, word: str, edits: int) -> Matching:
    if not edits or not is_forgiven(word):
        return _term(field, word)
    wanted = {"value": word, "fuzziness": edits, "max_expansions": MOST_SPELLINGS}
    return {"fuzzy": {field: wanted}}


def _beginning(field: str, word: str) -> Matching:
    return {"prefix": {field: word}}


def _every(parts: Sequence[Matching]) -> Matching:
    return {"bool": {"must": parts}}


def _some(parts: Sequence[Matching], *, least: int = 1) -> Matching:
    if len(parts) == 1:
        return parts[0]
    return {"bool": {"should": parts, "minimum_should_match": least}}
