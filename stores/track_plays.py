"""How often tracks were played, all of them at once."""

from collections import Counter

from domain.ports import Tables
from stores.tables import TRACK_PLAYS

SLICE = 5_000


class TrackPlays:
    """The subtotals of one store."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def totals(self) -> dict[str, int]:
        """Tell how often each track was played by all listeners; those never played are left out."""
        plays: Counter[str] = Counter()
        mark: bytes | None = b""
        while mark is not None:
            part = await self._tables.slice_stamped(TRACK_PLAYS, after=mark, limit=SLICE)
            for row in part.rows:
                plays[str(row.key[0])] += int(row.state)
            mark = part.next
        return plays
