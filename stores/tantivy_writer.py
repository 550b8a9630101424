"""The writer of a tantivy index in a directory: `domain.search.SearchWriter`.

What was not committed is gone after a fault, and the next call begins from the last commit.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from tantivy import Index, IndexWriter, Occur, Query, Searcher

from domain.catalogue import EntityKind
from domain.errors import Unavailable
from domain.search import Entry
from stores.tantivy_schema import (
    POSITION,
    SLICES,
    document,
    key_of,
    open_index,
    position_document,
    read_entry,
    schema,
)

# Of what is not committed: about a million entries. An index is filled by as few segments as that
# gives, and a search takes half as long in one as in five: each has a dictionary of its own.
HEAP_BYTES = 512 << 20
THREADS = 1
SCHEMA = schema()

R = TypeVar("R")


class TantivyWriter:
    """Writes on one thread of its own; of all processes one may have it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="search-writer")
        self._index: Index | None = None
        self._writer: IndexWriter | None = None
        self._is_new = self._is_written = False

    async def position(self) -> int | None:
        """Tell the offset up to which the index is complete; None: it was never filled."""
        return await self._run(self._position)

    async def write(
        self, entries: Sequence[Entry], removed: Sequence[tuple[EntityKind, str]] = ()
    ) -> None:
        """Put entries in place of those of the same kind and id."""
        await self._run(lambda: self._write(entries, removed))

    async def fill(self, entries: Sequence[Entry]) -> None:
        """Put entries into an index that is being filled; each comes once."""
        await self._run(lambda: self._fill(entries))

    async def commit(self, position: int | None = None) -> None:
        """Make durable what was written, with *position*."""
        await self._run(lambda: self._commit(position))

    async def entries(self, kind: EntityKind) -> AsyncGenerator[Entry, None]:
        """Read all entries of a kind, slice by slice of one commit."""
        searcher = await self._run(lambda: self._opened().searcher())
        for each in SLICES:
            for entry in await self._run(partial(_entries, searcher, kind, each)):
                yield entry

    async def close(self) -> None:
        """Let go of the index; what was not committed is gone."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    async def _run(self, work: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)

    def _guarded(self, work: Callable[[], R]) -> R:
        try:
            return work()
        except (ValueError, OSError) as error:
            self._writer = self._index = None  # one that failed once fails for ever
            raise Unavailable(_explained(self._directory, error)) from error

    def _opened(self) -> Index:
        if self._index is None:
            self._index = open_index(self._directory)
        self._index.reload()
        return self._index

    def _writing(self) -> IndexWriter:
        if self._writer is None:
            self._writer = self._opened().writer(HEAP_BYTES, THREADS)
        return self._writer

    def _position(self) -> int | None:
        self._writing()  # whoever asks is about to write
        searcher = self._opened().searcher()
        self._is_new = not (searcher.num_docs or self._is_written)
        query = Query.term_query(SCHEMA, "key", POSITION)
        for _, address in searcher.search(query, 1, count=False).hits:
            position: int | None = searcher.doc(address).get_first(POSITION)
            return position
        return None

    def _write(self, entries: Sequence[Entry], removed: Sequence[tuple[EntityKind, str]]) -> None:
        writer, self._is_written = self._writing(), True
        newest = {key_of(entry.kind, entry.id): entry for entry in entries}
        for key in (*newest, *(key_of(*each) for each in removed)):
            writer.delete_documents_by_term("key", key)
        for entry in newest.values():
            writer.add_document(document(entry))

    def _fill(self, entries: Sequence[Entry]) -> None:
        if not self._is_new:
            self._write(entries, ())
            return
        writer, self._is_written = self._writing(), True
        for entry in entries:
            writer.add_document(document(entry))

    def _commit(self, position: int | None) -> None:
        writer = self._writing()
        if position is not None:
            self._is_new = False
            writer.delete_documents_by_term("key", POSITION)
            writer.add_document(position_document(position))
        writer.commit()

    def _close(self) -> None:
        writer, self._writer, self._index = self._writer, None, None
        if writer is not None:
            with suppress(ValueError):  # one that died has let go already
                writer.rollback()
                writer.wait_merging_threads()


def _entries(searcher: Searcher, kind: EntityKind, of_slice: str) -> list[Entry]:
    wanted = [Query.term_query(SCHEMA, "kind", kind), Query.term_query(SCHEMA, "slice", of_slice)]
    query = Query.boolean_query([(Occur.Must, each) for each in wanted])
    hits = searcher.search(query, max(searcher.num_docs, 1), count=False).hits
    return [read_entry(searcher, address) for _, address in hits]


def _explained(directory: Path, error: Exception) -> str:
    if "LockBusy" in str(error):
        return f"another process writes the search index in {directory}: only one may"
    return f"the search index in {directory} cannot be used: {error}"
