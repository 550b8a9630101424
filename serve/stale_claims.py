"""ISRCs whose holders do not have them: of tracks that went while we died, or that never came.

An ISRC is claimed before its track is written, so a claim is given up only when it was seen without
its track for a while: nobody waits that long for the log.
"""

import asyncio
from collections.abc import Mapping

from serve.catalogue_joins import Entities

SEEN_S = 60.0
MOST_SEEN = 10_000


class StaleClaims:
    """What one process saw of them."""

    def __init__(self, entities: Entities) -> None:
        self._entities = entities
        self._seen_s: dict[tuple[str, str], float] = {}

    async def among(self, holders: Mapping[str, str]) -> dict[str, str]:
        """Tell which ISRCs of *holders* may be given up; what the store has by now must be current."""
        tracks = await self._entities.tracks(holders.values())
        now_s = asyncio.get_running_loop().time()
        stale = {}
        for isrc, holder in holders.items():
            track = tracks.get(holder)
            if track is not None and track.isrc == isrc:
                self._seen_s.pop((isrc, holder), None)
            elif now_s - self._since_s(isrc, holder, now_s) >= SEEN_S:
                stale[isrc] = holder
        return stale

    def _since_s(self, isrc: str, holder: str, now_s: float) -> float:
        claim = isrc, holder
        if claim not in self._seen_s and len(self._seen_s) >= MOST_SEEN:
            self._seen_s.pop(next(iter(self._seen_s)))
        return self._seen_s.setdefault(claim, now_s)
