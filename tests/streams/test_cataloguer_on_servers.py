"""The cataloguer between a real Kafka and a real Cassandra: several at once, some cut off."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import pytest

from domain.catalogue import Album, Artist, Change, EntityKind, Removed, Track
from stores.catalogue import Catalogue
from stores.catalogue_log import PARTITIONS, CatalogueLog
from stores.catalogue_rows import CatalogueRecord
from stores.cql_tables import CqlTables
from stores.kafka_log import KafkaLog
from streams.cataloguer import Cataloguer
from tests.catalogues import IDS, shown
from tests.clock import Clock, RunningClock
from tests.memory_tables import MemoryTables
from tests.servers.fixtures import Servers
from tests.stores.keyspaces import Keyspace, new_keyspace
from tests.stores.test_catalogue import OURS

pytestmark = pytest.mark.servers
BATCHES = 60


@pytest.fixture(scope="module")
def keyspace(servers: Servers) -> Iterator[Keyspace]:
    with new_keyspace(servers, OURS) as made:
        yield made


@pytest.fixture
async def log(kafka: str, tmp_path: Path) -> AsyncIterator[CatalogueLog]:
    servers, topic = kafka.removeprefix("kafka://"), f"{tmp_path.parent.name}-{tmp_path.name}"
    opened = KafkaLog(servers, topic=topic, partitions=PARTITIONS, now_ms=RunningClock(0))
    yield CatalogueLog(opened)
    await opened.close()


@pytest.fixture
async def catalogue(keyspace: Keyspace) -> AsyncIterator[Catalogue]:
    keyspace.empty()
    address = keyspace.address
    tables = CqlTables.open(
        address.hosts,
        address.port,
        keyspace=keyspace.name,
        now_ms=Clock(),
        tables=OURS,
        random=Random(1),
    )
    yield Catalogue(tables)
    await tables.close()


def batch(dice: Random, number: int) -> list[Change]:
    """Make changes of few entities, so that they come back and move about."""
    artist, album, track = dice.choice(IDS), dice.choice(IDS), dice.choice(IDS)
    return [
        Artist(artist, f"Artist {number}"),
        Album(album, f"Album {number}", (artist,)),
        Track(track, f"Track {number}", (artist,), album, track_number=number % 3),
        *([Removed(dice.choice([*EntityKind]), dice.choice(IDS))] if number % 4 == 0 else []),
    ]


async def test_cataloguers_that_are_cut_off_beside_another_end_at_the_same_catalogue(
    log: CatalogueLog, catalogue: Catalogue
) -> None:
    dice = Random(5)
    for number in range(BATCHES):
        await log.publish(batch(dice, number))
        if number % 10 == 0:
            racing = [asyncio.create_task(Cataloguer(log, catalogue).catch_up()) for _ in range(3)]
            for _ in range(dice.randrange(200)):
                await asyncio.sleep(0)
            for each in racing[:2]:
                each.cancel()
            await asyncio.gather(*racing, return_exceptions=True)

    await Cataloguer(log, catalogue).catch_up()

    once = Catalogue(MemoryTables(Clock()))
    for record in await log.read(0):
        await once.apply([record], record.position)
    assert await shown(catalogue) == await shown(once)
    assert await log.applied() == await log.end() == BATCHES


async def test_many_tracks_of_the_same_artists_fit_the_batches_of_the_cluster(
    catalogue: Catalogue,
) -> None:
    artists = tuple(f"artist-{number}" for number in range(10))
    tracks = [Track(f"track-{number}", "Sinnerman", artists) for number in range(200)]
    records = [CatalogueRecord(1, 0, tracks)]

    await catalogue.apply(records, records[-1].position)

    assert len(await catalogue.artist_tracks(artists[0])) == len(tracks)
