"""A playlist in memory: its head, its list, the lists it had lately, and the document to edit."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice

from domain.playlist_deltas import Done, make, undo
from domain.playlists import Entry
from stores.playlist_document import PlaylistDocument
from stores.playlist_log import Standing
from stores.playlist_rows import Head, Record

CHECKPOINT = 128  # records; undoing so many takes a millisecond where there are 10 000 entries
MOST_JOURNAL = 4_096

Watcher = Callable[[Sequence[Record], Head], None]


class OpenPlaylist:
    """What is known of one playlist; a list that was given out never changes."""

    def __init__(self, playlist_id: str) -> None:
        self.id = playlist_id
        self.standing: Standing | None = None
        self.entries: list[Entry] = []
        self.document: PlaylistDocument | None = None  # that of the standing head, or none
        self.lock = asyncio.Lock()
        self.watchers: set[Watcher] = set()
        self._journal: list[list[Done]] = []  # of the last records, up to the standing number
        self._checkpoints: dict[int, list[Entry]] = {}
        self._keys: dict[bytes, int] = {}
        self.next_root = 0  # the number before which none is tried, since one was given up
        self._copy: tuple[int, bytes] | None = None

    @property
    def head(self) -> Head:
        """The head that stands."""
        assert self.standing is not None  # noqa: S101  # who asks has caught up
        return self.standing.head

    @property
    def weight(self) -> int:
        """How much it holds, in entries."""
        in_document = len(self.entries) * 4 if self.document else 0
        return len(self.entries) + len(self._journal) + in_document + 10

    def begin(self, entries: list[Entry]) -> None:
        """Begin anew with a list; what was known before is forgotten."""
        self.entries, self.document = entries, None
        self._journal.clear()
        self._checkpoints.clear()
        self._keys.clear()
        self._copy = None

    def reach(self, standing: Standing, records: Sequence[Record], entries: list[Entry]) -> None:
        """Go on to a newer head, which *records* led to, each of them noted; *entries* is its list."""
        self.standing, self.entries = standing, entries
        number = standing.head.number
        if number - max(self._checkpoints, default=0) >= CHECKPOINT:
            self._checkpoints[number] = entries
        for watch in [*self.watchers] if records else ():
            watch(records, standing.head)

    def note(self, record: Record, done: list[Done]) -> None:
        """Remember what a record did, the next one after those noted."""
        self._journal.append(done)
        if record.key:
            self._keys[record.key] = record.number
        if len(self._journal) > MOST_JOURNAL:
            del self._journal[: MOST_JOURNAL // 4]
            oldest = record.number - len(self._journal)
            self._checkpoints = {n: each for n, each in self._checkpoints.items() if n >= oldest}
            self._keys = {key: n for key, n in self._keys.items() if n >= oldest}

    def made_by(self, key: bytes) -> int | None:
        """Tell which of the last edits had a key."""
        return self._keys.get(key, self.head.keys.get(key))

    def list_at(self, number: int) -> list[Entry] | None:
        """Tell what the list was after edit *number*; None if that is not remembered."""
        if self.standing is None:
            return None  # it was let go meanwhile
        behind = self.head.number - number
        if behind == 0:
            return self.entries
        if not 0 < behind <= len(self._journal):
            return None
        near = min((n for n in self._checkpoints if n >= number), default=self.head.number)
        entries = list(self._checkpoints.get(near, self.entries))
        first = len(self._journal) - behind
        for done in reversed([*islice(self._journal, first, first + near - number)]):
            undo(entries, done)
        return entries

    def copy(self) -> bytes:
        """Give a copy of the document that stands, for somebody to begin with."""
        assert self.document is not None  # noqa: S101
        if self._copy is None or self._copy[0] != self.head.number:
            self._copy = self.head.number, self.document.copy()
        return self._copy[1]

    def updates_since(self, version: bytes) -> bytes | None:
        """Give what came after a client's version; None if only a snapshot helps.

        :raises CannotMerge: if *version* is none.
        """
        assert self.document is not None  # noqa: S101
        return self.document.updates_since(version)


def replayed(playlist: OpenPlaylist, records: Sequence[Record]) -> list[Entry]:
    """Tell what *records* make of a playlist's list, and remember each."""
    entries = list(playlist.entries)
    for record in records:
        playlist.note(record, make(entries, record.delta))
    return entries
