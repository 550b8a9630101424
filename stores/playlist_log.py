"""The heads and parts of playlists in one store."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from domain.errors import HeartlineError, UnreadableRecord
from domain.playlists import HISTORY_DAYS, Details, Entry
from domain.ports import Key, Tables
from domain.units import DAY_MS
from stores.playlist_document import PlaylistDocument
from stores.playlist_rows import (
    Head,
    Part,
    PartKind,
    Record,
    Root,
    decode_head,
    encode_head,
    pack,
    pack_entries,
    pack_records,
    record_bytes,
    unpack,
    unpack_entries,
    unpack_records,
)
from stores.tables import PLAYLIST_PARTS, PLAYLISTS

TAIL_RECORDS, TAIL_BYTES = 64, 16 << 10  # what a head carries of the last edits
ROOT_EDITS, ROOT_BYTES = 1_000, 512 << 10  # after which a new root is made
MOST_ABSORBED = MOST_KEYS = 256


class PartGone(HeartlineError):
    """Raised when a part is not there: another process has made a new root since the head was read."""


class Standing(NamedTuple):
    """A head as it stands, and its row's version."""

    head: Head
    version: int


class PlaylistLog:
    """Reads and writes what is stored of playlists."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def heads(self, playlist_ids: Sequence[str]) -> list[Standing | None]:
        """Read heads, in the order of *playlist_ids*; None where there is no such playlist."""
        rows = await self._tables.read(PLAYLISTS, [(each,) for each in playlist_ids])
        return [
            Standing(decode_head(row.values["document"]), row.version) if row else None
            for row in rows
        ]

    async def head(self, playlist_id: str) -> Standing | None:
        """Read one head."""
        return (await self.heads([playlist_id]))[0]

    async def write_head(self, playlist_id: str, head: Head, *, version: int) -> bool:
        """Write a head if *version* is its row's still (0: there is none)."""
        document = {"document": encode_head(head)}
        return await self._tables.write_if(PLAYLISTS, (playlist_id,), document, version=version)

    async def bury(self, playlist_id: str, standing: Standing) -> bool:
        """Have a playlist be deleted, if its head is the one that stands; see `clear`."""
        head = standing.head
        nobodys = Details("", public=False)
        grave = Head(owner=head.owner, created_ms=head.created_ms, details=nobodys, is_deleted=True)
        return await self.write_head(playlist_id, grave, version=standing.version)

    async def clear(self, playlist_id: str) -> None:
        """Delete whatever parts there are of a playlist that was buried."""
        for row in await self._tables.scan(PLAYLIST_PARTS, (playlist_id,)):
            await self._tables.delete_if(PLAYLIST_PARTS, row.key, version=row.version)

    async def append(
        self, playlist_id: str, standing: Standing, after: Head, records: Sequence[Record]
    ) -> Standing | None:
        """Append *records* under the head *after*; None if another head stands by now."""
        head = after
        if len(head.tail) >= TAIL_RECORDS or head.tail_bytes >= TAIL_BYTES:
            first, last = head.tail[0].number, head.tail[-1].number
            await self._write(playlist_id, Part(PartKind.LOG, first, last), pack_records(head.tail))
            logs = (*head.logs, (first, last))
            head = msgspec.structs.replace(head, logs=logs, tail=(), tail_bytes=0)
        added = sum(map(record_bytes, records))
        head = msgspec.structs.replace(
            head,
            number=records[-1].number,
            changed_ms=records[-1].at_ms,
            tail=(*head.tail, *records),
            tail_bytes=head.tail_bytes + added,
            root_bytes=head.root_bytes + added,
        )
        if not await self.write_head(playlist_id, head, version=standing.version):
            return None
        return Standing(head, standing.version + 1)

    async def records(self, playlist_id: str, head: Head, first: int, last: int) -> list[Record]:
        """Read the records with numbers from *first* to *last*, as far as they are kept.

        :raises PartGone: if the head is not the one that stands.
        """
        # One that was written while a root was made has only what the root's log has, up to the root.
        of_now = head.logs if last > head.root else ()
        logs = [Part(PartKind.LOG, *each) for each in (*ended_spans(head), *of_now)]
        wanted = [part for part in logs if part.first <= last and part.last >= first]
        found = await self.parts(playlist_id, wanted)
        read = [record for part in wanted for record in unpack_records(found[part])]
        # A log that was written while a root was made may have some that the root's log has.
        numbered = {each.number: each for each in (*read, *head.tail)}
        return [numbered[number] for number in sorted(numbered) if first <= number <= last]

    async def entries(self, playlist_id: str, root: int) -> list[Entry]:
        """Read the list that is stored of a root.

        :raises PartGone: if it is not the last root any more.
        """
        if not root:
            return []
        part = Part(PartKind.LIST, root, root)
        return unpack_entries((await self.parts(playlist_id, [part]))[part])

    async def document(
        self, playlist_id: str, root: int, updates: Iterable[bytes]
    ) -> PlaylistDocument:
        """Read a root's document, and bring *updates* into it.

        :raises PartGone: if it is kept no longer.
        """
        return PlaylistDocument(await self.base(playlist_id, root), list(updates))

    async def base(self, playlist_id: str, root: int) -> bytes:
        """Read what a root's document begins with.

        :raises PartGone: if it is kept no longer.
        """
        if not root:
            return b""
        part = Part(PartKind.DOCUMENT, root, root)
        return unpack((await self.parts(playlist_id, [part]))[part])

    async def parts(self, playlist_id: str, parts: Sequence[Part]) -> Mapping[Part, bytes]:
        """Read parts.

        :raises PartGone: if one is not there.
        """
        keys: list[Key] = [(playlist_id, *part) for part in parts]
        rows = await self._tables.read(PLAYLIST_PARTS, keys)
        found = {}
        for part, row in zip(parts, rows, strict=True):
            document = row.values["document"] if row else None
            if not isinstance(document, bytes):
                raise PartGone(playlist_id, *part)
            found[part] = document
        return found

    async def make_root(
        self,
        playlist_id: str,
        standing: Standing,
        entries: Sequence[Entry],
        document: PlaylistDocument,
        now_ms: int,
    ) -> Standing | None:
        """Make the version that stands the root, whatever others append meanwhile.

        None if somebody else has made another.
        """
        head, root = standing.head, Root(standing.head.number, now_ms)
        records = await self.records(playlist_id, head, head.root + 1, root.number)
        snapshot = document.snapshot()
        blobs = await asyncio.to_thread(
            lambda: {
                Part(PartKind.LOG, head.root + 1, root.number): pack_records(records),
                Part(PartKind.LIST, root.number, root.number): pack_entries(entries),
                Part(PartKind.DOCUMENT, root.number, root.number): pack(snapshot),
            }
        )
        for part, blob in blobs.items():
            await self._write(playlist_id, part, blob)
        keys = {record.key: record.number for record in records if record.key}
        while now := await self.head(playlist_id):
            if now.head.is_deleted or now.head.root != head.root:
                break
            if not await self._goes_on(playlist_id, now.head, root.number, snapshot):
                break
            after = rooted(now.head, root, keys, now_ms)
            if await self.write_head(playlist_id, after, version=now.version):
                await self._remove(playlist_id, superseded(now.head, after))
                return Standing(after, now.version + 1)
        named = set(parts_of(now.head)) if now and not now.head.is_deleted else set()
        await self._remove(playlist_id, [part for part in blobs if part not in named])
        return None

    async def _goes_on(self, playlist_id: str, head: Head, number: int, snapshot: bytes) -> bool:
        """Whether edits that were accepted after a root can be merged into its document."""
        if head.number == number:
            return True
        records = await self.records(playlist_id, head, number + 1, head.number)
        try:
            PlaylistDocument(snapshot, [each for record in records for each in record.updates])
        except UnreadableRecord:  # a client's edit of what was before the root
            return False
        return True

    async def _remove(self, playlist_id: str, parts: Iterable[Part]) -> None:
        for part in parts:
            await self._tables.delete_if(PLAYLIST_PARTS, (playlist_id, *part), version=1)

    async def _write(self, playlist_id: str, part: Part, blob: bytes) -> None:
        # One that stands already was written by somebody who had the same edits before them.
        await self._tables.write_if(
            PLAYLIST_PARTS, (playlist_id, *part), {"document": blob}, version=0
        )


def wants_root(head: Head) -> bool:
    """Whether there were enough edits since the last root."""
    return head.number - head.root >= ROOT_EDITS or head.root_bytes >= ROOT_BYTES


def spans(head: Head) -> list[tuple[int, int]]:
    """Tell from which to which number the logs go, the oldest first."""
    return [*ended_spans(head), *head.logs]


def ended_spans(head: Head) -> list[tuple[int, int]]:
    """Tell those of the logs that lead from root to root."""
    numbers = [root.number for root in head.roots]
    return [(first + 1, last) for first, last in pairwise(numbers)]


def kept_roots(roots: Sequence[Root], now_ms: int) -> tuple[Root, ...]:
    """Leave out roots that were followed by the next one longer ago than history goes back."""
    oldest_ms = now_ms - HISTORY_DAYS * DAY_MS
    ended = pairwise(roots)
    return (*(root for root, following in ended if following.at_ms >= oldest_ms), roots[-1])


def rooted(head: Head, root: Root, keys: Mapping[bytes, int], now_ms: int) -> Head:
    """Make of a head the one that follows when an edit up to which it has them all is the root."""
    tail = tuple(record for record in head.tail if record.number > root.number)
    tail_bytes = sum(map(record_bytes, tail))
    return msgspec.structs.replace(
        head,
        roots=kept_roots((*head.roots, root), now_ms),
        logs=tuple(each for each in head.logs if each[1] > root.number),
        tail=tail,
        tail_bytes=tail_bytes,
        root_bytes=tail_bytes,
        absorbed=dict(list(head.absorbed.items())[-MOST_ABSORBED:]),
        keys=dict(list({**head.keys, **keys}.items())[-MOST_KEYS:]),
    )


def superseded(before: Head, after: Head) -> list[Part]:
    """Tell which parts a head had that the one with another root after it has not."""
    kept = set(parts_of(after))
    return [part for part in parts_of(before) if part not in kept]


def parts_of(head: Head) -> list[Part]:
    """Tell all parts that a head names."""
    numbers = [root.number for root in head.roots if root.number]
    documents = [Part(PartKind.DOCUMENT, number, number) for number in numbers]
    lists = [Part(PartKind.LIST, head.root, head.root)] if head.root else []
    return [*(Part(PartKind.LOG, *each) for each in spans(head)), *documents, *lists]
