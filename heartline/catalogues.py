"""The catalogue from the settings: its log, and what commands change it by."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from domain.catalogue import Change
from domain.ports import Log, Tables
from heartline import wiring
from heartline.addresses import KafkaAddress
from heartline.settings import Settings
from stores.catalogue import Catalogue
from stores.catalogue_log import PARTITIONS, CatalogueLog
from streams.cataloguer import Cataloguer

TOPIC = "catalogue"
STILL_S = 2.0  # without a step: nobody else follows the log
POLL_S = 0.02


def open_catalogue_log(settings: Settings) -> CatalogueLog:
    """Open the catalogue's log, beside that of heartbeats, and make it if it is not there."""
    return CatalogueLog(_open_log(settings))


@asynccontextmanager
async def catalogue_log_of(settings: Settings) -> AsyncIterator[CatalogueLog]:
    """Have it for a while."""
    log = open_catalogue_log(settings)
    try:
        yield log
    finally:
        await log.close()


async def settle_catalogue(log: CatalogueLog, catalogue: Catalogue) -> None:
    """See that what is published stands behind all that the store has; nobody may be publishing."""
    await log.begin_behind(await catalogue.position())


class Changing:
    """Changes the catalogue, for a command."""

    def __init__(self, log: CatalogueLog, catalogue: Catalogue, *, still_s: float) -> None:
        self._log, self.catalogue, self._still_s = log, catalogue, still_s
        self._published = 0

    async def caught_up(self) -> None:
        """Wait until the store has what is in the log by now, so that it can be compared with.

        Where nobody sees to that, it is done here. Raises as `Cataloguer.run` does.
        """
        end, place = await self._log.end(), await self.catalogue.position()
        while place < end:
            before, place = place, await self._step(place)
            if place == before:
                await Cataloguer(self._log, self.catalogue).catch_up()
                return

    async def publish(self, changes: Sequence[Change]) -> None:
        """Append changes to the log, durably.

        :raises ValueError: the catalogue cannot hold one of them; none is there then.
        """
        self._published = await self._log.publish(changes)

    async def applied(self) -> None:
        """Wait until the store has what was published; where nobody sees to that, do it here.

        Two that do it at once do no harm.
        """
        place = await self._log.applied()
        while place < self._published:
            if not await self._log.await_applied(place + 1, self._still_s):
                await Cataloguer(self._log, self.catalogue).catch_up()
            place = await self._log.applied()

    async def _step(self, place: int) -> int:
        """Tell where the store is once somebody brings it on from *place*, or nobody did so."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._still_s
        while (now := await self.catalogue.position()) <= place:
            if loop.time() >= until_s:
                break
            await asyncio.sleep(POLL_S)
        return now


@asynccontextmanager
async def changing(
    settings: Settings, tables: Tables, *, still_s: float = STILL_S
) -> AsyncIterator[Changing]:
    """Change the catalogue for a while; at the end the store has what was published.

    At the begin it has all that was published before, so that what stands is not taken for missing.
    Where nobody has made a step in *still_s*, this process applies the changes: with 0, at once.
    """
    catalogue = Catalogue(tables)
    async with catalogue_log_of(settings) as log:
        await settle_catalogue(log, catalogue)
        change = Changing(log, catalogue, still_s=still_s)
        await change.caught_up()
        yield change
        await change.applied()


def _open_log(settings: Settings) -> Log:
    if address := KafkaAddress.parse(settings.log):
        from stores.kafka_log import KafkaLog

        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # see `wiring.open_log`
        topic = f"{address.topic}.{TOPIC}" if address.topic else TOPIC
        return KafkaLog(address.servers, topic=topic, partitions=PARTITIONS, now_ms=wiring.now_ms)
    from stores.sqlite_log import SqliteLog

    path = settings.data / wiring.CATALOGUE_FILE
    return SqliteLog.open(path, now_ms=wiring.now_ms, partitions=PARTITIONS)
