"""The cataloguer: follows the catalogue's log in its order and writes what it says into the store.

Where it goes on is said by the store itself, which has rows and place from one write. Any number of
cataloguers may run at once, and one that wakes up late does no harm: what stands from a later record
stays.
"""

import asyncio
import logging
from collections.abc import AsyncIterator

from domain.errors import LogBehindStore, Unavailable
from domain.positions import records_between
from stores.catalogue import Catalogue
from stores.catalogue_log import CatalogueLog
from stores.catalogue_rows import CatalogueRecord
from streams.catalogue_metrics import CatalogueMetrics

IDLE_S = 5.0
RETRY_S = 0.5
STUCK_S = 5.0

log_ = logging.getLogger(__name__)


class Cataloguer:
    """Follows one log for one store."""

    def __init__(
        self, log: CatalogueLog, catalogue: Catalogue, metrics: CatalogueMetrics | None = None
    ) -> None:
        self._log, self._catalogue = log, catalogue
        self._metrics = metrics or CatalogueMetrics()

    async def run(self) -> None:
        """Follow the log until cancelled.

        Raises
        ------
        Unavailable
            The log or the store is away.
        LogBehindStore
            The log is another than that of the store, or an older backup of it.
        """
        while True:
            await self.catch_up()
            await self._log.wait(IDLE_S)

    async def catch_up(self) -> int:
        """Apply everything that is in the log by now; tells the place behind it.

        Raises as `run` does.
        """
        await self._tell_how_far_behind()
        place, end = await self._catalogue.position(), await self._log.end()
        if end < place:
            raise LogBehindStore(0, end, place)
        if await self._log.applied() < place:  # whoever applied it died then
            await self._log.commit(place)
        async for record in self._records(place):
            # One alone: a store that is slow gets no further with several than with one.
            place = record.position
            await self._catalogue.apply([record], place)
            await self._log.commit(place)
            self._metrics.applied()
            self._metrics.is_behind(records_between(place, end))
        return place

    async def _tell_how_far_behind(self) -> None:
        """Tell by the log alone: the store may be away."""
        applied, end = await self._log.applied(), await self._log.end()
        self._metrics.is_behind(records_between(applied, end))

    async def _records(self, place: int) -> AsyncIterator[CatalogueRecord]:
        while found := await self._log.read(place):
            if records_between(place, found[0].position) > 1:
                log_.error("the catalogue's log has trimmed changes that the store lacks")
            for record in found:
                yield record
            place = found[-1].position


async def keep_cataloguing(cataloguer: Cataloguer) -> None:
    """Follow the log until cancelled, beginning anew after whatever goes wrong."""
    while True:
        try:
            await cataloguer.run()
        except Unavailable as error:
            log_.warning("the catalogue waits: %s", error)
            await asyncio.sleep(RETRY_S)
        except Exception:  # changes stay in the log
            log_.exception("the catalogue is stuck")
            await asyncio.sleep(STUCK_S)
