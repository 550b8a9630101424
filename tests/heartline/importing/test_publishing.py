from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from domain.catalogue import Album, Artist, Change, Entity, EntityKind, Track
from heartline.catalogues import Changing
from heartline.importing.gathered import Told
from heartline.importing.outcome import Outcome
from heartline.importing.publishing import publish
from heartline.importing.targets import DryRun, IntoCatalogue
from stores.catalogue import Catalogue
from stores.catalogue_log import PARTITIONS, CatalogueLog
from stores.isrcs import Isrcs
from stores.sqlite_log import SqliteLog
from stores.sqlite_tables import SqliteTables
from tests.clock import Clock

ISRC, OTHER_ISRC = "USRC17607839", "GBAYE0601498"
ANN = Artist("ann", "Ann", genres=("pop",), popularity=40)
ONE = Track("1", "One", ("ann",), duration_ms=1_000, isrc=ISRC)


class World:
    """A catalogue in files, and what an import does to it."""

    def __init__(self, tables: SqliteTables, log: CatalogueLog) -> None:
        self.catalogue, self.isrcs = Catalogue(tables), Isrcs(tables)
        self._change = Changing(log, self.catalogue, still_s=0)
        self._log = log

    async def bring_in(self, *entities: Entity) -> Outcome:
        target = IntoCatalogue(self._change, self.isrcs, is_alone=True)
        return await brought_in(target, entities)

    async def write(self, *changes: Change) -> None:
        await self._change.publish(changes)
        await self._change.applied()

    async def end(self) -> int:
        return await self._log.end()


async def brought_in(target: IntoCatalogue | DryRun, entities: Sequence[Entity]) -> Outcome:
    outcome = Outcome()
    await publish([Told(one, f"c.csv:{at}") for at, one in enumerate(entities)], target, outcome)
    return outcome


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    tables = SqliteTables.open(tmp_path / "store.db", now_ms=Clock())
    log = CatalogueLog(
        SqliteLog.open(tmp_path / "catalogue.db", now_ms=Clock(), partitions=PARTITIONS)
    )
    yield World(tables, log)
    await log.close()
    await tables.close()


async def test_what_is_new_stands_afterwards(world: World) -> None:
    outcome = await world.bring_in(ONE)

    assert await world.catalogue.tracks(["1"]) == {"1": ONE}
    assert await world.isrcs.holders([ISRC]) == {ISRC: "1"}
    assert (outcome.changed[EntityKind.TRACK], outcome.unchanged) == (1, 0)


async def test_the_same_again_publishes_nothing(world: World) -> None:
    await world.bring_in(ONE)
    end = await world.end()

    outcome = await world.bring_in(ONE)

    assert await world.end() == end
    assert (outcome.changed, outcome.unchanged, outcome.is_in_vain) == ({}, 1, False)


async def test_of_a_track_a_file_decides_what_it_tells(world: World) -> None:
    await world.write(replace(ONE, name="Won", popularity=9, markets=("DE",)))

    await world.bring_in(ONE)

    assert await world.catalogue.tracks(["1"]) == {"1": replace(ONE, popularity=9, markets=("DE",))}


async def test_of_an_artist_and_an_album_what_stands_stays(world: World) -> None:
    album = Album("l", "L", ("ann",), label="Ours")
    await world.write(ANN, album)

    await world.bring_in(replace(ANN, name="ANN", genres=("folk",), popularity=3))
    await world.bring_in(replace(album, label="", released="1999"))

    assert await world.catalogue.artists(["ann"]) == {"ann": replace(ANN, genres=("pop", "folk"))}
    assert await world.catalogue.albums(["l"]) == {"l": replace(album, released="1999")}


async def test_an_isrc_that_another_track_has_is_refused_and_the_rest_is_not(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.bring_in(ONE)

    outcome = await world.bring_in(Track("2", "Two", isrc=ISRC), Track("3", "Three"))

    assert outcome.rejected == {"isrc: taken": 1}
    assert set(await world.catalogue.tracks("123")) == {"1", "3"}
    assert f"c.csv:0: isrc: {ISRC} is that of the track 1" in capsys.readouterr().err


async def test_an_isrc_that_a_track_no_longer_has_is_free(world: World) -> None:
    await world.bring_in(ONE)
    await world.bring_in(replace(ONE, isrc=OTHER_ISRC))

    outcome = await world.bring_in(Track("2", "Two", isrc=ISRC))

    assert not outcome.rejected
    assert await world.isrcs.holders([ISRC, OTHER_ISRC]) == {ISRC: "2", OTHER_ISRC: "1"}


async def test_a_dry_run_tells_the_same_and_changes_nothing(world: World) -> None:
    await world.bring_in(ONE)
    end = await world.end()
    entities = [ONE, Track("2", "Two", isrc=ISRC), Track("3", "Three", isrc=OTHER_ISRC)]

    outcome = await brought_in(DryRun(world.catalogue, world.isrcs), entities)

    assert outcome.document() == {
        "rows": 0,
        "artists": 0,
        "albums": 0,
        "tracks": 1,
        "unchanged": 1,
        "rejected": {"isrc: taken": 1},
    }
    assert await world.end() == end
    assert await world.isrcs.holders([OTHER_ISRC]) == {}
