"""What an operator's Prometheus sees, while all is well and while something is away."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from domain.errors import Unavailable
from domain.units import MINUTE_MS, SECOND_MS
from heartline.exposition import Exposition
from heartline.recount_result import NAME, RecountResult, keep_result, last_result
from tests.heartline.test_readiness import House, settled


class Scraped:
    """One scrape of a house, as Prometheus reads it."""

    def __init__(self, text: bytes) -> None:
        self._samples = [
            sample
            for family in text_string_to_metric_families(text.decode())
            for sample in family.samples
        ]

    def value(self, name: str, **labels: str) -> float | None:
        found = [
            each.value
            for each in self._samples
            if each.name == f"heartline_{name}" and each.labels == labels
        ]
        return found[0] if found else None


class Scraper:
    """Scrapes a house with one shard."""

    def __init__(self, house: House) -> None:
        self.house, self.away = house, False
        self._exposition = Exposition(
            status=self._status,
            checks=house.checks_with(house.shard),
            board=list,
            recounted=lambda: last_result(house.folder),
            now_ms=house.clock,
            version="1.2.3",
        )

    async def _status(self) -> Mapping[str, Any]:
        if self.away:
            raise Unavailable("the store is away")
        return await self.house.status()

    async def __call__(self) -> Scraped:
        return Scraped(await self._exposition())


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    await made.append(0, 30)
    await settled(made)
    yield made
    await made.close()


async def test_a_scrape_tells_how_far_each_partition_is(house: House) -> None:
    scrape = Scraper(house)
    with house.locked("store.db"):
        await house.append(60)
        house.clock.advance(90 * SECOND_MS)
        told = await scrape()

    assert told.value("log_records", partition="0") == 2
    assert told.value("lag_records", partition="0") == 0
    assert told.value("lag_seconds", partition="0") == 90
    assert told.value("undurable_records", partition="0") == 1
    assert told.value("staleness_seconds", partition="0") == 90
    assert told.value("listeners", partition="0") == 1
    assert told.value("shard_up", shard="0") == 1
    assert told.value("status_age_seconds") == 0
    assert told.value("build_info", version="1.2.3") == 1


async def test_a_backend_that_is_away_is_told_and_what_was_last_known_grows_old(
    house: House,
) -> None:
    scrape = Scraper(house)
    await scrape()
    scrape.away = True
    house.clock.advance(6 * MINUTE_MS)

    told = await scrape()

    # Rows may be complete to a moment before the last look at the clock.
    assert told.value("staleness_seconds", partition="0") == pytest.approx(360, abs=0.1)
    assert told.value("lag_seconds", partition="0") == pytest.approx(360, abs=0.1)
    assert told.value("status_age_seconds") == 360
    assert told.value("listeners", partition="0") == 1
    assert told.value("ready", part="store") == 1
    assert told.value("ready", part="rows") == 0


async def test_a_replica_that_never_knew_tells_nothing_that_it_does_not_know(house: House) -> None:
    scrape = Scraper(house)
    scrape.away = True

    told = await scrape()

    assert told.value("staleness_seconds", partition="0") is None
    assert told.value("status_age_seconds") is None
    assert told.value("build_info", version="1.2.3") == 1


async def test_what_the_last_recount_found_is_told(house: House) -> None:
    keep_result(house.folder, RecountResult(at_ms=1_795_000_000_500, differences=2))

    told = await Scraper(house)()

    assert told.value("recount_differences") == 2
    assert told.value("recount_timestamp_seconds") == 1_795_000_000.5


@pytest.mark.parametrize("content", [b"", b"{}", b'{"at_ms": "x", "differences": 0}', b"\xff"])
def test_a_damaged_result_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)

    assert last_result(tmp_path) is None
