"""Playlists: read, edited by many at once, and found again as they were.

Edits of one playlist are made one after the other, several to a write. Each is made on the version
that stands, and accepted with the head that follows it. If another process was faster, the draft is
thrown away and the edits are made again on what stands then: what was accepted is never undone.
"""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from domain.playlist_edits import Keep
from domain.playlists import Details, Entry, check_details
from stores.open_playlist import OpenPlaylist
from stores.open_playlists import TRIES
from stores.playlist_document import PlaylistDocument
from stores.playlist_edits import Change, Draft, ListChange
from stores.playlist_errors import CannotMerge, Contended, NoPlaylist, Outdated
from stores.playlist_log import PartGone, PlaylistLog, Standing
from stores.playlist_merging import Before, Carrying, Judge, carrying, too_old
from stores.playlist_past import PlaylistPast
from stores.playlist_rows import Head, Record
from stores.playlist_writer import Allow, PlaylistWriter

MOST_CARRIED = 5_000  # edits since a root, which are brought into its document where it needs them


class View(NamedTuple):
    """A playlist as it stood when it was read; the list never changes."""

    id: str
    head: Head
    entries: Sequence[Entry]


class Playlists:
    """The playlists of one store, those used lately in memory."""

    def __init__(
        self,
        log: PlaylistLog,
        *,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
        random: Random,
    ) -> None:
        self._log, self._now_ms, self._new_id = log, now_ms, new_id
        self._writer = PlaylistWriter(log, now_ms=now_ms, random=random)
        self._open = self._writer.playlists
        self._past = PlaylistPast(log, self._open)

    async def create(self, owner: str, details: Details, playlist_id: str | None = None) -> View:
        """Make an empty playlist; the same id again gives the one that it made.

        :raises BadEdit: if it cannot have those details.
        """
        playlist_id = playlist_id or self._new_id()
        now_ms = self._now_ms()
        head = Head(owner=owner, created_ms=now_ms, changed_ms=now_ms, details=Details(""))
        wanted = check_details(details)
        draft = Draft(head, [], await self._log.document(playlist_id, 0, ()), now_ms)
        await ListChange(Keep(), details=lambda _: wanted).make(draft, owner, b"")
        record = draft.records[0]
        made = await self._log.append(playlist_id, Standing(head, 0), draft.head, [record])
        if made is None:
            return await self.view(playlist_id)  # it was made before, and perhaps deleted
        return View(playlist_id, made.head, [])

    async def view(self, playlist_id: str) -> View:
        """Read a playlist.

        :raises NoPlaylist: if there is none.
        """
        playlist = self._open.get(playlist_id)
        standing = await self._open.standing(playlist_id)
        if playlist.standing is None or playlist.standing.version < standing.version:
            async with playlist.lock:
                await self._open.catch_up(playlist, standing)
        self._open.let_go()
        return View(playlist_id, playlist.head, playlist.entries)

    async def head(self, playlist_id: str) -> Head:
        """Read a playlist without its entries.

        :raises NoPlaylist: if there is none.
        """
        return (await self._open.standing(playlist_id)).head

    async def heads(self, playlist_ids: Sequence[str]) -> dict[str, Head]:
        """Read several; those that are not there are left out."""
        found = await self._log.heads(playlist_ids)
        return {
            playlist_id: standing.head
            for playlist_id, standing in zip(playlist_ids, found, strict=True)
            if standing and not standing.head.is_deleted
        }

    async def version(self, playlist_id: str, number: int) -> Sequence[Entry]:
        """Read the list as it was after edit *number*.

        :raises NoPlaylist: if there is none.
        :raises BadEdit: if there was no such edit, or it is too long ago.
        """
        view = await self.view(playlist_id)
        if number == view.head.number:
            return view.entries
        known = self._open.get(playlist_id).list_at(number) if number else None
        return (await self._past.version(playlist_id, number)).entries if known is None else known

    async def details(self, playlist_id: str, number: int) -> Details:
        """Read the details as they were after edit *number*; as `version`."""
        head = await self.head(playlist_id)
        if number == head.number:
            return head.details
        return (await self._past.version(playlist_id, number)).details

    async def edit(
        self, playlist_id: str, change: Change, *, by: str, allow: Allow, key: bytes = b""
    ) -> int:
        """Have *change* made, by somebody whom *allow* lets; gives the number of the version with it.

        A *key* that one of the last edits had stands for that edit.

        :raises NoPlaylist: if there is none.
        :raises Refused: if it cannot be made.
        :raises CannotMerge: if it is an update that cannot be merged.
        :raises Contended: if others keep changing the playlist.
        """
        return await self._writer.edit(playlist_id, change, by=by, allow=allow, key=key)

    async def merge(
        self, playlist_id: str, update: bytes, judge: Judge, *, allow: Allow, key: bytes = b""
    ) -> int:
        """Carry over an update that is based on an older document than the present one.

        :raises CannotMerge: if it cannot be merged.
        """
        for _ in range(TRIES):
            try:
                change = await self._carrying(await self.view(playlist_id), update, judge)
            except PartGone:
                continue  # a root was made meanwhile
            return await self.edit(playlist_id, change, by=judge.by, allow=allow, key=key)
        raise Contended

    async def _carrying(self, view: View, update: bytes, judge: Judge) -> Carrying:
        """Merge an update into the older document that it is based on."""
        try:
            number = await self._root_of(view, update)
        except Outdated as error:
            raise too_old() from error
        older, newer = view.head.roots[number], view.head.roots[number + 1]
        if newer.at_ms < judge.oldest_ms:
            raise too_old()
        try:
            return await self._carried(view, older.number, newer.number, update, judge)
        except CannotMerge as error:
            is_far = view.head.number - older.number > MOST_CARRIED
            if is_far or error.reason not in {"gap", "forbidden"}:
                raise
        # Some of it may follow edits that came after the next root: gaps, or others' operations.
        return await self._carried(view, older.number, view.head.number, update, judge)

    async def _root_of(self, view: View, update: bytes) -> int:
        """Find the newest root before the last that goes back to what an update is based on.

        :raises Outdated: if none does.
        """
        first, last = -1, len(view.head.roots) - 2
        while first < last:
            middle = (first + last + 1) // 2
            root = await self._log.document(view.id, view.head.roots[middle].number, ())
            if await asyncio.to_thread(root.reaches, update):
                first = middle
            else:
                last = middle - 1
        if first < 0:
            raise Outdated
        return first

    async def _carried(
        self, view: View, root: int, end: int, update: bytes, judge: Judge
    ) -> Carrying:
        """Merge an update into the document from *root* to edit *end*."""
        entries = await self.version(view.id, end)
        records = await self._log.records(view.id, view.head, root + 1, end)
        updates = [each for record in records for each in record.updates]
        base = await self._log.base(view.id, root)
        absorbed = view.head.absorbed.get(judge.peer, 0)
        before = Before(
            lambda: PlaylistDocument(base, updates), entries, view.head.details, absorbed
        )
        return await asyncio.to_thread(carrying, judge, update, before)

    async def change_head(self, playlist_id: str, change: Callable[[Head], Head]) -> Head:
        """Replace a head by what *change* makes of it, which may run more than once.

        :raises NoPlaylist: if there is none.
        :raises Contended: if others keep changing it.
        """
        for attempt in range(TRIES):
            standing = await self._open.standing(playlist_id)
            after = change(standing.head)
            if after == standing.head:
                return after
            if await self._log.write_head(playlist_id, after, version=standing.version):
                return after
            await self._writer.back_off(attempt)
        raise Contended

    async def delete(self, playlist_id: str, allow: Allow) -> None:
        """Delete a playlist; what was begun and broken off may be asked for again.

        :raises NoPlaylist: if there was none.
        """
        while True:
            standing = await self._log.head(playlist_id)
            if standing is None:
                raise NoPlaylist(playlist_id)
            allow(standing.head)
            if standing.head.is_deleted or await self._log.bury(playlist_id, standing):
                break
        self._open.forget(playlist_id)
        await self._log.clear(playlist_id)

    async def records(self, playlist_id: str, first: int, last: int) -> list[Record]:
        """Read the edits from number *first* to *last*, as far as they are kept.

        :raises NoPlaylist: if there is none.
        """
        for _ in range(TRIES):
            standing = await self._open.standing(playlist_id)
            try:
                return await self._log.records(playlist_id, standing.head, first, last)
            except PartGone:
                continue
        raise Contended

    async def close(self) -> None:
        """Finish what is being written."""
        await self._writer.close()

    async def open(self, playlist_id: str) -> OpenPlaylist:
        """Have a playlist with its document; held for as long as somebody watches it.

        :raises NoPlaylist: if there is none.
        """
        for _ in range(TRIES):
            playlist = self._open.get(playlist_id)
            async with playlist.lock:
                await self._open.ready(playlist)
            if self._open.has(playlist):
                return playlist
        raise Contended
