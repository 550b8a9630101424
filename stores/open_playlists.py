"""The playlists that were used lately, in memory, and how they catch up with the store."""

from collections import OrderedDict
from collections.abc import Container

from stores.open_playlist import OpenPlaylist, replayed
from stores.playlist_errors import Contended, NoPlaylist
from stores.playlist_log import PartGone, PlaylistLog, Standing

TRIES = 40
MOST_OPEN, MOST_WEIGHT = 2_000, 400_000  # playlists in memory, and what they hold
LOOK_EACH = 64  # times that one was used


class OpenPlaylists:
    """Playlists by their ids; those that nobody uses are let go when there are too many."""

    def __init__(self, log: PlaylistLog, used: Container[str]) -> None:
        self._log, self._used = log, used
        self._open: OrderedDict[str, OpenPlaylist] = OrderedDict()
        self._uses = 0

    def get(self, playlist_id: str) -> OpenPlaylist:
        """Have a playlist, of which nothing need be known yet."""
        playlist = self._open.get(playlist_id)
        if playlist is None:
            playlist = self._open[playlist_id] = OpenPlaylist(playlist_id)
        self._open.move_to_end(playlist_id)
        return playlist

    def has(self, playlist: OpenPlaylist) -> bool:
        """Whether a playlist was not let go."""
        return self._open.get(playlist.id) is playlist

    def let_go(self) -> None:
        """Forget what was not used for long, if there is too much."""
        self._uses += 1
        if self._uses % LOOK_EACH and len(self._open) <= MOST_OPEN:
            return
        weight = sum(each.weight for each in self._open.values())
        for playlist_id, playlist in [*self._open.items()]:
            if len(self._open) <= MOST_OPEN and weight <= MOST_WEIGHT:
                break
            is_used = playlist.lock.locked() or playlist.watchers or playlist_id in self._used
            if not is_used and len(self._open) > 1:
                weight -= playlist.weight
                del self._open[playlist_id]

    def forget(self, playlist_id: str) -> None:
        """Let go of one."""
        self._open.pop(playlist_id, None)

    async def standing(self, playlist_id: str) -> Standing:
        """Read the head that stands.

        :raises NoPlaylist: if there is none.
        """
        standing = await self._log.head(playlist_id)
        if standing is None or standing.head.is_deleted:
            self._open.pop(playlist_id, None)
            raise NoPlaylist(playlist_id)
        return standing

    async def catch_up(self, playlist: OpenPlaylist, standing: Standing) -> None:
        """Bring a playlist to the head that stands, or a newer one; its lock is held."""
        for _ in range(TRIES):
            known = playlist.standing
            if known is not None and known.version >= standing.version:
                return
            try:
                await self._reach(playlist, standing)
            except PartGone:
                standing = await self.standing(playlist.id)
            else:
                return
        raise Contended

    async def _reach(self, playlist: OpenPlaylist, standing: Standing) -> None:
        head, known = standing.head, playlist.standing
        if known is None or known.head.number < head.roots[0].number:
            records = await self._log.records(playlist.id, head, head.root + 1, head.number)
            playlist.begin(await self._log.entries(playlist.id, head.root))
        else:
            first = known.head.number + 1
            records = await self._log.records(playlist.id, head, first, head.number)
            if known.head.root != head.root:
                playlist.document = None
        entries = replayed(playlist, records) if records else playlist.entries
        if playlist.document is not None:
            for record in records:
                for update in record.updates:
                    playlist.document.take(update)
        playlist.reach(standing, records if known else (), entries)

    async def ready(self, playlist: OpenPlaylist) -> None:
        """Catch up with a playlist and have its document; its lock is held."""
        await self.catch_up(playlist, await self.standing(playlist.id))
        for _ in range(TRIES):
            if playlist.document is not None:
                return
            head = playlist.head
            try:
                records = await self._log.records(playlist.id, head, head.root + 1, head.number)
                updates = [each for record in records for each in record.updates]
                playlist.document = await self._log.document(playlist.id, head.root, updates)
            except PartGone:
                await self.catch_up(playlist, await self.standing(playlist.id))
        raise Contended
