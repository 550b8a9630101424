"""Which track has which ISRC: a recording is one track of the catalogue.

An ISRC is taken before the change that says so goes to the log, so that of two tracks that want the
same one at once, one is refused.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from domain.ports import Tables
from stores.tables import ISRCS

AT_ONCE = 256  # conditional writes, which share a commit


class Isrcs:
    """The ISRCs of one store, in their 12 characters."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def holders(self, isrcs: Iterable[str]) -> dict[str, str]:
        """Tell the tracks that have them; those that nobody has are left out."""
        distinct = sorted(set(isrcs))
        rows = await self._tables.read(ISRCS, [(isrc,) for isrc in distinct])
        return {
            isrc: str(row.values["track"]) for isrc, row in zip(distinct, rows, strict=True) if row
        }

    async def claim(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """Take each ISRC for its track; tells who has those that another track has.

        Doing it again changes nothing.
        """
        held: dict[str, str] = {}
        left = dict(wanted)
        while left:  # what was lost may have been given up before it is read again
            held |= await self.holders(left)
            left = await self._lost(
                (isrc, track) for isrc, track in left.items() if isrc not in held
            )
        return {isrc: track for isrc, track in held.items() if track != wanted[isrc]}

    async def release(self, held: Mapping[str, str]) -> None:
        """Give up ISRCs that their tracks no longer have; what another track has stays."""
        rows = await self._tables.read(ISRCS, [(isrc,) for isrc in held])
        pairs = zip(held.values(), rows, strict=True)
        ours = (row for track, row in pairs if row and row.values["track"] == track)
        while part := list(islice(ours, AT_ONCE)):
            await asyncio.gather(
                *(self._tables.delete_if(ISRCS, row.key, version=row.version) for row in part)
            )

    async def _lost(self, free: Iterator[tuple[str, str]]) -> dict[str, str]:
        """Take each ISRC for its track; tells those that another took first."""
        lost: dict[str, str] = {}
        while part := list(islice(free, AT_ONCE)):
            won = await asyncio.gather(*(self._take(*each) for each in part))
            lost.update(each for each, is_won in zip(part, won, strict=True) if not is_won)
        return lost

    async def _take(self, isrc: str, track: str) -> bool:
        return await self._tables.write_if(ISRCS, (isrc,), {"track": track}, version=0)
