"""The indexer and the check, with a real OpenSearch."""

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from domain.catalogue import Artist, EntityKind, Removed
from domain.search import Entry
from tests.stores.search_names import SearchName, new_search_name
from tests.streams.mortality import Killed, Mortality
from tests.streams.test_index_check import checking
from tests.streams.test_indexer import BLUES, DAWN, NINA, SINNERMAN, House

pytestmark = pytest.mark.servers

ARTIST, ALBUM, TRACK = EntityKind
CALLS = 7  # of a writer that has something to do; each of them is the last one once


@pytest.fixture
async def name(opensearch: str) -> AsyncIterator[SearchName]:
    async with new_search_name(opensearch) as made:
        yield made


async def test_killed_anywhere_it_ends_equal_to_the_catalogue(name: SearchName) -> None:
    house = House(name.writer())
    await house.change(NINA, BLUES, SINNERMAN, DAWN)
    await house.play("sin", 1_000)
    await house.indexed()
    await house.writer.close()

    for calls in range(CALLS):
        await house.change(Artist("nina", f"Nina {calls}"), Removed(TRACK, "dawn"), BLUES)
        await house.change(DAWN)
        await house.play("sin", 2_000 << calls)
        house.writer = name.writer()
        Mortality(house.writer, calls)
        with suppress(Killed):
            await house.indexed()
        await house.writer.close()
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
