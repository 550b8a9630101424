"""The queries for one kind of entity, from what was typed to what may have been meant, in any engine's terms."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Generic, TypeVar

from domain.catalogue import EntityKind
from domain.lookups import NEW_MS, asked_of, exact, spellings
from domain.search import Query

NAMES = ("name", "artist", "album")  # the fields of each kind that hold words in their order

M = TypeVar("M")


class Cascade(ABC, Generic[M]):
    """Makes queries, of the engine's type *M*; an engine says how each part of one is written.

    The fields of a kind are called ``KIND_all``, which holds all its words, ``KIND_name``,
    ``KIND_artist``, ``KIND_album`` and ``KIND_genre``; all kinds share ``isrc``, ``upc``, ``year``
    and ``added``.
    """

    def __init__(self, query: Query, kind: EntityKind, *, now_ms: int) -> None:
        self._query, self._kind, self._now_ms = query, kind, now_ms
        self._asked = asked_of(query, kind)
        self._all = f"{kind}_all"
        self.words = (*query.words, *(word for phrase in query.phrases for word in phrase))

    @property
    def can_match(self) -> bool:
        """Whether anything is asked for, and entities of this kind have what is."""
        return self._asked is not None

    def literal(self) -> M:
        """Every word as it was typed, the last one perhaps not to its end, phrases as they are."""
        words = self._query.words
        parts = [self._word(words, at) for at in range(len(words))]
        if words:
            parts[-1] = self._or_begun(parts[-1], words[-1])
        return self._filtered(parts + self._phrases())

    def corrected(self, words: Collection[str]) -> M:
        """Every word, those of *words* with their typing errors, phrases as they are."""
        return self._filtered(self._forgiving(self._query.words, words) + self._phrases())

    def loosely(self, words: Collection[str]) -> M:
        """Every word, those of *words* with their typing errors, also of phrases."""
        return self._filtered(self._forgiving(self.words, words))

    def partly(self, words: Collection[str]) -> M:
        """Half of the words and more, also of phrases."""
        parts = self._forgiving(self.words, words)
        return self._filtered([self._some(parts, least=(len(parts) + 1) // 2)])

    @cached_property
    def _filters(self) -> list[M]:
        query = self._query
        found = [
            self._spelled(f"{self._kind}_{name}", spellings(words, at))
            for name, words in (self._asked or {}).items()
            for at in range(len(words))
        ]
        found += [self._term(f"{self._kind}_genre", word) for word in query.genre]
        for name, code in (("isrc", query.isrc), ("upc", query.upc)):
            found += [self._term(name, exact(code))] if code else []
        if query.years:
            found.append(self._between("year", *query.years))
        if query.is_new:
            found.append(self._between("added", max(self._now_ms - NEW_MS, 0), None))
        return found

    def _forgiving(self, words: Sequence[str], forgiven: Collection[str]) -> list[M]:
        parts = [self._word(words, at) for at in range(len(words))]
        return [
            self._some([part, self._misspelt(word)]) if word in forgiven else part
            for part, word in zip(parts, words, strict=True)
        ]

    def _phrases(self) -> list[M]:
        return [self._phrase(phrase) for phrase in self._query.phrases]

    def _phrase(self, phrase: Sequence[str]) -> M:
        if len(phrase) == 1:
            return self._term(self._all, phrase[0])
        return self._some([self._side_by_side(f"{self._kind}_{name}", phrase) for name in NAMES])

    def _word(self, words: Sequence[str], at: int) -> M:
        return self._spelled(self._all, spellings(words, at))

    def _spelled(self, field: str, words: Sequence[str]) -> M:
        return self._some([self._term(field, word) for word in words])

    @abstractmethod
    def _or_begun(self, whole: M, word: str) -> M:
        """Match *whole*, or for less any word that begins with *word*."""

    @abstractmethod
    def _filtered(self, parts: Sequence[M]) -> M:
        """Match all of *parts* and of the filters; without parts every one is as good as another."""

    @abstractmethod
    def _term(self, field: str, word: str) -> M:
        """Match a word."""

    @abstractmethod
    def _misspelt(self, word: str) -> M:
        """Match a word with as many errors as it is forgiven."""

    @abstractmethod
    def _side_by_side(self, field: str, words: Sequence[str]) -> M:
        """Match words that follow each other."""

    @abstractmethod
    def _between(self, field: str, first: int, last: int | None) -> M:
        """Match numbers from *first* to *last*, both inclusive."""

    @abstractmethod
    def _some(self, parts: Sequence[M], *, least: int = 1) -> M:
        """Match at least so many of *parts*."""
