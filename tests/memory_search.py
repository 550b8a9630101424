"""The writer of a search index in dictionaries, which a crash takes back to its last commit."""

from collections.abc import AsyncGenerator, Sequence

from domain.catalogue import EntityKind
from domain.search import Entry

Key = tuple[EntityKind, str]


class MemoryWriter:
    """A `domain.search.SearchWriter` of one process."""

    def __init__(self) -> None:
        self.committed: dict[Key, Entry] = {}
        self._entries: dict[Key, Entry] = {}
        self._position: int | None = None
        self.commits = 0

    async def position(self) -> int | None:
        return self._position

    async def write(
        self, entries: Sequence[Entry], removed: Sequence[tuple[EntityKind, str]] = ()
    ) -> None:
        for key in removed:
            self._entries.pop(key, None)
        self._entries |= {(entry.kind, entry.id): entry for entry in entries}

    async def fill(self, entries: Sequence[Entry]) -> None:
        await self.write(entries)

    async def commit(self, position: int | None = None) -> None:
        self.committed = dict(self._entries)
        self._position = self._position if position is None else position
        self.commits += 1

    async def entries(self, kind: EntityKind) -> AsyncGenerator[Entry, None]:
        for entry in [each for each in self.committed.values() if each.kind is kind]:
            yield entry

    async def close(self) -> None:
        """Lose what was not committed."""
        self._entries = dict(self.committed)
