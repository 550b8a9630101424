"""Holding the search index against the catalogue, and making it equal."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from domain.catalogue import EntityKind
from domain.search import Entry, SearchWriter
from streams.entry_maker import EntryMaker

AGAIN_S = 3.0  # by then an indexer has followed what was changed in the meantime
TOGETHER = 500


class What(StrEnum):
    """How the index differs."""

    MISSING = "missing"
    LEFT_OVER = "left over"
    DIFFERENT = "different"


class Difference(Struct, frozen=True, order=True):
    """An entity whose entry is not what the catalogue says."""

    kind: EntityKind
    id: str
    what: What


class IndexCheck:
    """Compares everything; plays are left out, since they are brought up to date by and by."""

    def __init__(self, entries: EntryMaker, writer: SearchWriter) -> None:
        self._entries, self._writer = entries, writer

    async def differences(self, *, again_s: float) -> list[Difference]:
        """Tell what differs, also when it is looked at again *again_s* later."""
        await self._entries.count()
        found = await self._look()
        if found:
            await asyncio.sleep(again_s)
            found &= await self._look()
        return sorted(found)

    async def repair(self, differences: Sequence[Difference]) -> None:
        """Write what stands in the catalogue in place of what differs."""
        ids = defaultdict(list)
        for each in differences:
            ids[each.kind].append(each.id)
        for kind, of_kind in ids.items():
            for begin in range(0, len(of_kind), TOGETHER):
                part = of_kind[begin : begin + TOGETHER]
                entries = await self._entries.entries(kind, part)
                removed = [(kind, each) for each in part if each not in entries]
                await self._writer.write(list(entries.values()), removed)
        await self._writer.commit()

    async def _look(self) -> set[Difference]:
        return {each for kind in EntityKind for each in await self._look_at(kind)}

    async def _look_at(self, kind: EntityKind) -> list[Difference]:
        indexed = {entry.id: _mark(entry) async for entry in self._writer.entries(kind)}
        found = []
        async for entries in self._entries.all(kind):
            for entry in entries:
                mark = indexed.pop(entry.id, None)
                if mark is None:
                    found.append(Difference(kind, entry.id, What.MISSING))
                elif mark != _mark(entry):
                    found.append(Difference(kind, entry.id, What.DIFFERENT))
        return found + [Difference(kind, each, What.LEFT_OVER) for each in indexed]


def _mark(entry: Entry) -> int:
    """Stand for an entry in little memory."""
    return hash(replace(entry, plays=0))
