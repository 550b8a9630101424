import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from domain.catalogue import Artist, EntityKind, Removed
from domain.errors import LogBehindStore, Unavailable
from domain.ports import StampedRow
from stores.catalogue import Catalogue
from stores.catalogue_log import CatalogueLog
from stores.catalogue_rows import OF_KIND
from stores.cql_batches import Write, stages
from streams.catalogue_metrics import CatalogueMetrics
from streams.cataloguer import Cataloguer, keep_cataloguing
from tests.catalogues import IDS, batches, shown
from tests.clock import Clock
from tests.memory_log import MemoryLog
from tests.memory_tables import MemoryTables

NINA = Artist("a", "Nina")


@dataclass
class TornTables(MemoryTables):
    """Tables of a cluster: a write lands as a whole, or as far as *lands* says, then its writer sleeps.

    The rest of each such write is in *late*, and may land at any time, in its own order.
    """

    lands: int | None = None
    late: list[list[Sequence[Write]]] = field(default_factory=list)
    dice: Random = field(default_factory=lambda: Random(1))
    died: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        super().__init__(Clock(), larger_bytes=True)

    async def write_stamped(self, writes: Sequence[Write]) -> None:
        parts = list(self._parts(writes))
        done = len(parts) if self.lands is None else min(self.lands, len(parts))
        for part in parts[:done]:
            await super().write_stamped(part)
        if self.lands is not None:
            self.late += [parts[done:]] if parts[done:] else []
            self.died.set()
            raise Unavailable("died while it wrote")

    async def land(self, number: int) -> None:
        """Let the next part of one of the late writes land."""
        if self.late:
            write = self.late[number % len(self.late)]
            await super().write_stamped(write.pop(0))
            self.late = [each for each in self.late if each]

    def _parts(self, writes: Sequence[Write]) -> Iterator[Sequence[Write]]:
        """Rows in any order, but stage after stage."""
        for stage in stages(writes):
            rows = [(table, [row]) for table, rows in stage for row in rows]
            self.dice.shuffle(rows)
            yield from ([each] for each in rows)


publishing = st.tuples(st.just("publish"), batches)
running = st.tuples(st.just("run"), st.none() | st.integers(0, 12))
landing = st.tuples(st.just("land"), st.integers(0, 30))
steps = st.lists(st.one_of(publishing, publishing, running, landing), max_size=16)


async def entity_rows(tables: MemoryTables) -> list[StampedRow | None]:
    found: list[StampedRow | None] = []
    for kind in EntityKind:
        found += await tables.read_stamped(OF_KIND[kind], [(each,) for each in IDS])
    return found


async def catch_up_again(log: CatalogueLog, tables: TornTables) -> None:
    tables.lands = None
    await Cataloguer(log, Catalogue(tables)).catch_up()


@given(steps)
def test_whoever_dies_and_comes_late_the_rows_are_those_of_applying_once(
    taken: list[tuple[str, object]],
) -> None:
    async def check() -> None:
        records, torn, once = MemoryLog(Clock(), partitions=1), TornTables(), TornTables()
        log = CatalogueLog(records)
        for step, what in taken:
            if step == "publish":
                assert isinstance(what, list)
                await log.publish(what)
            elif step == "land":
                assert isinstance(what, int)
                await torn.land(what)
            else:
                assert what is None or isinstance(what, int)
                torn.lands = what
                with suppress(Unavailable):
                    await Cataloguer(log, Catalogue(torn)).catch_up()
        await catch_up_again(log, torn)
        await catch_up_again(log, once)
        expected = await shown(Catalogue(once)), await entity_rows(once)
        assert (await shown(Catalogue(torn)), await entity_rows(torn)) == expected
        assert await log.applied() == await log.end()
        torn.lands = None
        while torn.late:
            await torn.land(0)
        assert (await shown(Catalogue(torn)), await entity_rows(torn)) == expected

    asyncio.run(check())


class World:
    """A log, a store, and a cataloguer between them."""

    def __init__(self) -> None:
        self.records = MemoryLog(Clock(), partitions=1)
        self.log, self.tables = CatalogueLog(self.records), TornTables()
        self.catalogue = Catalogue(self.tables)
        self.cataloguer = Cataloguer(self.log, self.catalogue)


@pytest.fixture
def world() -> World:
    return World()


async def test_what_is_published_is_applied_in_its_order(world: World) -> None:
    await world.log.publish([NINA, Artist("b", "Miles")])
    await world.log.publish([Artist("a", "Eunice")])
    place = await world.log.publish([Removed(EntityKind.ARTIST, "b")])

    assert await world.cataloguer.catch_up() == place

    assert await world.catalogue.artists(IDS) == {"a": Artist("a", "Eunice")}
    assert await world.log.applied() == place


async def test_what_was_applied_is_committed_by_whoever_comes_next(world: World) -> None:
    place = await world.log.publish([NINA])
    await world.catalogue.apply(await world.log.read(0), place)

    await world.cataloguer.catch_up()

    assert await world.log.applied() == place


async def test_how_far_it_is_behind_is_told(world: World) -> None:
    registry = CollectorRegistry()
    cataloguer = Cataloguer(world.log, world.catalogue, CatalogueMetrics(registry))
    told = []
    for lands in (0, None):
        await world.log.publish([NINA])
        world.tables.lands = lands
        with suppress(Unavailable):
            await cataloguer.catch_up()
        of = registry.get_sample_value
        told.append(
            (of("heartline_catalogue_behind_records"), of("heartline_catalogue_records_total"))
        )

    assert told == [(1, 0), (0, 2)]


async def test_nothing_to_do_writes_nothing(world: World) -> None:
    await world.log.publish([NINA])
    await world.cataloguer.catch_up()

    world.tables.lands = 0  # a write would raise
    await world.cataloguer.catch_up()


async def test_it_follows_the_log_and_outlives_a_store_that_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.cataloguer.RETRY_S", 0.0)
    following = asyncio.create_task(keep_cataloguing(world.cataloguer))
    assert await world.log.await_applied(await world.log.publish([NINA]), 5.0)

    world.tables.lands = 0
    place = await world.log.publish([Artist("b", "Miles")])
    await world.tables.died.wait()
    world.tables.lands = None

    assert await world.log.await_applied(place, 5.0)
    assert (await world.catalogue.artists(["b"]))["b"].name == "Miles"
    following.cancel()


async def test_a_log_that_ends_before_the_store_is_refused(world: World) -> None:
    await world.catalogue.apply([], 7)

    with pytest.raises(LogBehindStore, match="ends at 0, but 7"):
        await world.cataloguer.catch_up()


async def test_what_another_applies_meanwhile_is_no_other_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, other = world.catalogue.position, Cataloguer(world.log, Catalogue(world.tables))

    async def position() -> int:
        await world.log.publish([NINA])
        await other.catch_up()
        return await usual()

    monkeypatch.setattr(world.catalogue, "position", position)

    assert await world.cataloguer.catch_up() == await world.log.end()


async def test_after_the_log_was_lost_changes_stand_behind_all_that_were(world: World) -> None:
    await world.log.publish([NINA])
    await world.cataloguer.catch_up()
    lost = CatalogueLog(MemoryLog(Clock(), partitions=1))

    await lost.begin_behind(await world.catalogue.position())
    await lost.publish([Artist("a", "Eunice")])
    await Cataloguer(lost, world.catalogue).catch_up()

    assert (await world.catalogue.artists(["a"]))["a"].name == "Eunice"


async def test_changes_that_were_trimmed_and_are_lacking_are_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("Nina", "Eunice", "Simone"):
        await world.log.publish([Artist("a", name)])
    await world.log.commit(2)
    assert await world.log.trim(before_ms=0, keep_bytes=0) == 2

    await world.cataloguer.catch_up()

    assert "trimmed changes that the store lacks" in caplog.text
    assert (await world.catalogue.artists(["a"]))["a"].name == "Simone"


async def test_the_log_keeps_what_a_group_has_yet_to_read(world: World) -> None:
    places = [await world.log.publish([Artist("a", name)]) for name in ("Nina", "Eunice")]
    await world.log.commit(places[0], "index")
    await world.cataloguer.catch_up()

    assert await world.log.trim(before_ms=1 << 60, keep_bytes=0) == 1
    assert [record.position for record in await world.log.read(0)] == [places[1]]


async def test_many_records_are_applied_a_few_at_a_time(world: World) -> None:
    for number in range(11):
        await world.log.publish([Artist("a", f"Nina {number}")])

    await world.cataloguer.catch_up()

    assert (await world.catalogue.artists(["a"]))["a"].name == "Nina 10"
    assert await world.log.applied() == 11
