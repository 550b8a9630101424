"""Who has a playlist open now, in any process: rows that live half a minute longer than they are told."""

from collections.abc import Callable, Iterable

from domain.ports import StampedRow, Tables
from stores.tables import PLAYLIST_VISITORS

TTL_S = 30


class PlaylistVisitors:
    """The visitors of one store's playlists, each by their session."""

    def __init__(self, tables: Tables, *, now_ms: Callable[[], int]) -> None:
        self._tables, self._now_ms, self._stamp = tables, now_ms, 0

    async def are_here(self, playlist_id: str, visitors: Iterable[tuple[str, str]]) -> None:
        """Tell that these sessions, each of a listener, have a playlist open."""
        await self._write(playlist_id, [(session, who.encode()) for session, who in visitors])

    async def left(self, playlist_id: str, session: str) -> None:
        """Tell that a session has ended."""
        await self._write(playlist_id, [(session, b"")])

    async def of(self, playlist_id: str) -> dict[str, str]:
        """Tell whose sessions have a playlist open."""
        rows = await self._tables.scan_stamped(PLAYLIST_VISITORS, (playlist_id,))
        return {str(row.key[1]): row.state.decode() for row in rows if row.state}

    async def _write(self, playlist_id: str, told: Iterable[tuple[str, bytes]]) -> None:
        self._stamp = max(self._now_ms(), self._stamp + 1)  # what is told later comes later
        rows = [
            StampedRow((playlist_id, session), state, self._stamp, TTL_S)
            for session, state in sorted(told)
        ]
        if rows:
            await self._tables.write_stamped([(PLAYLIST_VISITORS, rows)])
