"""The heads and parts of playlists in one store."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from domain.errors import HeartlineError
from domain.playlists import HISTORY_DAYS, Entry
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
MOST_ABSORBED = 256


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

    async def delete(self, playlist_id: str, *, version: int) -> bool:
        """Delete a playlist if *version* is its head's still, and whatever parts it has."""
        if not await self._tables.delete_if(PLAYLISTS, (playlist_id,), version=version):
            return False
        for row in await self._tables.scan(PLAYLIST_PARTS, (playlist_id,)):
            await self._tables.delete_if(PLAYLIST_PARTS, row.key, version=row.version)
        return True

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
        logs = [Part(PartKind.LOG, *each) for each in spans(head)]
        wanted = [part for part in logs if part.first <= last and part.last >= first]
        found = await self.parts(playlist_id, wanted)
        read = [record for part in wanted for record in unpack_records(found[part])]
        return [each for each in (*read, *head.tail) if first <= each.number <= last]

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
        base = b""
        if root:
            part = Part(PartKind.DOCUMENT, root, root)
            base = unpack((await self.parts(playlist_id, [part]))[part])
        return PlaylistDocument(base, list(updates))

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
        """Make the version that stands the root; None if another head stands by now."""
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
        kept = kept_roots((*head.roots, root), now_ms)
        rooted = msgspec.structs.replace(
            head,
            roots=kept,
            logs=(),
            tail=(),
            tail_bytes=0,
            root_bytes=0,
            absorbed=dict(list(head.absorbed.items())[-MOST_ABSORBED:]),
        )
        if not await self.write_head(playlist_id, rooted, version=standing.version):
            return None
        for part in superseded(head, kept):
            await self._tables.delete_if(PLAYLIST_PARTS, (playlist_id, *part), version=1)
        return Standing(rooted, standing.version + 1)

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
    numbers = [root.number for root in head.roots]
    ended = [(first + 1, last) for first, last in pairwise(numbers)]
    return [*ended, *head.logs]


def kept_roots(roots: Sequence[Root], now_ms: int) -> tuple[Root, ...]:
    """Leave out roots that were followed by the next one longer ago than history goes back."""
    oldest_ms = now_ms - HISTORY_DAYS * DAY_MS
    ended = pairwise(roots)
    return (*(root for root, following in ended if following.at_ms >= oldest_ms), roots[-1])


def superseded(head: Head, kept: Sequence[Root]) -> list[Part]:
    """Tell what nobody needs when a head has been followed by one with the roots *kept*."""
    numbers = [root.number for root in head.roots]
    dropped = [number for number in numbers if number < kept[0].number]
    ends = [*numbers[1:], kept[-1].number]
    logs = [Part(PartKind.LOG, *each) for each in head.logs if each != (head.root + 1, head.number)]
    gone = [
        part
        for number, end in zip(numbers, ends, strict=True)
        if number in dropped
        for part in (Part(PartKind.LOG, number + 1, end), Part(PartKind.DOCUMENT, number, number))
    ]
    return [*logs, Part(PartKind.LIST, head.root, head.root), *gone]
