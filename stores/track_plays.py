"""How often tracks were played, by all listeners."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from domain.ports import Tables
from stores.tables import TRACK_PLAYS

SLICE = 5_000


class TrackPlays:
    """The subtotals of one store."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def of(self, track_ids: Sequence[str]) -> list[int]:
        """Tell how often each of some tracks was played."""
        found = await asyncio.gather(
            *(self._tables.scan_stamped(TRACK_PLAYS, (track,)) for track in track_ids)
        )
        return [sum(int(row.state) for row in rows) for rows in found]

    async def totals(self) -> dict[str, int]:
        """Tell how often every track was played; those never played are left out."""
        plays: Counter[str] = Counter()
        mark: bytes | None = b""
        while mark is not None:
            part = await self._tables.slice_stamped(TRACK_PLAYS, after=mark, limit=SLICE)
            for row in part.rows:
                plays[str(row.key[0])] += int(row.state)
            mark = part.next
        return plays
