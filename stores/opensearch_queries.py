"""Queries as OpenSearch takes them, made as trees word by word: nothing that was typed is parsed there."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from domain.catalogue import EntityKind
from domain.lookups import BEGUN, NEW_MS, asked_of, edits_of, exact, is_forgiven, spellings
from domain.search import Query
from stores.opensearch_schema import MOST_BEGUN

MOST_SPELLINGS = 20  # of a misspelt word; sixteen words of them stay below the most clauses, 1024
NAMES = ("name", "artist", "album")

Matching = Mapping[str, Any]


class Cascade:
    """The queries for one kind of entity, from what was typed to what may have been meant."""

    def __init__(self, query: Query, kind: EntityKind, *, now_ms: int) -> None:
        self._query, self._kind, self._now_ms = query, kind, now_ms
        self._asked = asked_of(query, kind)
        self._all = f"{kind}_all"
        self.words = (*query.words, *(word for phrase in query.phrases for word in phrase))

    @property
    def can_match(self) -> bool:
        """Whether anything is asked for, and entities of this kind have what is."""
        return self._asked is not None

    @cached_property
    def _filters(self) -> list[Matching]:
        found = [
            _spelled(f"{self._kind}_{name}", spellings(words, at))
            for name, words in (self._asked or {}).items()
            for at in range(len(words))
        ]
        found += [_term(f"{self._kind}_genre", word) for word in self._query.genre]
        for name, code in (("isrc", self._query.isrc), ("upc", self._query.upc)):
            found += [_term(name, exact(code))] if code else []
        if self._query.years:
            first, last = self._query.years
            found.append({"range": {"year": {"gte": first, "lte": last}}})
        if self._query.is_new:
            found.append({"range": {"added": {"gte": max(self._now_ms - NEW_MS, 0)}}})
        return found

    def literal(self) -> Matching:
        """Every word as it was typed, the last one perhaps not to its end, phrases as they are."""
        words = self._query.words
        parts = [self._word(words, at) for at in range(len(words))]
        if words:
            begun = {"filter": _beginning(self._all, words[-1]), "boost": BEGUN}
            parts[-1] = _some([parts[-1], {"constant_score": begun}])
        return self._filtered(parts + self._phrases())

    def corrected(self, words: Collection[str]) -> Matching:
        """Every word, those of *words* with their typing errors, phrases as they are."""
        return self._filtered(self._forgiving(self._query.words, words) + self._phrases())

    def loosely(self, words: Collection[str]) -> Matching:
        """Every word, those of *words* with their typing errors, also of phrases."""
        return self._filtered(self._forgiving(self.words, words))

    def partly(self, words: Collection[str]) -> Matching:
        """Half of the words and more, also of phrases."""
        parts = self._forgiving(self.words, words)
        return self._filtered([_some(parts, least=(len(parts) + 1) // 2)])

    def has(self, word: str) -> Matching:
        """Any of this kind that has a word."""
        return _term(self._all, word)

    def _forgiving(self, words: Sequence[str], forgiven: Collection[str]) -> list[Matching]:
        parts = [self._word(words, at) for at in range(len(words))]
        return [
            _some([part, _fuzzy(self._all, word, edits_of(word))]) if word in forgiven else part
            for part, word in zip(parts, words, strict=True)
        ]

    def _phrases(self) -> list[Matching]:
        return [self._phrase(phrase) for phrase in self._query.phrases]

    def _word(self, words: Sequence[str], at: int) -> Matching:
        return _spelled(self._all, spellings(words, at))

    def _phrase(self, phrase: Sequence[str]) -> Matching:
        if len(phrase) == 1:
            return _term(self._all, phrase[0])
        return _some([_side_by_side(f"{self._kind}_{each}", phrase) for each in NAMES])

    def _filtered(self, parts: Sequence[Matching]) -> Matching:
        filters = [_term("kind", self._kind), *self._filters]
        if not parts:  # then every one is as good a match as another
            return {"constant_score": {"filter": {"bool": {"filter": filters}}}}
        return {"bool": {"must": parts, "filter": filters}}


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
        """One wrong letter in each word; None: they are too short for that."""
        if not any(map(edits_of, self._words)):
            return None
        *before, last = self._words
        parts = [_fuzzy(self._all, each, min(edits_of(each), 1)) for each in before]
        if not edits_of(last):
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


def _side_by_side(field: str, words: Sequence[str]) -> Matching:
    return {"match_phrase": {field: {"query": " ".join(words), "analyzer": "whitespace"}}}


def _every(parts: Sequence[Matching]) -> Matching:
    return {"bool": {"must": parts}}


def _some(parts: Sequence[Matching], *, least: int = 1) -> Matching:
    if len(parts) == 1:
        return parts[0]
    return {"bool": {"should": parts, "minimum_should_match": least}}
