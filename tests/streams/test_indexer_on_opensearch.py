"""The indexer and the check, with a real OpenSearch."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import pytest

from domain.catalogue import Artist, EntityKind, Removed
from domain.search import Entry
from stores.opensearch_writer import OpenSearchWriter
from tests.stores.search_names import SearchName, new_search_name
from tests.streams.test_index_check import checking
from tests.streams.test_indexer import BLUES, DAWN, NINA, SINNERMAN, House, Killed

pytestmark = pytest.mark.servers

ARTIST, ALBUM, TRACK = EntityKind
CALLS = 7  # of a writer that has something to do; each of them is the last one once


class DyingWriter(OpenSearchWriter):
    """Dies at the call whose turn has come."""

    calls_left = CALLS

    async def write(
        self, entries: Sequence[Entry], removed: Sequence[tuple[EntityKind, str]] = ()
    ) -> None:
        self._live()
        await super().write(entries, removed)

    async def commit(self, position: int | None = None) -> None:
        self._live()
        await super().commit(position)

    def _live(self) -> None:
        self.calls_left -= 1
        if self.calls_left < 0:
            raise Killed


@pytest.fixture
async def name(opensearch: str) -> AsyncIterator[SearchName]:
    async with new_search_name(opensearch) as made:
        yield made


async def test_killed_anywhere_it_ends_equal_to_the_catalogue(
    name: SearchName, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(name.writer())
    await house.change(NINA, BLUES, SINNERMAN, DAWN)
    await house.play("sin", 1_000)
    await house.indexed()
    await house.writer.close()
    monkeypatch.setattr("tests.stores.search_names.OpenSearchWriter", DyingWriter)

    for calls in range(CALLS):
        await house.change(Artist("nina", f"Nina {calls}"), Removed(TRACK, "dawn"), BLUES)
        await house.change(DAWN)
        await house.play("sin", 2_000 << calls)
        dying: Any = name.writer()
        dying.calls_left, house.writer = calls, dying
        with suppress(Killed):
            await house.indexed()
        await dying.close()
    house.writer = name.writer()
    await house.indexed()

    assert await house.found() == await house.expected()
    await house.writer.close()


async def test_what_differs_is_told_and_repaired(name: SearchName) -> None:
    house = House(name.writer())
    await house.change(NINA, BLUES, SINNERMAN)
    await house.indexed()
    await house.change(Artist("ella", "Ella"), Removed(ALBUM, "blues"))
    await house.writer.write([Entry(kind=ARTIST, id="nobody", name="Nobody")])
    await house.writer.commit()
    check = checking(house)
    found = await check.differences(again_s=0)
    await check.repair(found)

    assert {(each.kind, each.id) for each in found} == {
        *((ALBUM, "blues"), (ARTIST, "ella"), (ARTIST, "nobody"), (TRACK, "sin"))
    }
    assert await check.differences(again_s=0) == []
    assert await house.found() == await house.expected()
    await house.writer.close()
