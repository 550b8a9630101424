"""Queries as tantivy takes them, made word by word: its own parser can be killed by what people type."""

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property

from tantivy import FieldType, Occur, Searcher
from tantivy import Query as Matching

from domain.catalogue import EntityKind
from domain.lookups import BEGUN, NEW_MS, asked_of, edits_of, exact, spellings
from domain.search import Query
from stores.tantivy_schema import BEGINNINGS, OF_ARTISTS, schema

SCHEMA = schema()
COMMON = 2_000  # a word that so many entries have is not taken for the beginning of another


class Cascade:
    """The queries for one kind of entity, from what was typed to what may have been meant."""

    def __init__(self, query: Query, kind: EntityKind, searcher: Searcher, *, now_ms: int) -> None:
        self._query, self._kind, self._now_ms = query, kind, now_ms
        self._asked = asked_of(query, kind)
        self._searcher, self._all = searcher, f"{kind}_all"
        self.words = (*query.words, *(word for phrase in query.phrases for word in phrase))

    def frequency(self, word: str) -> int:
        """Tell how many entries of this kind have a word."""
        return self._searcher.doc_freq(self._all, word)

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
            found.append(_between("year", *self._query.years))
        if self._query.is_new:
            found.append(_between("added", max(self._now_ms - NEW_MS, 0), None))
        if not self.words:
            # Every one is as good a match as another; facts alone are not of one kind.
            return [Matching.const_score_query(_every([*found, _term("kind", self._kind)]), 1.0)]
        return [Matching.const_score_query(each, 0.0) for each in found]

    def literal(self) -> Matching:
        """Every word as it was typed, the last one perhaps not to its end, phrases as they are."""
        words = self._query.words
        parts = [self._word(words, at) for at in range(len(words))]
        if words and self.frequency(words[-1]) < COMMON:
            begun = beginning(self._kind, words[-1], of_artists=True)
            parts[-1] = _some([parts[-1], Matching.const_score_query(begun, BEGUN)])
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

    def _forgiving(self, words: Sequence[str], forgiven: Collection[str]) -> list[Matching]:
        parts = [self._word(words, at) for at in range(len(words))]
        return [
            _some([part, _fuzzy(self._all, word, edits_of(word))]) if word in forgiven else part
            for part, word in zip(parts, words, strict=True)
        ]

    def _phrases(self) -> list[Matching]:
        return [self._phrase(phrase) for phrase in self._query.phrases]

    def _word(self, words: Sequence[str], at: int) -> Matching:
        known = [each for each in spellings(words, at) if self.frequency(each)]
        return _spelled(self._all, known or [words[at]])

    def _phrase(self, phrase: Sequence[str]) -> Matching:
        if len(phrase) == 1:
            return _term(self._all, phrase[0])
        fields = [f"{self._kind}_{name}" for name in ("name", "artist", "album")]
        return _some([Matching.phrase_query(SCHEMA, field, list(phrase)) for field in fields])

    def _filtered(self, parts: Iterable[Matching]) -> Matching:
        return _every([*parts, *self._filters])


class Completion:
    """The queries for names of one kind that begin as was typed."""

    def __init__(self, words: Sequence[str], kind: EntityKind) -> None:
        self._kind, self._all, self._words = kind, f"{kind}_all", words
        self._before = [
            _spelled(self._all, spellings(words[:-1], at)) for at in range(len(words) - 1)
        ]

    def begun(self) -> Matching:
        """The last word not to its end."""
        has_more = len(self._words) > 1
        return _every([*self._before, beginning(self._kind, self._words[-1], of_artists=has_more)])

    def whole(self) -> Matching:
        """Every word to its end."""
        return _every([*self._before, _term(f"{self._kind}_name", self._words[-1])])

    def misspelt(self) -> Matching | None:
        """One wrong letter in each word; None: they are too short for that."""
        if not any(map(edits_of, self._words)):
            return None
        *before, last = self._words
        parts = [_fuzzy(self._all, each, min(edits_of(each), 1)) for each in before]
        if edits_of(last):
            field = self._all if before else f"{self._kind}_name"
            return _every([*parts, _fuzzy(field, last, 1, prefix=True)])
        return _every([*parts, beginning(self._kind, last, of_artists=bool(before))])


def similar(kind: EntityKind, word: str) -> Matching:
    """Match words within two edits."""
    return _fuzzy(f"{kind}_all", word, 2)


def beginning(kind: EntityKind, word: str, *, of_artists: bool) -> Matching:
    """Match words that begin so, in names, or in names and what stands beside them."""
    if len(word) > BEGINNINGS:
        return _fuzzy(f"{kind}_all" if of_artists else f"{kind}_name", word, 0, prefix=True)
    return _spelled(f"{kind}_begins", [word, OF_ARTISTS + word] if of_artists else [word])


def _term(field: str, word: str) -> Matching:
    return Matching.term_query(SCHEMA, field, word, "freq")


def _spelled(field: str, words: Iterable[str]) -> Matching:
    return _some([_term(field, word) for word in words])


def _fuzzy(field: str, word: str, edits: int, *, prefix: bool = False) -> Matching:
    return Matching.fuzzy_term_query(SCHEMA, field, word, edits, prefix=prefix)


def _between(field: str, first: int, last: int | None) -> Matching:
    return Matching.range_query(SCHEMA, field, FieldType.Unsigned, first, last)


def _every(parts: Sequence[Matching]) -> Matching:
    return _combined(Occur.Must, parts)


def _some(parts: Sequence[Matching], *, least: int = 1) -> Matching:
    return _combined(Occur.Should, parts, least=least)


def _combined(occur: Occur, parts: Sequence[Matching], *, least: int | None = None) -> Matching:
    if len(parts) == 1:
        return parts[0]
    return Matching.boolean_query([(occur, each) for each in parts], least)
