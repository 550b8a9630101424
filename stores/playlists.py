"""Playlists: read, edited by many at once, and found again as they were.

Edits of one playlist are made one after the other, several to a write. Each is made on the version
that stands, and accepted with the head that follows it. If another process was faster, the draft is
thrown away and the edits are made again on what stands then: what was accepted is never undone.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

import msgspec

from domain.errors import HeartlineError, Refused, Unavailable
from domain.playlist_deltas import make
from domain.playlist_edits import Keep
from domain.playlists import BadEdit, Details, Entry, check_details
from stores.open_playlist import OpenPlaylist, replayed
from stores.playlist_document import Outdated
from stores.playlist_edits import Change, Draft, ListChange
from stores.playlist_log import PartGone, PlaylistLog, Standing, wants_root
from stores.playlist_merging import Carrying, Judge, carrying, too_old
from stores.playlist_rows import Head, Record

TRIES = 40
MOST_TOGETHER = 64  # edits in one write
MOST_PENDING = 1_000  # of one playlist
MOST_OPEN, MOST_WEIGHT = 2_000, 400_000  # playlists in memory, and what they hold
LOOK_EACH = 64  # views
REMEMBERED = 16  # older lists, of all playlists
BACKOFF_S = 0.002

logger = logging.getLogger(__name__)

Allow = Callable[[Head], None]


class NoPlaylist(HeartlineError):
    """Raised when there is no such playlist."""


class Forbidden(HeartlineError):
    """Raised by who says who may edit a playlist, if somebody may only see it."""

    def __str__(self) -> str:
        return "this playlist is not yours to change"


class Contended(Unavailable):
    """Raised when others keep changing a playlist."""

    def __str__(self) -> str:
        return "too many edit this playlist at once"


class View(NamedTuple):
    """A playlist as it stood when it was read; the list never changes."""

    id: str
    head: Head
    entries: Sequence[Entry]


class Older(NamedTuple):
    """A playlist as it was; the list never changes."""

    entries: Sequence[Entry]
    details: Details


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
        self._log, self._now_ms, self._new_id, self._random = log, now_ms, new_id, random
        self._open: OrderedDict[str, OpenPlaylist] = OrderedDict()
        self._pending: dict[str, deque[Pending]] = {}
        self._writing: set[asyncio.Task[None]] = set()
        self._older: OrderedDict[tuple[str, int], Older] = OrderedDict()
        self._views = 0

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
            return await self.view(playlist_id)
        return View(playlist_id, made.head, [])

    async def view(self, playlist_id: str) -> View:
        """Read a playlist.

        :raises NoPlaylist: if there is none.
        """
        playlist = self._opened(playlist_id)
        standing = await self._standing(playlist_id)
        if playlist.standing is None or playlist.standing.version < standing.version:
            async with playlist.lock:
                await self._catch_up(playlist, standing)
        self._let_go()
        return View(playlist_id, playlist.head, playlist.entries)

    async def head(self, playlist_id: str) -> Head:
        """Read a playlist without its entries.

        :raises NoPlaylist: if there is none.
        """
        return (await self._standing(playlist_id)).head

    async def heads(self, playlist_ids: Sequence[str]) -> dict[str, Head]:
        """Read several; those that are not there are left out."""
        found = await self._log.heads(playlist_ids)
        pairs = zip(playlist_ids, found, strict=True)
        return {playlist_id: standing.head for playlist_id, standing in pairs if standing}

    async def version(self, playlist_id: str, number: int) -> Sequence[Entry]:
        """Read the list as it was after edit *number*.

        :raises NoPlaylist: if there is none.
        :raises BadEdit: if there was no such edit, or it is too long ago.
        """
        view = await self.view(playlist_id)
        if number == view.head.number:
            return view.entries
        known = self._opened(playlist_id).list_at(number) if number else None
        if known is not None:
            return known
        return (await self._as_it_was(playlist_id, view.head, number)).entries

    async def details(self, playlist_id: str, number: int) -> Details:
        """Read the details as they were after edit *number*; as `version`."""
        head = await self.head(playlist_id)
        if number == head.number:
            return head.details
        return (await self._as_it_was(playlist_id, head, number)).details

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
        waiting = self._pending.setdefault(playlist_id, deque())
        if len(waiting) >= MOST_PENDING:
            raise Contended
        pending = Pending(change, by, allow, key)
        waiting.append(pending)
        if len(waiting) == 1:
            writing = asyncio.create_task(self._write(playlist_id))
            self._writing.add(writing)
            writing.add_done_callback(self._writing.discard)
        return await pending.made

    async def merge(
        self, playlist_id: str, update: bytes, judge: Judge, *, allow: Allow, key: bytes = b""
    ) -> int:
        """Carry over an update that is based on an older document than the present one.

        :raises CannotMerge: if it cannot be merged.
        """
        view = await self.view(playlist_id)
        for older, newer in zip(view.head.roots[-2::-1], view.head.roots[:0:-1], strict=True):
            if newer.at_ms < judge.oldest_ms:
                break
            try:
                change = await self._carried(view, older.number, newer.number, update, judge)
            except Outdated:
                continue
            except PartGone:
                break
            return await self.edit(playlist_id, change, by=judge.by, allow=allow, key=key)
        raise too_old()

    async def _carried(
        self, view: View, root: int, end: int, update: bytes, judge: Judge
    ) -> Carrying:
        """Merge an update into the document from *root* to edit *end*."""
        before = await self.version(view.id, end)
        records = await self._log.records(view.id, view.head, root + 1, end)
        updates = [each for record in records for each in record.updates]
        document = await self._log.document(view.id, root, updates)
        return await asyncio.to_thread(carrying, judge, update, document, before, view.head.details)

    async def change_head(self, playlist_id: str, change: Callable[[Head], Head]) -> Head:
        """Replace a head by what *change* makes of it, which may run more than once.

        :raises NoPlaylist: if there is none.
        :raises Contended: if others keep changing it.
        """
        for attempt in range(TRIES):
            standing = await self._standing(playlist_id)
            after = change(standing.head)
            if after == standing.head:
                return after
            if await self._log.write_head(playlist_id, after, version=standing.version):
                return after
            await self._back_off(attempt)
        raise Contended

    async def delete(self, playlist_id: str, allow: Allow) -> None:
        """Delete a playlist; one that is gone stays so."""
        while (standing := await self._log.head(playlist_id)) is not None:
            allow(standing.head)
            if await self._log.delete(playlist_id, version=standing.version):
                break
        self._open.pop(playlist_id, None)

    async def records(self, playlist_id: str, first: int, last: int) -> list[Record]:
        """Read the edits from number *first* to *last*, as far as they are kept.

        :raises NoPlaylist: if there is none.
        """
        for _ in range(TRIES):
            standing = await self._standing(playlist_id)
            try:
                return await self._log.records(playlist_id, standing.head, first, last)
            except PartGone:
                continue
        raise Contended

    async def open(self, playlist_id: str) -> OpenPlaylist:
        """Have a playlist with its document; held for as long as somebody watches it.

        :raises NoPlaylist: if there is none.
        """
        playlist = self._opened(playlist_id)
        async with playlist.lock:
            await self._ready(playlist)
        return playlist

    def _opened(self, playlist_id: str) -> OpenPlaylist:
        playlist = self._open.get(playlist_id)
        if playlist is None:
            playlist = self._open[playlist_id] = OpenPlaylist(playlist_id)
        self._open.move_to_end(playlist_id)
        return playlist

    def _let_go(self) -> None:
        self._views += 1
        if self._views % LOOK_EACH and len(self._open) <= MOST_OPEN:
            return
        weight = sum(each.weight for each in self._open.values())
        for playlist_id, playlist in [*self._open.items()]:
            if len(self._open) <= MOST_OPEN and weight <= MOST_WEIGHT:
                break
            is_used = playlist.lock.locked() or playlist.watchers or playlist_id in self._pending
            if not is_used and len(self._open) > 1:
                weight -= playlist.weight
                del self._open[playlist_id]

    async def _standing(self, playlist_id: str) -> Standing:
        standing = await self._log.head(playlist_id)
        if standing is None:
            self._open.pop(playlist_id, None)
            raise NoPlaylist(playlist_id)
        return standing

    async def _catch_up(self, playlist: OpenPlaylist, standing: Standing) -> None:
        """Bring a playlist to the head that stands, or a newer one; its lock is held."""
        for _ in range(TRIES):
            known = playlist.standing
            if known and known.head.created_ms != standing.head.created_ms:
                playlist.standing = known = None  # it was deleted, and made anew
            if known is not None and known.version >= standing.version:
                return
            try:
                await self._reach(playlist, standing)
            except PartGone:
                standing = await self._standing(playlist.id)
            else:
                return
        raise Contended

    async def _reach(self, playlist: OpenPlaylist, standing: Standing) -> None:
        head, known = standing.head, playlist.standing
        if known is None or known.head.number < head.root:
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

    async def _ready(self, playlist: OpenPlaylist) -> None:
        """Catch up with a playlist and have its document; its lock is held."""
        await self._catch_up(playlist, await self._standing(playlist.id))
        for _ in range(TRIES):
            if playlist.document is not None:
                return
            head = playlist.head
            try:
                records = await self._log.records(playlist.id, head, head.root + 1, head.number)
                updates = [each for record in records for each in record.updates]
                playlist.document = await self._log.document(playlist.id, head.root, updates)
            except PartGone:
                await self._catch_up(playlist, await self._standing(playlist.id))
        raise Contended

    async def _as_it_was(self, playlist_id: str, head: Head, number: int) -> "Older":
        key = playlist_id, number
        if (known := self._older.get(key)) is not None:
            self._older.move_to_end(key)
            return known
        begins = [root.number for root in head.roots if root.number <= number]
        if not begins or not 0 < number <= head.number:
            raise BadEdit(
                "snapshot_id", "wants a version that is kept: this one is too old, or is not yet"
            )
        root = begins[-1]
        records = await self._log.records(playlist_id, head, root + 1, number)
        document = await self._log.document(playlist_id, root, ())
        entries, details = document.entries(), document.details() if root else Details("")
        for record in records:
            make(entries, record.delta)
            details = msgspec.structs.replace(details, **record.details)
        older = self._older[key] = Older(entries, details)
        if len(self._older) > REMEMBERED:
            self._older.popitem(last=False)
        return older

    async def _write(self, playlist_id: str) -> None:
        """Make the edits that wait, until none does."""
        waiting = self._pending[playlist_id]
        playlist = self._opened(playlist_id)
        while waiting:
            batch = [waiting[n] for n in range(min(MOST_TOGETHER, len(waiting)))]
            try:
                async with playlist.lock:
                    await self._make(playlist, batch)
            except Exception as error:
                playlist.document = None
                fail(batch, error)
                if not isinstance(error, HeartlineError):
                    logger.exception("edits of a playlist failed")
            finally:
                for _ in batch:
                    waiting.popleft()
                if not waiting:
                    del self._pending[playlist_id]
        self._let_go()

    async def _make(self, playlist: OpenPlaylist, batch: Sequence[Pending]) -> None:
        for attempt in range(TRIES + len(batch)):  # each of which may spoil a draft
            await self._ready(playlist)
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
            await self._back_off(attempt)
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
            except (Refused, Forbidden) as error:
                fail([pending], error)
            except Exception as error:
                if not isinstance(error, HeartlineError):
                    logger.exception("an edit of a playlist failed")
                fail([pending], error)
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
        document, playlist.document = playlist.document, None
        if document is None:
            return  # nothing was edited
        standing = await self._log.make_root(
            playlist.id, playlist.standing, playlist.entries, document, self._now_ms()
        )
        if standing is not None:
            playlist.reach(standing, (), playlist.entries)

    async def _back_off(self, attempt: int) -> None:
        await asyncio.sleep(BACKOFF_S * min(attempt + 1, 10) * self._random.random())


def fail(batch: Sequence[Pending], error: BaseException) -> None:
    """Tell those who wait still that it cannot be."""
    for pending in batch:
        if not pending.made.done():
            pending.made.set_exception(error)
