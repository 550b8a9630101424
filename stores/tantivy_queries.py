"""Queries as tantivy takes them, made word by word: its own parser can be killed by what people type."""

from collections.abc import Collection, Iterable, Sequence

from tantivy import FieldType, Occur, Searcher
from tantivy import Query as Matching

from domain.cascade import Cascade
from domain.catalogue import EntityKind
from domain.lookups import BEGUN, edits_of, is_forgiven, longest, spellings
from domain.search import Query
from stores.tantivy_schema import BEGINNINGS, OF_ARTISTS, schema

SCHEMA = schema()
COMMON = 2_000  # a word that so many entries have is not taken for the beginning of another


class TantivyCascade(Cascade[Matching]):
    """The queries for one kind of entity, in one state of the index."""

    def __init__(self, query: Query, kind: EntityKind, searcher: Searcher, *, now_ms: int) -> None:
        super().__init__(query, kind, now_ms=now_ms)
        self._searcher = searcher

    def frequency(self, word: str) -> int:
        """Tell how many entries of this kind have a word."""
        return self._searcher.doc_freq(self._all, word)

    def partly(self, words: Collection[str]) -> Matching:
        """Any of the rarest words, the others welcome: whoever has half of all words has one of these.

        To count the words of each entry, tantivy goes through all that have a common one.
        """
        parts = self._forgiving(self.words, words)
        rarest_first = sorted(range(len(parts)), key=self._most_frequent)
        wanted = len(parts) // 2 + 1
        wants = [(Occur.Must, _some([parts[at] for at in rarest_first[:wanted]]))]
        welcomes = [(Occur.Should, parts[at]) for at in rarest_first[wanted:]]
        return self._filtered([Matching.boolean_query(wants + welcomes)])

    def _most_frequent(self, at: int) -> int:
        return max(map(self.frequency, spellings(self.words, at)))

    def may_match(self, words: Sequence[str], forgiven: Collection[str]) -> bool:
        """Whether each of *words* but those *forgiven* is in some entry; to look for these takes long."""
        return all(word in forgiven or self._known(words, at) for at, word in enumerate(words))

    def _word(self, words: Sequence[str], at: int) -> Matching:
        return self._spelled(self._all, self._known(words, at) or [words[at]])

    def _known(self, words: Sequence[str], at: int) -> list[str]:
        return [each for each in spellings(words, at) if self.frequency(each)]

    def _or_begun(self, whole: Matching, word: str) -> Matching:
        if self.frequency(word) >= COMMON:
            return whole
        begun = beginning(self._kind, word, of_artists=True)
        return _some([whole, Matching.const_score_query(begun, BEGUN)])

    def _filtered(self, parts: Sequence[Matching]) -> Matching:
        if parts:
            filters = [Matching.const_score_query(each, 0.0) for each in self._filters]
            return _every([*parts, *filters])
        facts = [*self._filters, _term("kind", self._kind)]  # which are not of one kind
        return Matching.const_score_query(_every(facts), 1.0)

    def _term(self, field: str, word: str) -> Matching:
        return _term(field, word)

    def _misspelt(self, word: str) -> Matching:
        return _fuzzy(self._all, word, edits_of(word))

    def _side_by_side(self, field: str, words: Sequence[str]) -> Matching:
        return Matching.phrase_query(SCHEMA, field, list(words))

    def _between(self, field: str, first: int, last: int | None) -> Matching:
        return Matching.range_query(SCHEMA, field, FieldType.Unsigned, first, last)

    def _some(self, parts: Sequence[Matching], *, least: int = 1) -> Matching:
        return _some(parts, least=least)


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
        """One wrong letter in each of the longest words; None: they are too short for that."""
        forgiven = longest(filter(is_forgiven, self._words))
        if not forgiven:
            return None
        *before, last = self._words
        parts = [_fuzzy(self._all, each, int(each in forgiven)) for each in before]
        if last in forgiven:
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


def _every(parts: Sequence[Matching]) -> Matching:
    return _combined(Occur.Must, parts)


def _some(parts: Sequence[Matching], *, least: int = 1) -> Matching:
    return _combined(Occur.Should, parts, least=least)


def _combined(occur: Occur, parts: Sequence[Matching], *, least: int | None = None) -> Matching:
    if len(parts) == 1:
        return parts[0]
    return Matching.boolean_query([(occur, each) for each in parts], least)
