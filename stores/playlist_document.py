"""A playlist as a loro document: what clients edit offline, and what merges their edits.

    entries   a movable list of maps: id, uri, added_at, added_by; gone, once it is removed
    details   a map: name, description, public, collaborative

A move beats a removal in loro. So whoever removes an entry first says that it is *gone*; a gone one
that a move brings back is a ghost, which readers pass over and who accepts the move sweeps away.

Everything here that is written by the server bears the peer `SERVER`: what it writes is made on top of
all that was accepted before, and is thrown away with its document if it is not accepted itself.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from loro import (
    CounterSpan,
    DiffEvent,
    EncodedBlobMode,
    ExportMode,
    IdSpan,
    LoroDoc,
    LoroMap,
    VersionVector,
)

from domain.errors import UnreadableRecord
from domain.playlist_steps import Delete, Insert, Move, Step
from domain.playlists import TRACK_PREFIX, Details, Entry
from domain.units import SECOND_MS
from stores.playlist_errors import CannotMerge, Outdated
from stores.playlist_merged import DETAILS, ENTRIES, GONE, Merged, read_merged
from stores.playlist_operations import are_usual

SERVER = 1


@dataclass(frozen=True, slots=True)
class UpdateHead:
    """What an update says of itself: whose it is, and from which to which of their operations."""

    peers: dict[int, tuple[int, int]]
    begun_ms: int  # when its first change was made, by the clock of who made it; 0: not told


@contextmanager
def _guarded() -> Iterator[None]:
    """Loro raises bare BaseException, and its panics are such, which ``except Exception`` misses."""
    try:
        yield
    except (Exception, asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        if "shallow history" in str(error):
            raise Outdated from None
        raise CannotMerge("malformed", f"not an update that can be merged: {error}"[:200]) from None


def read_head(update: bytes) -> UpdateHead:
    """Read what an update says of itself.

    :raises CannotMerge: if it is none.
    """
    with _guarded():
        meta = LoroDoc.decode_import_blob_meta(update, True)
        if meta.mode != EncodedBlobMode.Updates:
            raise CannotMerge("malformed", "wants updates, not a snapshot")
        begin = meta.partial_start_vv.to_spans().inner()
        end = meta.partial_end_vv.to_spans().inner()
        peers = {peer: (begin.get(peer, (0, 0))[1], until) for peer, (_, until) in end.items()}
        return UpdateHead(peers, max(0, meta.start_timestamp) * SECOND_MS)


def read_version(encoded: bytes) -> VersionVector:
    """Read the version vector that a client sent.

    :raises CannotMerge: if it is none.
    """
    with _guarded():
        return VersionVector.decode(encoded)


class PlaylistDocument:
    """A document that begins with what a shallow snapshot holds, and grows by updates."""

    def __init__(self, base: bytes = b"", updates: Sequence[bytes] = ()) -> None:
        self._document = LoroDoc()
        try:
            with _guarded():
                if base:
                    self._document.import_(base)
                status = self._document.import_batch(list(updates)) if updates else None
                self._document.peer_id = SERVER
        except CannotMerge as error:
            raise UnreadableRecord(f"a stored playlist cannot be read: {error}") from error
        if status and status.pending:
            raise UnreadableRecord("a stored playlist lacks edits")
        self._entries = self._document.get_movable_list(ENTRIES)
        self._details = self._document.get_map(DETAILS)
        self._said = self._document.oplog_vv

    @property
    def version(self) -> bytes:
        """The version vector, encoded."""
        return bytes(self._document.oplog_vv.encode())

    def end_of(self, peer: int) -> int:
        """Tell how many operations of a peer it has."""
        last = self._document.oplog_vv.get_last(peer)
        return 0 if last is None else last + 1

    def do(self, step: Step) -> None:
        """Make one step of an edit."""
        with _guarded():
            match step:
                case Insert():
                    for number, entry in enumerate(step.entries):
                        self._insert(step.index + number, entry)
                case Move():
                    self._entries.mov(step.start, step.end)
                case Delete():
                    self._delete(step.index, step.count)

    def change_details(self, details: Mapping[str, str | bool]) -> None:
        """Set some of the details."""
        with _guarded():
            for name, value in details.items():
                self._details.insert(name, value)

    def commit(self) -> bytes:
        """End what was begun; gives it as an update, b"" if there was nothing."""
        with _guarded():
            self._document.commit()
            now = self._document.oplog_vv
            if now == self._said:
                return b""
            update = self._document.export(ExportMode.Updates(self._said))
        self._said = now
        return bytes(update)

    def take(self, update: bytes) -> None:
        """Merge an update that was accepted before.

        :raises UnreadableRecord: if it cannot be.
        """
        try:
            with _guarded():
                self._document.import_(update)
        except CannotMerge as error:
            raise UnreadableRecord(f"a stored playlist cannot be read: {error}") from error
        self._said = self._document.oplog_vv

    @property
    def length(self) -> int:
        """How many entries there are, ghosts included."""
        return len(self._entries)

    def merge(self, update: bytes, peer: int) -> Merged:
        """Merge an update of a client, whose *peer* it is, and tell what it did.

        The document is worth nothing any more if that must not be.

        :raises CannotMerge: if it is no update, lacks some before it, or does what it must not.
        """
        events: list[DiffEvent] = []
        before = self._document.oplog_vv
        with _guarded():
            subscription = self._document.subscribe_root(events.append)
            status = self._document.import_(update)
            subscription.unsubscribe()
        if status.pending:
            raise CannotMerge("gap", "updates before this one are missing: send them first")
        with _guarded():
            exported = self._document.export_json_updates(before, self._document.oplog_vv)
        if not are_usual(exported):
            raise CannotMerge("forbidden", "entries are added, moved and removed, nothing else")
        self._said = self._document.oplog_vv
        with _guarded():
            return read_merged(self._document, events, peer)

    def reaches(self, update: bytes) -> bool:
        """Whether this document, of no use after that, goes back to what an update is based on.

        :raises CannotMerge: if it is no update.
        """
        try:
            with _guarded():
                self._document.import_(update)
        except Outdated:
            return False
        return True

    def part(self, peer: int, end: int) -> bytes:
        """Give a peer's operations before *end* as an update."""
        span = IdSpan(peer, CounterSpan(0, end))
        with _guarded():
            return bytes(self._document.export(ExportMode.UpdatesInRange([span])))

    def snapshot(self) -> bytes:
        """Give the present state, with as little history as there can be."""
        frontiers = self._document.oplog_frontiers
        with _guarded():
            return bytes(self._document.export(ExportMode.ShallowSnapshot(frontiers)))

    def copy(self) -> bytes:
        """Give the present state with the history since the root, for a client to go on with.

        With less history it could not take edits that others make meanwhile on what it lacks.
        """
        with _guarded():
            return bytes(self._document.export(ExportMode.Snapshot()))

    def updates_since(self, version: bytes) -> bytes | None:
        """Give what came after a client's version; None if only a snapshot helps.

        :raises CannotMerge: if *version* is none.
        """
        vector = read_version(version)
        trimmed = self._document.shallow_since_vv
        if not vector.includes_vv(trimmed):
            return None
        with _guarded():
            return bytes(self._document.export(ExportMode.Updates(vector)))

    def entries(self) -> list[Entry]:
        """Read all entries; 2 µs each."""
        return [_entry(each) for each in self._entries.get_deep_value() if not each.get(GONE)]

    def details(self) -> Details:
        """Read all details."""
        try:
            return msgspec.convert(self._details.get_value(), Details)
        except msgspec.ValidationError as error:
            raise UnreadableRecord("the details of a stored playlist lack something") from error

    def _insert(self, index: int, entry: Entry) -> None:
        made = self._entries.insert_container(index, LoroMap())
        made.insert("id", entry.id)
        made.insert("uri", TRACK_PREFIX + entry.track_id)
        made.insert("added_at", entry.added_at)
        made.insert("added_by", entry.added_by)

    def _delete(self, index: int, count: int) -> None:
        for place in range(index, index + count):
            self._map_at(place).insert(GONE, True)
        self._entries.delete(index, count)

    def _map_at(self, index: int) -> LoroMap:
        found = self._entries.get(index)
        assert found is not None  # noqa: S101  # steps are within the list
        container = found.container
        assert isinstance(container, LoroMap)  # noqa: S101
        return container


def _entry(values: Any) -> Entry:
    try:
        track_id = values["uri"].removeprefix(TRACK_PREFIX)
        return Entry(values["id"], track_id, values["added_at"], values["added_by"])
    except (KeyError, AttributeError, TypeError) as error:
        raise UnreadableRecord("an entry of a stored playlist lacks something") from error
