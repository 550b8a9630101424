"""How search is: whether the engine answers, and how long changes wait for the indexer."""

from collections.abc import Callable
from typing import Any

from domain.catalogue import EntityKind
from domain.errors import Unavailable
from domain.search import Query, SearchIndex
from domain.units import MINUTE_MS, SECOND_MS
from stores.catalogue_log import CatalogueLog
from streams.indexer import GROUP

BEHIND_MS = MINUTE_MS


class SearchLook:
    """Looks at one index, and at the log that it follows."""

    def __init__(self, index: SearchIndex, log: CatalogueLog, now_ms: Callable[[], int]) -> None:
        self._index, self._log, self._now_ms = index, log, now_ms

    async def status(self) -> dict[str, Any]:
        """Tell whether the engine answers, and for how long the oldest change has waited."""
        return {"engine": await self._engine(), "behind_ms": await self._behind_ms()}

    async def trouble(self) -> str | None:
        """Tell in a few words what is wrong."""
        if await self._engine() != "ok":
            return "the engine is away"
        behind_ms = await self._behind_ms()
        return f"{behind_ms // SECOND_MS} s behind" if behind_ms > BEHIND_MS else None

    async def _engine(self) -> str:
        try:
            await self._index.propose(  # what is new is asked of the engine every minute
                Query(words=("a",), is_new=True),
                [EntityKind.ARTIST],
                now_ms=self._now_ms(),
                limit=1,
            )
        except Unavailable:
            return "away"
        return "ok"

    async def _behind_ms(self) -> int:
        try:
            waiting = await self._log.read(await self._log.applied(GROUP), most_bytes=1)
        except Unavailable:
            return 0  # of the log's own trouble others tell
        return max(self._now_ms() - waiting[0].appended_ms, 0) if waiting else 0
