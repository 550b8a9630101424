"""Which playlists a listener has: their own, those they joined, those they follow; and who follows one."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
from msgspec import Struct

from domain.errors import Refused
from domain.ports import Key, StampedRow, Tables
from domain.units import SECOND_MS
from stores.tables import LISTENER_PLAYLISTS, PLAYLIST_FOLLOWERS

FOLLOWS, NOT = b"\x01", b""
TAKEN_DOWN_TTL_S = 86_400  # that it is gone; longer than two clocks differ
MOST_SHELVED = 10_000


class ShelfFull(Refused):
    """Raised when a listener has too many playlists already."""

    def __str__(self) -> str:
        return f"you have {MOST_SHELVED} playlists already: unfollow some"


class Shelved(Struct, frozen=True, array_like=True):
    """When a playlist was put on a listener's shelf, and whether they follow it."""

    added_ms: int
    follows: bool


class OnShelf(NamedTuple):
    """A playlist on somebody's shelf."""

    playlist_id: str
    shelved: Shelved


_decoder = msgspec.msgpack.Decoder(Shelved)


class PlaylistShelves:
    """The shelves of all listeners of one store."""

    def __init__(self, tables: Tables, *, now_ms: Callable[[], int]) -> None:
        self._tables, self._now_ms = tables, now_ms

    async def of(self, listener_id: str) -> list[OnShelf]:
        """Tell what a listener has, what came last first."""
        rows = await self._tables.scan_stamped(LISTENER_PLAYLISTS, (listener_id,))
        found = [OnShelf(str(row.key[1]), _decoder.decode(row.state)) for row in rows if row.state]
        return sorted(found, key=lambda each: (-each.shelved.added_ms, each.playlist_id))

    async def put(self, listener_id: str, playlist_id: str, *, follows: bool) -> None:
        """Put a playlist on a shelf; one that is there stays in its place.

        :raises ShelfFull: if there are too many.
        """
        before = await self._row((listener_id, playlist_id))
        shelved = _decoder.decode(before.state) if before and before.state else None
        if shelved is None and len(await self.of(listener_id)) >= MOST_SHELVED:
            raise ShelfFull
        added_ms = shelved.added_ms if shelved else self._now_ms()
        follows = follows or (shelved is not None and shelved.follows)
        state = msgspec.msgpack.encode(Shelved(added_ms, follows))
        await self._write(listener_id, playlist_id, state, FOLLOWS if follows else NOT, before)

    async def unfollow(self, listener_id: str, playlist_id: str) -> None:
        """Follow a playlist no longer, which stays on the shelf."""
        before = await self._row((listener_id, playlist_id))
        if before and before.state:
            shelved = Shelved(_decoder.decode(before.state).added_ms, follows=False)
            state = msgspec.msgpack.encode(shelved)
            await self._write(listener_id, playlist_id, state, NOT, before)

    async def take_down(self, listener_id: str, playlist_id: str) -> None:
        """Take a playlist off a shelf, if it is there."""
        before = await self._row((listener_id, playlist_id))
        if before and before.state:
            await self._write(listener_id, playlist_id, b"", NOT, before)

    async def followers(self, playlist_id: str) -> int:
        """Count who follows a playlist."""
        counts = await self._tables.count_stamped(
            PLAYLIST_FOLLOWERS, [(playlist_id,)], state=FOLLOWS
        )
        return counts[0]

    async def follow(self, playlist_id: str, listener_ids: list[str]) -> list[bool]:
        """Tell which listeners follow a playlist."""
        keys: list[Key] = [(playlist_id, listener_id) for listener_id in listener_ids]
        rows = await self._tables.read_stamped(PLAYLIST_FOLLOWERS, keys)
        return [row is not None and row.state == FOLLOWS for row in rows]

    async def forget(self, playlist_id: str) -> None:
        """Forget who follows a playlist that is gone; from shelves it goes when they are looked at."""
        stamp = self._now_ms() + TAKEN_DOWN_TTL_S * SECOND_MS
        await self._tables.erase_stamped(PLAYLIST_FOLLOWERS, (playlist_id,), stamp=stamp)

    async def _row(self, key: Key) -> StampedRow | None:
        return (await self._tables.read_stamped(LISTENER_PLAYLISTS, [key]))[0]

    async def _write(
        self,
        listener_id: str,
        playlist_id: str,
        shelf: bytes,
        follower: bytes,
        before: StampedRow | None,
    ) -> None:
        # Clocks may differ or stand still; what one does after the other comes after it.
        stamp = max(self._now_ms(), before.stamp + 1 if before else 0)
        rows = [
            (LISTENER_PLAYLISTS, (listener_id, playlist_id), shelf),
            (PLAYLIST_FOLLOWERS, (playlist_id, listener_id), follower),
        ]
        await self._tables.write_stamped(
            [
                (table, [StampedRow(key, state, stamp, None if state else TAKEN_DOWN_TTL_S)])
                for table, key, state in rows
            ]
        )
