"""Edits that wait for a playlist, and how they are accepted: several to a write, each on what stands."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from domain.errors import HeartlineError
from stores.open_playlist import OpenPlaylist
from stores.open_playlists import TRIES, OpenPlaylists
from stores.playlist_edits import Change, Draft
from stores.playlist_errors import Contended
from stores.playlist_log import PlaylistLog, wants_root
from stores.playlist_rows import Head

MOST_TOGETHER = 64  # edits in one write
MOST_BYTES_TOGETHER = 256 << 10
MOST_PENDING = 1_000  # of one playlist
ROOT_AGAIN = 50  # edits after a root that could not be made
BACKOFF_S = 0.002

logger = logging.getLogger(__name__)

Allow = Callable[[Head], None]


@dataclass
class Pending:
    """An edit that waits for its turn."""

    change: Change
    by: str
    allow: Allow
    key: bytes
    made: asyncio.Future[int] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class PlaylistWriter:
    """Makes the edits of a process, those of one playlist one after the other."""

    def __init__(self, log: PlaylistLog, *, now_ms: Callable[[], int], random: Random) -> None:
        self._log, self._now_ms, self._random = log, now_ms, random
        self._pending: dict[str, deque[Pending]] = {}
        self._writing: dict[str, asyncio.Task[None]] = {}
        self.playlists = OpenPlaylists(log, self._pending)

    async def edit(
        self, playlist_id: str, change: Change, *, by: str, allow: Allow, key: bytes = b""
    ) -> int:
        """As `stores.playlists.Playlists.edit`."""
        waiting = self._pending.setdefault(playlist_id, deque())
        if len(waiting) >= MOST_PENDING:
            raise Contended
        pending = Pending(change, by, allow, key)
        waiting.append(pending)
        if playlist_id not in self._writing:
            self._writing[playlist_id] = asyncio.create_task(self._write_all(playlist_id))
        return await pending.made

    async def close(self) -> None:
        """Finish what is being written."""
        while self._writing:
            await asyncio.wait([*self._writing.values()])

    async def _write_all(self, playlist_id: str) -> None:
        """Make the edits that wait, until none does; nobody comes between the last and the end."""
        try:
            await self._write(playlist_id, self._pending[playlist_id])
        finally:
            del self._writing[playlist_id]
        self.playlists.let_go()

    async def _write(self, playlist_id: str, waiting: deque[Pending]) -> None:
        playlist = self.playlists.get(playlist_id)
        while waiting:
            batch = together(waiting)
            try:
                async with playlist.lock:
                    await self._make(playlist, batch)
            except BaseException as error:
                playlist.document = None
                fail(batch, error)
                if isinstance(error, asyncio.CancelledError | KeyboardInterrupt | SystemExit):
                    raise
                if not isinstance(error, HeartlineError):
                    logger.exception("edits of a playlist failed")
            finally:
                for _ in batch:
                    waiting.popleft()
                if not waiting:
                    del self._pending[playlist_id]

    async def _make(self, playlist: OpenPlaylist, batch: Sequence[Pending]) -> None:
        for attempt in range(TRIES + len(batch)):  # each of which may spoil a draft
            await self.playlists.ready(playlist)
            left = [pending for pending in batch if not pending.made.done()]
            numbers, draft = await self._drafted(playlist, left)
            if draft is None:
                continue
            if not draft.records or await self._accepted(playlist, draft):
                for pending, number in numbers:
                    if not pending.made.done():
                        pending.made.set_result(number)
                if wants_root(playlist.head):
                    await self._make_root(playlist)
                return
            await self.back_off(attempt)
        raise Contended

    async def _drafted(
        self, playlist: OpenPlaylist, batch: Sequence[Pending]
    ) -> tuple[list[tuple[Pending, int]], Draft | None]:
        """Make edits that are not accepted yet; no draft if one of them spoilt it."""
        document, playlist.document = playlist.document, None  # until what it holds is accepted
        assert document is not None  # noqa: S101
        draft = Draft(playlist.head, list(playlist.entries), document, self._now_ms())
        numbers = []
        for pending in batch:
            try:
                pending.allow(draft.head)
                numbers.append((pending, await self._once(playlist, draft, pending)))
            except Exception as error:
                fail([pending], error)
                if not isinstance(error, HeartlineError):
                    logger.exception("an edit of a playlist failed")
                if draft.is_spoilt:
                    return [], None
        if not draft.records:
            playlist.document = document
        return numbers, draft

    async def _once(self, playlist: OpenPlaylist, draft: Draft, pending: Pending) -> int:
        if pending.key:
            made = playlist.made_by(pending.key)
            for record in draft.records:
                made = record.number if record.key == pending.key else made
            if made is not None:
                return made
        return await pending.change.make(draft, pending.by, pending.key)

    async def _accepted(self, playlist: OpenPlaylist, draft: Draft) -> bool:
        assert playlist.standing is not None  # noqa: S101
        standing = await self._log.append(playlist.id, playlist.standing, draft.head, draft.records)
        if standing is None:
            return False
        playlist.document = draft.document
        for record, done in zip(draft.records, draft.done, strict=True):
            playlist.note(record, done)
        playlist.reach(standing, draft.records, draft.entries)
        return True

    async def _make_root(self, playlist: OpenPlaylist) -> None:
        assert playlist.standing is not None  # noqa: S101
        number = playlist.head.number
        if playlist.document is None or number < playlist.next_root:
            return  # nothing was edited, or one was just given up
        standing = await self._log.make_root(
            playlist.id, playlist.standing, playlist.entries, playlist.document, self._now_ms()
        )
        if standing is None:
            playlist.next_root = number + ROOT_AGAIN
        playlist.document = None  # the next one begins with the root
        if standing and standing.head.number == playlist.head.number:
            playlist.reach(standing, (), playlist.entries)

    async def back_off(self, attempt: int) -> None:
        """Let others have their turn, for a while that grows and is not the same for everybody."""
        await asyncio.sleep(BACKOFF_S * min(attempt + 1, 10) * self._random.random())


def together(waiting: Sequence[Pending]) -> list[Pending]:
    """Tell the first of those who wait, as many as one write may have."""
    batch: list[Pending] = []
    size = 0
    for pending in waiting:
        size += len(getattr(pending.change, "update", b""))
        if batch and (size > MOST_BYTES_TOGETHER or len(batch) == MOST_TOGETHER):
            break
        batch.append(pending)
    return batch


def fail(batch: Sequence[Pending], error: BaseException) -> None:
    """Tell those who wait still that it cannot be."""
    for pending in batch:
        if not pending.made.done():
            pending.made.set_exception(error)
