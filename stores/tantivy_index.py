"""The readers of a tantivy index in a directory: `domain.search.SearchIndex`."""

import asyncio
from collections.abc import Callable, Collection, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from tantivy import Index

from domain.catalogue import EntityKind
from domain.errors import Unavailable
from domain.search import Candidate, Query
from domain.units import MINUTE_MS
from stores import tantivy_search
from stores.tantivy_schema import commit_of, open_index
from stores.tantivy_snapshot import Snapshot

RELOAD_S = 0.25
THREADS = 4

R = TypeVar("R")


class TantivyIndex:
    """Searches on threads of its own. One instance belongs to one event loop."""

    def __init__(self, directory: Path, *, reload_s: float = RELOAD_S) -> None:
        self._directory, self._reload_s = directory, reload_s
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="search")
        self._index: Index | None = None
        self._snapshot: Snapshot | None = None
        self._commit: Hashable = None
        self._opening: asyncio.Task[Snapshot] | None = None  # one for all who ask meanwhile
        self._look_at = 0.0

    async def propose(
        self, query: Query, kinds: Collection[EntityKind], *, now_ms: int, limit: int
    ) -> list[Candidate]:
        """Propose entries for a query."""

        def find(snapshot: Snapshot) -> list[Candidate]:
            return tantivy_search.propose(snapshot, query, kinds, now_ms=now_ms, limit=limit)

        until = now_ms // MINUTE_MS if query.is_new else None
        return await self._found((query, tuple(kinds), limit, until), find)

    async def complete(
        self, words: Sequence[str], kinds: Collection[EntityKind], *, limit: int
    ) -> list[Candidate]:
        """Propose entries whose names begin so."""
        return await self._found(
            (tuple(words), tuple(kinds), limit),
            lambda snapshot: tantivy_search.complete(snapshot, words, kinds, limit=limit),
        )

    async def similar_words(self, word: str, *, limit: int) -> list[tuple[str, int]]:
        """Tell words within two edits, the nearest and then the most frequent first."""
        snapshot = await self._newest()
        return await self._aside(lambda: tantivy_search.similar_words(snapshot, word)[:limit])

    async def close(self) -> None:
        """Let go of the index."""
        self._threads.shutdown(wait=False)

    async def _found(
        self, question: Hashable, find: Callable[[Snapshot], list[Candidate]]
    ) -> list[Candidate]:
        snapshot = await self._newest()
        found = snapshot.recall(question)
        if found is None:
            found = await self._aside(lambda: find(snapshot))
            snapshot.remember(question, found)
        return list(found)

    async def _newest(self) -> Snapshot:
        """Tell the newest commit, as of a moment ago."""
        snapshot, now_s = self._snapshot, asyncio.get_running_loop().time()
        if snapshot and now_s < self._look_at:
            return snapshot
        self._look_at = now_s + self._reload_s
        commit = commit_of(self._directory)
        if snapshot and commit == self._commit:
            return snapshot
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._renew(commit))
        return await asyncio.shield(self._opening)

    async def _renew(self, commit: Hashable) -> Snapshot:
        snapshot = await self._aside(self._open)
        self._snapshot, self._commit = snapshot, commit
        return snapshot

    def _open(self) -> Snapshot:
        self._index = self._index or open_index(self._directory)
        self._index.reload()
        return Snapshot(self._index.searcher())

    async def _aside(self, work: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._guarded, work)

    def _guarded(self, work: Callable[[], R]) -> R:
        try:
            return work()
        except (ValueError, OSError) as error:
            self._index = self._snapshot = None
            raise Unavailable(f"the search index in {self._directory}: {error}") from error
