import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue import Album, Artist, Change, EntityKind, Removed, Track
from domain.errors import Unavailable
from domain.ports import Record, StampedRow
from domain.positions import Generation
from domain.search import Entry, SearchWriter
from stores.catalogue import Catalogue
from stores.catalogue_log import CatalogueLog
from stores.tables import TRACK_PLAYS
from stores.tantivy_writer import TantivyWriter
from stores.track_plays import TrackPlays
from streams.entry_maker import EntryMaker
from streams.indexer import GROUP, Indexer, keep_indexing
from tests.catalogues import batches
from tests.clock import Clock
from tests.memory_log import MemoryLog
from tests.memory_search import MemoryWriter
from tests.memory_tables import MemoryTables
from tests.streams.mortality import FOR_EVER, Killed, Mortality

ARTIST, ALBUM, TRACK = EntityKind
NINA = Artist("nina", "Nina Simone", genres=("jazz",))
BLUES = Album("blues", "Pastel Blues", ("nina",), released="1965-10")
DAWN = Track("dawn", "Feeling Good", ("nina",), "blues", 174_000)
SINNERMAN = Track("sin", "Sinnerman", ("nina",), "blues", 620_000, track_number=9)


class House:
    """A catalogue with its log, whose changes are applied to the store when a test says so."""

    def __init__(self, writer: SearchWriter | None = None) -> None:
        self.writer = writer or MemoryWriter()
        self.tables = MemoryTables(Clock())
        self.memory = MemoryLog(Clock(), partitions=1)
        self.log, self.catalogue = CatalogueLog(self.memory), Catalogue(self.tables)
        self._played = 0

    async def change(self, *changes: Change) -> None:
        """Publish changes, and apply them to the store."""
        await self.log.publish(changes)
        await self.apply()

    async def apply(self) -> None:
        records = await self.log.read(await self.catalogue.position())
        if records:
            await self.catalogue.apply(records, records[-1].position)
            await self.log.commit(records[-1].position)

    async def play(self, track_id: str, plays: int, part: int = 0) -> None:
        """Let the subtotal of a track be so many plays."""
        self._played += 1
        row = StampedRow((track_id, part), b"%d" % plays, self._played)
        await self.tables.write_stamped([(TRACK_PLAYS, [row])])

    def indexer(self) -> Indexer:
        """Start one, as after a restart."""
        entries = EntryMaker(self.catalogue, TrackPlays(self.tables))
        return Indexer(self.log, entries, self.catalogue, self.writer)

    async def indexed(self) -> Indexer:
        """Start one, and let it do what there is to do."""
        indexer = self.indexer()
        await indexer.begin()
        await indexer.catch_up()
        await indexer.sweep()
        return indexer

    async def found(self) -> dict[tuple[EntityKind, str], Entry]:
        """What the index has."""
        kinds = EntityKind
        return {
            (kind, entry.id): entry for kind in kinds async for entry in self.writer.entries(kind)
        }

    async def expected(self) -> dict[tuple[EntityKind, str], Entry]:
        """What it should have, by the catalogue alone."""
        maker = EntryMaker(self.catalogue, TrackPlays(self.tables))
        await maker.count()
        return {
            (kind, entry.id): entry
            for kind in EntityKind
            async for entries in maker.all(kind)
            for entry in entries
        }


async def test_a_new_index_is_filled_from_the_store() -> None:
    house = House()
    await house.change(NINA, BLUES, SINNERMAN)
    await house.play("sin", 100)
    await house.play("sin", 900, part=1)

    await house.indexed()

    assert (await house.found())[TRACK, "sin"] == Entry(
        kind=TRACK,
        id="sin",
        name="Sinnerman",
        artists=("Nina Simone",),
        artist_ids=("nina",),
        album="Pastel Blues",
        released="1965-10",
        genres=("jazz",),
        plays=1_024,
        added_ms=(await house.expected())[TRACK, "sin"].added_ms,
    )
    assert await house.found() == await house.expected()
    assert await house.writer.position() == await house.log.applied(GROUP) == 1


async def test_changes_are_followed() -> None:
    house = House()
    indexer = await house.indexed()
    await house.change(NINA, BLUES)
    await indexer.catch_up()
    first = set(await house.found())
    await house.change(SINNERMAN, Removed(ALBUM, "blues"))
    await indexer.catch_up()

    assert first == {(ARTIST, "nina"), (ALBUM, "blues")}
    assert await house.found() == await house.expected()
    assert set(await house.found()) == {(ARTIST, "nina"), (TRACK, "sin")}


async def test_nothing_is_written_ahead_of_the_store() -> None:
    house = House()
    indexer = await house.indexed()
    await house.log.publish([NINA])
    await indexer.catch_up()
    before = await house.found()
    await house.apply()
    await indexer.catch_up()

    assert (before, set(await house.found())) == ({}, {(ARTIST, "nina")})


async def test_the_log_learns_of_an_index_whose_commit_was_the_last_deed() -> None:
    house = House()
    await house.indexed()
    await house.change(NINA)
    killed = await house.indexed()
    place = await house.writer.position()
    assert place
    house.memory.commits.pop((GROUP, 0, 0))
    await killed.catch_up()

    assert await house.log.applied(GROUP) == place


class LateLog(MemoryLog):
    """A log whose newest records cannot be read yet, while it *is_late*."""

    is_late = False

    async def read(
        self, generation: Generation, partition: int, offset: int, *, most_bytes: int
    ) -> list[Record]:
        found = await super().read(generation, partition, offset, most_bytes=most_bytes)
        return [] if self.is_late else found


async def test_records_that_come_late_are_waited_for() -> None:
    house, late = House(), LateLog(Clock(), partitions=1)
    house.log = CatalogueLog(late)
    indexer = await house.indexed()
    await house.change(NINA)
    late.is_late = True
    await indexer.catch_up()
    before = await house.found()
    late.is_late = False
    await indexer.catch_up()

    assert (before, await house.found()) == ({}, await house.expected())


async def test_what_a_lost_log_had_is_taken_from_the_store() -> None:
    house = House()
    indexer = await house.indexed()
    await house.change(NINA)
    house.memory.records.clear()  # the log is lost
    await house.memory.begin_generation(1)
    await house.change(BLUES)
    await indexer.catch_up()

    assert await house.found() == await house.expected()


async def test_a_new_name_is_found_at_everything_that_has_it() -> None:
    house = House()
    indexer = await house.indexed()
    await house.change(NINA, BLUES, SINNERMAN)
    await indexer.catch_up()
    await house.change(Artist("nina", "Eunice Waymon"))
    await indexer.catch_up()
    await house.change(Album("blues", "Pastel", ("nina",)))
    await indexer.catch_up()

    track = (await house.found())[TRACK, "sin"]
    assert (track.artists, track.album) == (("Eunice Waymon",), "Pastel")
    assert await house.found() == await house.expected()


async def test_nothing_to_do_commits_nothing() -> None:
    writer = MemoryWriter()
    house = House(writer)
    indexer = await house.indexed()
    commits = writer.commits
    await indexer.catch_up()
    await indexer.sweep()

    assert writer.commits == commits


async def test_many_plays_are_written_and_few_are_not() -> None:
    writer = MemoryWriter()
    house = House(writer)
    await house.change(NINA, BLUES, SINNERMAN)
    await house.play("sin", 1_000)
    indexer = await house.indexed()
    commits = writer.commits
    await house.play("sin", 1_010)
    await indexer.sweep()
    same = writer.commits
    await house.play("sin", 2_000)
    await indexer.sweep()

    assert (same, writer.commits) == (commits, commits + 1)
    assert (await house.found())[TRACK, "sin"].plays == 2_048


async def test_plays_are_known_after_a_restart() -> None:
    writer = MemoryWriter()
    house = House(writer)
    await house.change(NINA, BLUES, SINNERMAN)
    await house.play("sin", 1_000)
    await house.indexed()
    commits = writer.commits
    indexer = await house.indexed()
    await house.change(SINNERMAN)
    await indexer.catch_up()

    assert writer.commits == commits + 1
    assert (await house.found())[TRACK, "sin"].plays == 1_024


class Slow(MemoryWriter):
    """Its entries, as they are when asked for, take until *may_go_on*, which at first they may."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked, self.may_go_on = asyncio.Event(), asyncio.Event()
        self.may_go_on.set()

    async def entries(self, kind: EntityKind) -> AsyncGenerator[Entry, None]:
        found = [entry async for entry in super().entries(kind)]
        self.is_asked.set()
        await self.may_go_on.wait()
        for entry in found:
            yield entry


async def test_changes_are_followed_while_the_index_is_read_for_its_plays() -> None:
    house = House()
    await house.change(NINA, BLUES, SINNERMAN, DAWN)
    await house.play("sin", 1_000)
    await house.play("dawn", 1_000)
    await house.indexed()
    committed, house.writer = house.writer, Slow()
    await house.writer.write([each async for each in committed.entries(TRACK)])
    await house.writer.commit(await committed.position())

    restarted = house.indexer()
    await restarted.begin()
    house.writer.may_go_on.clear()
    house.writer.is_asked.clear()
    sweeping = asyncio.create_task(restarted.sweep())
    await house.writer.is_asked.wait()
    await house.play("sin", 4_000)
    await house.change(Track("sin", "Sinner Man", ("nina",), "blues", 620_000))
    await restarted.catch_up()
    followed = house.writer.committed[TRACK, "sin"]
    await house.play("sin", 1_000)
    house.writer.may_go_on.set()
    await sweeping

    assert (followed.name, followed.plays) == ("Sinner Man", 4_096)
    assert house.writer.committed[TRACK, "sin"].plays == 1_024
    assert house.writer.committed[TRACK, "dawn"].plays == 1_024


@pytest.mark.parametrize("place", [1_000, 1])
async def test_an_index_of_another_log_is_filled_anew(place: int) -> None:
    house = House()
    await house.change(NINA)
    await house.writer.write([Entry(kind=TRACK, id="gone", name="Gone")])
    await house.writer.commit(place)

    await house.indexed()

    assert await house.found() == await house.expected()
    assert await house.writer.position() == 1


async def test_an_index_that_lacks_what_was_trimmed_is_filled_anew() -> None:
    house = House()
    await house.change(NINA)
    indexer = await house.indexed()
    await house.change(BLUES)
    await house.change(SINNERMAN)
    house.memory.commits[GROUP, 0, 0] = 2
    await house.memory.trim(before_ms=1 << 60, keep_bytes=0)
    await indexer.catch_up()

    assert await house.found() == await house.expected()


async def test_it_begins_anew_after_a_fault() -> None:
    house, log = House(), []

    class Once(MemoryWriter):
        async def position(self) -> int | None:
            log.append("begins")
            if len(log) == 1:
                raise Unavailable("the disk is full")
            return await super().position()

        async def commit(self, position: int | None = None) -> None:
            await super().commit(position)
            if position is not None:
                filled.set()

    filled, house.writer = asyncio.Event(), Once()
    await house.change(NINA)
    indexing = asyncio.create_task(keep_indexing(house.indexer, retry_s=0))
    async with asyncio.timeout(20):
        await filled.wait()
    indexing.cancel()
    await asyncio.wait([indexing])

    assert await house.found() == await house.expected()


@given(st.data())
def test_killed_anywhere_it_ends_equal_to_the_catalogue(data: st.DataObject) -> None:
    asyncio.run(killed_again_and_again(data))


async def killed_again_and_again(data: st.DataObject) -> None:
    writer = MemoryWriter()
    house, mortality = House(writer), Mortality(writer)
    for changes in data.draw(st.lists(batches, max_size=6)):
        await house.change(*changes)
        if data.draw(st.booleans()):
            await house.play("a", data.draw(st.integers(0, 1_000)), data.draw(st.integers(0, 1)))
        mortality.calls_left = data.draw(st.integers(0, 12))
        with suppress(Killed):
            await house.indexed()
        mortality.calls_left = FOR_EVER
        await writer.close()
    await house.indexed()

    assert await house.found() == await house.expected()


class Durable(MemoryWriter):
    """As on servers: what was written is there, whether it was committed or not."""

    async def write(
        self, entries: Sequence[Entry], removed: Sequence[tuple[EntityKind, str]] = ()
    ) -> None:
        await super().write(entries, removed)
        self.committed = dict(self._entries)


@pytest.mark.parametrize("calls", range(8))
async def test_killed_while_it_fills_an_index_of_another_log(calls: int) -> None:
    writer = Durable()
    house, mortality = House(writer), Mortality(writer)
    await house.change(NINA, BLUES, SINNERMAN)
    await house.change(DAWN)
    await writer.write([Entry(kind=TRACK, id="gone", name="Gone")])
    await writer.commit(1)
    mortality.calls_left = calls
    with suppress(Killed):
        await house.indexed()
    mortality.calls_left = FOR_EVER
    await house.indexed()

    assert await house.found() == await house.expected()


async def test_an_index_that_is_ahead_of_a_restored_store_is_kept() -> None:
    house = House()
    await house.change(NINA, BLUES)
    await house.change(SINNERMAN, DAWN)
    await house.indexed()
    house.tables = MemoryTables(Clock())  # a backup from before everything
    house.catalogue = Catalogue(house.tables)
    before = await house.found()

    await house.indexer().begin()

    assert await house.found() == before


@pytest.mark.parametrize("kills", [0, 3])
async def test_tantivy_ends_equal_to_the_catalogue(tmp_path: Path, kills: int) -> None:
    house = House(TantivyWriter(tmp_path))
    await house.change(NINA, BLUES, SINNERMAN)
    for turn in range(kills):
        await house.indexed()
        await house.change(Artist("nina", f"Nina {turn}"), Removed(TRACK, "sin"))
        await house.writer.write([Entry(kind=TRACK, id="never", name="Committed")])
        await house.writer.close()
        house.writer = TantivyWriter(tmp_path)
    await house.indexed()

    assert await house.found() == await house.expected()
    await house.writer.close()
