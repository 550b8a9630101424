"""Versions of playlists that are no longer in memory: made again of a root and the edits after it."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from domain.playlist_deltas import make
from domain.playlists import BadEdit, Details, Entry
from stores.open_playlists import TRIES, OpenPlaylists
from stores.playlist_errors import Contended
from stores.playlist_log import PartGone, PlaylistLog
from stores.playlist_rows import Head

REMEMBERED = 16  # older versions, of all playlists


class Older(NamedTuple):
    """A playlist as it was; the list never changes."""

    entries: Sequence[Entry]
    details: Details


class PlaylistPast:
    """Reads older versions, and remembers the last ones."""

    def __init__(self, log: PlaylistLog, playlists: OpenPlaylists) -> None:
        self._log, self._playlists = log, playlists
        self._older: OrderedDict[tuple[str, int], Older] = OrderedDict()

    async def version(self, playlist_id: str, number: int) -> Older:
        """Read a playlist as it was after edit *number*.

        :raises NoPlaylist: if there is none.
        :raises BadEdit: if there was no such edit, or it is too long ago.
        """
        key = playlist_id, number
        if (known := self._older.get(key)) is not None:
            self._older.move_to_end(key)
            return known
        for _ in range(TRIES):
            head = (await self._playlists.standing(playlist_id)).head
            try:
                older = self._older[key] = await self._read(playlist_id, head, number)
            except PartGone:
                continue  # a root was made meanwhile
            if len(self._older) > REMEMBERED:
                self._older.popitem(last=False)
            return older
        raise Contended

    async def _read(self, playlist_id: str, head: Head, number: int) -> Older:
        begins = [root.number for root in head.roots if root.number <= number]
        if not begins or not 0 < number <= head.number:
            raise BadEdit(
                "snapshot_id", "wants a version that is kept: this one is too old, or is not yet"
            )
        records = await self._log.records(playlist_id, head, begins[-1] + 1, number)
        document = await self._log.document(playlist_id, begins[-1], ())
        entries = document.entries()
        details = document.details() if begins[-1] else Details("")
        for record in records:
            make(entries, record.delta)
            details = msgspec.structs.replace(details, **record.details)
        return Older(entries, details)
