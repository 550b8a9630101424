from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stores.sqlite_tables import SqliteTables
from stores.titles import Catalogue, Track
from tests.clock import Clock


@pytest.fixture
async def catalogue(tmp_path: Path) -> AsyncIterator[Catalogue]:
    tables = SqliteTables.open(tmp_path / "store.db", now_ms=Clock())
    yield Catalogue(tables)
    await tables.close()


async def test_tracks_are_found_by_their_ids_and_unknown_ones_left_out(
    catalogue: Catalogue,
) -> None:
    one, two = Track("1", "One", "U2", "Achtung Baby", 276_000), Track("2", "Two")
    await catalogue.put_many([one, two])

    assert await catalogue.titles(["2", "3", "1", "1"]) == {"1": one, "2": two}
    assert await catalogue.titles([]) == {}


async def test_the_newest_description_of_a_track_holds(catalogue: Catalogue) -> None:
    await catalogue.put_many([Track("1", "Onne"), Track("1", "One")])
    await catalogue.put_many([Track("1", "ONE")])
    await catalogue.put_many([Track("1", "ONE")])

    assert await catalogue.titles(["1"]) == {"1": Track("1", "ONE")}
