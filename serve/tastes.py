"""What callers like, by what they played last, remembered for a while."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple, Protocol

from domain.errors import Unavailable, UnreadableRecord
from domain.ranking import Taste
from domain.rows import Play
from domain.units import MINUTE_MS
from serve.catalogue_joins import Entities

RECENT_PLAYS = 50
MUCH_LIKED = 10  # of them by one artist
KEPT_MS = 5 * MINUTE_MS
MOST_KEPT = 10_000

log = logging.getLogger(__name__)


class History(Protocol):
    """What is read of `stores.listening.Listening`."""

    async def plays_before(
        self, listener_id: str, before: tuple[int, int] | None, limit: int
    ) -> Sequence[Play]:
        """Read up to *limit* plays strictly before the mark, newest first."""
        ...


class _Kept(NamedTuple):
    until_ms: int
    taste: Taste


class Tastes:
    """Tells what a listener likes; nothing, while that cannot be read."""

    def __init__(self, history: History, entities: Entities, *, now_ms: Callable[[], int]) -> None:
        self._history, self._entities, self._now_ms = history, entities, now_ms
        self._kept: dict[str, _Kept] = {}

    async def of(self, listener_id: str) -> Taste:
        """Tell what a listener likes, as of some minutes ago."""
        kept, now_ms = self._kept.get(listener_id), self._now_ms()
        if kept and now_ms < kept.until_ms:
            return kept.taste
        try:
            taste = await self._read(listener_id)
        except (Unavailable, UnreadableRecord) as error:
            log.warning("a search goes without taste: %s", error)
            return Taste()
        self._kept.pop(listener_id, None)
        self._kept[listener_id] = _Kept(now_ms + KEPT_MS, taste)
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]  # the oldest
        return taste

    async def _read(self, listener_id: str) -> Taste:
        plays = await self._history.plays_before(listener_id, None, RECENT_PLAYS)
        tracks = await self._entities.tracks({play.track_id for play in plays})
        played = [tracks[play.track_id] for play in plays if play.track_id in tracks]
        times = Counter(chain.from_iterable(track.artists for track in played))
        return Taste(artists={each: min(count / MUCH_LIKED, 1.0) for each, count in times.items()})
