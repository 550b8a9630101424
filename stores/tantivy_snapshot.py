"""One commit of a tantivy index, with what was read and found of it.

A commit never changes, so nothing here can be out of date. What people type, others typed a moment
ago, above all the first letters of names: what was found for them is found again without the engine.
"""

from collections.abc import Hashable, Sequence
from functools import lru_cache, partial

from tantivy import DocAddress, Searcher

from domain.search import Candidate, Entry
from stores.tantivy_schema import read_entry

ENTRIES_KEPT = 1 << 14  # a kilobyte each
CANDIDATES_KEPT = 1 << 15  # in all answers together; each may keep an entry


class Snapshot:
    """What a searcher sees. `recall` and `remember` are for one thread, all else for any."""

    def __init__(self, searcher: Searcher) -> None:
        self.searcher = searcher
        self._entry = lru_cache(ENTRIES_KEPT)(partial(_read, searcher))
        self._answers: dict[Hashable, Sequence[Candidate]] = {}
        self._kept = 0

    def entry(self, address: DocAddress) -> Entry:
        """Read an entry."""
        return self._entry(address.segment_ord, address.doc)

    def recall(self, question: Hashable) -> Sequence[Candidate] | None:
        """Tell what was found for a question; None: it was not asked lately."""
        found = self._answers.pop(question, None)
        if found is not None:
            self._answers[question] = found  # now the last to be forgotten
        return found

    def remember(self, question: Hashable, found: Sequence[Candidate]) -> None:
        """Keep what was found, in the place of what nobody asked for the longest."""
        self._forget(question)
        self._answers[question] = found
        self._kept += _size(found)
        while self._kept > CANDIDATES_KEPT:
            self._forget(next(iter(self._answers)))

    def _forget(self, question: Hashable) -> None:
        found = self._answers.pop(question, None)
        if found is not None:
            self._kept -= _size(found)


def _size(found: Sequence[Candidate]) -> int:
    return 1 + len(found)


def _read(searcher: Searcher, segment: int, doc: int) -> Entry:
    return read_entry(searcher, DocAddress(segment, doc))
