"""The readers of a tantivy index in a directory: `domain.search.SearchIndex`."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from tantivy import Index, Searcher

from domain.catalogue import EntityKind
from domain.errors import Unavailable
from domain.search import Candidate, Query
from stores import tantivy_search
from stores.tantivy_schema import open_index

RELOAD_S = 0.25
THREADS = 4

R = TypeVar("R")


class TantivyIndex:
    """Searches on threads of its own. One instance belongs to one event loop."""

    def __init__(self, directory: Path, *, reload_s: float = RELOAD_S) -> None:
        self._directory, self._reload_s = directory, reload_s
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="search")
        self._index: Index | None = None
        self._reload_at = 0.0

    async def propose(
        self, query: Query, kinds: Collection[EntityKind], *, now_ms: int, limit: int
    ) -> list[Candidate]:
        """Propose entries for a query."""
        return await self._run(
            lambda searcher: tantivy_search.propose(
                searcher, query, kinds, now_ms=now_ms, limit=limit
            )
        )

    async def complete(
        self, words: Sequence[str], kinds: Collection[EntityKind], *, limit: int
    ) -> list[Candidate]:
        """Propose entries whose names begin so."""
        return await self._run(
            lambda searcher: tantivy_search.complete(searcher, words, kinds, limit=limit)
        )

    async def similar_words(self, word: str, *, limit: int) -> list[tuple[str, int]]:
        """Tell words within two edits, the nearest and then the most frequent first."""
        return await self._run(
            lambda searcher: tantivy_search.similar_words(searcher, word)[:limit]
        )

    async def close(self) -> None:
        """Let go of the index."""
        self._threads.shutdown(wait=False)

    async def _run(self, work: Callable[[Searcher], R]) -> R:
        loop = asyncio.get_running_loop()
        is_due = loop.time() >= self._reload_at
        if is_due:
            self._reload_at = loop.time() + self._reload_s
        return await loop.run_in_executor(self._threads, self._guarded, work, is_due)

    def _guarded(self, work: Callable[[Searcher], R], is_due: bool) -> R:
        try:
            index = self._index = self._index or open_index(self._directory)
            if is_due:
                index.reload()
            return work(index.searcher())
        except (ValueError, OSError) as error:
            self._index = None
            raise Unavailable(f"the search index in {self._directory}: {error}") from error
