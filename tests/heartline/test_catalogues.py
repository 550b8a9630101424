import asyncio
from pathlib import Path

import pytest

from domain.catalogue import Artist
from heartline import wiring
from heartline.catalogues import Changing, catalogue_log_of, changing
from heartline.settings import Settings
from stores.catalogue import Catalogue
from streams.cataloguer import Cataloguer, keep_cataloguing

NINA = Artist("a", "Nina")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path)


async def test_where_nobody_follows_the_log_a_command_applies_its_changes(
    settings: Settings,
) -> None:
    async with wiring.store(settings, make=True) as tables:
        async with changing(settings, tables, still_s=0.0) as change:
            await change.publish([NINA])
            await change.publish([Artist("b", "Miles")])

        assert set(await Catalogue(tables).artists("ab")) == {"a", "b"}
    async with catalogue_log_of(settings) as log:
        assert await log.applied() == await log.end() == 2


async def test_where_somebody_follows_it_a_command_waits_for_him(settings: Settings) -> None:
    async with wiring.store(settings, make=True) as tables, catalogue_log_of(settings) as log:
        following = asyncio.create_task(keep_cataloguing(Cataloguer(log, Catalogue(tables))))

        async with catalogue_log_of(settings) as own:
            change = Changing(own, Catalogue(tables), still_s=60.0)
            await change.publish([NINA])
            await change.applied()

        assert await change.catalogue.artists(["a"]) == {"a": NINA}
        following.cancel()


async def test_a_command_compares_with_all_that_was_acknowledged_before(
    settings: Settings,
) -> None:
    async with wiring.store(settings, make=True) as tables:
        async with catalogue_log_of(settings) as log:
            await log.publish([NINA])

        async with changing(settings, tables, still_s=0.0) as change:
            assert await change.catalogue.missing([Artist("a", "thin")]) == []


async def test_a_command_waits_for_who_brings_the_store_on_before_it_compares(
    settings: Settings,
) -> None:
    async with wiring.store(settings, make=True) as tables, catalogue_log_of(settings) as log:
        await log.publish([NINA])
        following = asyncio.create_task(keep_cataloguing(Cataloguer(log, Catalogue(tables))))

        async with changing(settings, tables, still_s=60.0) as change:
            assert await change.catalogue.artists(["a"]) == {"a": NINA}
        following.cancel()


async def test_a_store_that_was_deleted_is_made_anew_before_a_command_compares(
    settings: Settings,
) -> None:
    async with (
        wiring.store(settings, make=True) as tables,
        changing(settings, tables, still_s=0.0) as change,
    ):
        await change.publish([NINA])
    for file in settings.data.glob("store.db*"):
        file.unlink()

    async with (
        wiring.store(settings, make=True) as tables,
        changing(settings, tables, still_s=0.0) as change,
    ):
        assert await change.catalogue.artists(["a"]) == {"a": NINA}


async def test_a_command_that_published_nothing_waits_for_nothing(settings: Settings) -> None:
    async with wiring.store(settings, make=True) as tables, changing(settings, tables):
        pass


async def test_after_the_log_was_deleted_a_command_goes_on_behind_the_store(
    settings: Settings,
) -> None:
    async with wiring.store(settings, make=True) as tables:
        async with changing(settings, tables, still_s=0.0) as change:
            await change.publish([NINA])
        for file in settings.data.glob("catalogue.db*"):
            file.unlink()

        async with changing(settings, tables, still_s=0.0) as change:
            await change.publish([Artist("a", "Eunice")])

        assert (await Catalogue(tables).artists("a"))["a"].name == "Eunice"
