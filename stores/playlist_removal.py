"""Removing a playlist with everything that hangs on it, and a listener from all playlists."""

from collections.abc import Callable
from contextlib import suppress

import msgspec

from stores.playlist_covers import PlaylistCovers
from stores.playlist_errors import Forbidden, NoPlaylist
from stores.playlist_rows import Head
from stores.playlist_shelves import PlaylistShelves
from stores.playlist_writer import Allow
from stores.playlists import Playlists


class PlaylistRemoval:
    """Removes playlists; what was begun and broken off may be asked for again."""

    def __init__(
        self, playlists: Playlists, shelves: PlaylistShelves, covers: PlaylistCovers
    ) -> None:
        self._playlists, self._shelves, self._covers = playlists, shelves, covers

    async def remove(self, playlist_id: str, allow: Allow) -> None:
        """Remove a playlist, if it is there and *allow* lets."""
        await self._playlists.delete(playlist_id, allow)
        await self._covers.remove_all(playlist_id)
        await self._shelves.forget(playlist_id)

    async def forget(self, listener_id: str) -> None:
        """Remove a listener's playlists, and the listener from those of others.

        What they added to others' playlists stays, under an id that nobody has any more.
        """
        for playlist_id, _ in await self._shelves.of(listener_id):
            try:
                head = await self._playlists.head(playlist_id)
                if head.owner == listener_id:
                    await self.remove(playlist_id, lambda _: None)
                elif listener_id in head.members:
                    await self._playlists.change_head(playlist_id, without(listener_id))
            except NoPlaylist:
                with suppress(NoPlaylist, Forbidden):  # a deletion that was broken off, perhaps
                    await self.remove(playlist_id, owner_only(listener_id))
            await self._shelves.take_down(listener_id, playlist_id)


def owner_only(listener_id: str) -> Allow:
    """Let only a playlist's owner."""

    def allow(head: Head) -> None:
        if head.owner != listener_id:
            raise Forbidden

    return allow


def without(listener_id: str) -> Callable[[Head], Head]:
    """Make of a head one without a member."""

    def left(head: Head) -> Head:
        members = {each: head.members[each] for each in head.members if each != listener_id}
        return msgspec.structs.replace(head, members=members)

    return left
