from domain.catalogue import Artist, EntityKind, Removed, Track
from domain.search import Entry
from stores.track_plays import TrackPlays
from streams.entry_maker import EntryMaker
from streams.index_check import Difference, IndexCheck, What
from tests.streams.test_indexer import BLUES, NINA, SINNERMAN, House

ARTIST, ALBUM, TRACK = EntityKind


def checking(house: House) -> IndexCheck:
    return IndexCheck(EntryMaker(house.catalogue, TrackPlays(house.tables)), house.writer)


async def test_an_index_like_the_catalogue_has_no_differences() -> None:
    house = House()
    await house.change(NINA, BLUES, SINNERMAN)
    await house.play("sin", 100)
    await house.indexed()
    await house.play("sin", 10_000)

    assert await checking(house).differences(again_s=0) == []


async def test_what_differs_is_told_and_repaired() -> None:
    house = House()
    await house.change(NINA, BLUES, SINNERMAN)
    await house.indexed()
    await house.change(
        Artist("ella", "Ella"), Removed(ALBUM, "blues"), Track("sin", "Sinner", ("nina",))
    )
    await house.writer.write([Entry(kind=ARTIST, id="nobody", name="Nobody")])
    await house.writer.commit()
    check = checking(house)
    found = await check.differences(again_s=0)
    await check.repair(found)

    assert found == [
        Difference(ALBUM, "blues", What.LEFT_OVER),
        Difference(ARTIST, "ella", What.MISSING),
        Difference(ARTIST, "nobody", What.LEFT_OVER),
        Difference(TRACK, "sin", What.DIFFERENT),
    ]
    assert await check.differences(again_s=0) == []
    assert await house.found() == await house.expected()
