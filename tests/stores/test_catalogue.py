import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.catalogue import Album, Artist, Change, EntityKind, Removed, Track
from domain.ports import Tables
from stores.catalogue import Catalogue
from stores.catalogue_rows import CatalogueRecord, Held
from stores.cql_tables import CqlTables
from stores.sqlite_tables import SqliteTables
from stores.tables import (
    ALBUM_TRACKS,
    ALBUMS,
    ARTIST_ALBUMS,
    ARTIST_TRACKS,
    ARTISTS,
    CATALOGUE_PROGRESS,
    TRACKS,
)
from tests.catalogues import batches, shown
from tests.clock import Clock
from tests.memory_tables import MemoryTables
from tests.servers.fixtures import Servers
from tests.stores.keyspaces import Keyspace, new_keyspace

OURS = (ARTISTS, ALBUMS, TRACKS, ALBUM_TRACKS, ARTIST_ALBUMS, ARTIST_TRACKS, CATALOGUE_PROGRESS)
NINA = Artist("nina", "Nina Simone")
BLUES = Album("blues", "Pastel Blues", ("nina",))
SINNERMAN = Track("sin", "Sinnerman", ("nina",), "blues", 620_000, track_number=9)
STRANGE = Track("str", "Strange Fruit", ("nina",), "blues", 210_000, track_number=8)


@pytest.fixture(scope="module")
def keyspace(servers: Servers) -> Iterator[Keyspace]:
    with new_keyspace(servers, OURS) as made:
        yield made


@pytest.fixture(params=["sqlite", "memory", pytest.param("cql", marks=pytest.mark.servers)])
async def catalogue(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Catalogue]:
    tables: Tables = MemoryTables(Clock())
    if request.param == "sqlite":
        tables = SqliteTables.open(tmp_path / "store.db", now_ms=Clock())
    if request.param == "cql":
        keyspace: Keyspace = request.getfixturevalue("keyspace")
        keyspace.empty()
        tables = CqlTables.open(
            keyspace.address.hosts,
            keyspace.address.port,
            keyspace=keyspace.name,
            now_ms=Clock(),
            tables=OURS,
            random=Random(1),
        )
    yield Catalogue(tables)
    await tables.close()


async def apply(catalogue: Catalogue, *changes: Change, position: int = 1) -> None:
    records = [CatalogueRecord(position, 1_000 * position, changes)]
    await catalogue.apply(records, position)


async def test_of_a_long_list_the_first_are_told(catalogue: Catalogue) -> None:
    await apply(catalogue, BLUES, SINNERMAN, STRANGE)

    assert await catalogue.album_tracks("blues", most=1) == [STRANGE]
    assert await catalogue.artist_tracks("nina", most=1) == [SINNERMAN]
    assert await catalogue.artist_albums("nina", most=1) == [BLUES]


@pytest.mark.parametrize("most", [1, 2, 25])
async def test_what_left_a_long_list_takes_no_place_in_it(catalogue: Catalogue, most: int) -> None:
    old = [Track(f"a{number:03}", "Old", ("nina",), "blues") for number in range(90)]
    new = [Track(f"b{number:03}", "New", ("nina",), "blues") for number in range(30)]
    await apply(catalogue, *old)
    await apply(catalogue, *(Removed(EntityKind.TRACK, track.id) for track in old), position=2)
    await apply(catalogue, *new, position=3)

    assert await catalogue.artist_tracks("nina", most=most) == new[:most]
    assert await catalogue.album_tracks("blues", most=most) == new[:most]


async def test_an_album_comes_in_pages_of_what_is_on_it_still(catalogue: Catalogue) -> None:
    tracks = [Track(f"t{number:03}", "Title", (), "blues") for number in range(90)]
    await apply(catalogue, *tracks)
    gone = [Removed(EntityKind.TRACK, track.id) for track in tracks[:60]]
    await apply(catalogue, *gone, position=2)

    pages = [await catalogue.album_page("blues", skip=skip, most=12) for skip in (0, 12, 24, 36)]

    assert [track for page in pages for track in page] == tracks[60:]
    assert list(map(len, pages)) == [12, 12, 6, 0]
    assert await catalogue.album_page("", skip=0, most=12) == []


async def test_an_album_is_as_large_as_its_list(catalogue: Catalogue) -> None:
    await apply(catalogue, BLUES, SINNERMAN, STRANGE)
    await apply(catalogue, replace(STRANGE, album="other"), position=2)

    sizes = await catalogue.album_sizes(["blues", "blues", "other", "none", ""])

    assert sizes == {"blues": 1, "other": 1, "none": 0}


async def test_what_was_applied_is_found_by_its_ids(catalogue: Catalogue) -> None:
    await apply(catalogue, NINA, BLUES, SINNERMAN)

    assert await catalogue.artists(["nina", "miles", ""]) == {"nina": NINA}
    assert await catalogue.albums(["blues", "blues"]) == {"blues": BLUES}
    assert await catalogue.tracks(["sin", "nina"]) == {"sin": SINNERMAN}
    assert await catalogue.tracks([]) == {}


async def test_lists_are_in_order(catalogue: Catalogue) -> None:
    second = Track("aaa", "Encore", ("nina", "band"), "blues", disc_number=2, track_number=1)
    await apply(catalogue, second, SINNERMAN, STRANGE, BLUES, NINA)

    assert await catalogue.album_tracks("blues") == [STRANGE, SINNERMAN, second]
    assert await catalogue.artist_albums("nina") == [BLUES]
    assert await catalogue.artist_tracks("nina") == [second, SINNERMAN, STRANGE]
    assert await catalogue.artist_tracks("band") == [second]
    assert await catalogue.album_tracks("other") == await catalogue.album_tracks("") == []


async def test_what_changes_its_place_leaves_the_old_one(catalogue: Catalogue) -> None:
    await apply(catalogue, BLUES, SINNERMAN)
    moved = replace(SINNERMAN, album="live", artists=("miles",))

    await apply(catalogue, moved, replace(BLUES, artists=("miles",)), position=2)

    assert await catalogue.album_tracks("blues") == await catalogue.artist_tracks("nina") == []
    assert await catalogue.album_tracks("live") == [moved]
    assert await catalogue.artist_albums("nina") == []
    assert [album.id for album in await catalogue.artist_albums("miles")] == ["blues"]


async def test_a_track_that_moves_on_its_album_is_there_once(catalogue: Catalogue) -> None:
    await apply(catalogue, SINNERMAN)

    await apply(catalogue, replace(SINNERMAN, track_number=1), position=2)

    assert [track.track_number for track in await catalogue.album_tracks("blues")] == [1]


async def test_what_was_removed_is_gone_and_listed_nowhere(catalogue: Catalogue) -> None:
    await apply(catalogue, NINA, BLUES, SINNERMAN)

    removed = [
        Removed(kind, each) for kind, each in zip(EntityKind, ("nina", "blues", "sin"), strict=True)
    ]
    await apply(catalogue, *removed, position=2)

    assert not await catalogue.artists(["nina"])
    assert not await catalogue.tracks(["sin"])
    assert await catalogue.artist_albums("nina") == []
    assert await catalogue.album_tracks("blues") == []
    assert [held async for held in catalogue.slices(EntityKind.TRACK)] == []


async def test_an_entity_keeps_since_when_it_is_there(catalogue: Catalogue) -> None:
    renamed = replace(NINA, name="Eunice Waymon")
    await apply(catalogue, NINA, position=1)
    await apply(catalogue, renamed, position=2)
    assert await catalogue.held(EntityKind.ARTIST, ["nina"]) == {"nina": Held(1_000, renamed)}

    await apply(catalogue, Removed(EntityKind.ARTIST, "nina"), position=3)
    await apply(catalogue, NINA, position=4)

    assert await catalogue.held(EntityKind.ARTIST, ["nina"]) == {"nina": Held(4_000, NINA)}


async def test_what_comes_late_changes_nothing(catalogue: Catalogue) -> None:
    await apply(catalogue, SINNERMAN, NINA, position=5)

    await apply(catalogue, replace(SINNERMAN, name="Old", album="old"), position=3)
    await apply(catalogue, Removed(EntityKind.ARTIST, "nina"), position=4)

    assert await catalogue.tracks(["sin"]) == {"sin": SINNERMAN}
    assert await catalogue.artists(["nina"]) == {"nina": NINA}
    assert await catalogue.album_tracks("old") == []
    assert await catalogue.position() == 5


async def test_of_one_record_the_last_change_of_an_entity_holds(catalogue: Catalogue) -> None:
    await apply(catalogue, SINNERMAN, Removed(EntityKind.TRACK, "sin"), STRANGE, SINNERMAN)

    assert await catalogue.tracks(["sin"]) == {"sin": SINNERMAN}


async def test_all_of_a_kind_come_in_slices(catalogue: Catalogue) -> None:
    tracks = [Track(f"t{number}", f"Title {number}") for number in range(25)]
    await apply(catalogue, *tracks, NINA)

    slices = [part async for part in catalogue.slices(EntityKind.TRACK, together=10)]

    assert max(map(len, slices)) == 10
    found = [one for part in slices for one in part]
    assert sorted(found, key=lambda one: one.entity.id) == sorted(
        [Held(1_000, track) for track in tracks], key=lambda one: one.entity.id
    )


def parts_of(
    records: Sequence[CatalogueRecord], cuts: Sequence[int]
) -> Iterator[Sequence[CatalogueRecord]]:
    begin = 0
    for cut in (*sorted(cuts), len(records)):
        if cut > begin:
            yield records[begin:cut]
            begin = cut


@given(st.lists(batches, min_size=1, max_size=8), st.data())
def test_however_the_log_is_cut_the_same_is_shown(
    logged: list[list[Change]], data: st.DataObject
) -> None:
    records = [
        CatalogueRecord(number, number, changes) for number, changes in enumerate(logged, start=1)
    ]
    cuts = data.draw(st.lists(st.integers(0, len(records)), max_size=4))

    async def check() -> None:
        once, cut = (Catalogue(MemoryTables(Clock())) for _ in range(2))
        for record in records:
            await once.apply([record], record.position)
        for part in parts_of(records, cuts):
            await cut.apply(part, part[-1].position)
        assert await shown(once) == await shown(cut)

    asyncio.run(check())
