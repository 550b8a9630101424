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
from dataclasses import dataclass, field
from typing import Any

import msgspec
from loro import (
    ContainerID,
    ContainerType,
    CounterSpan,
    Diff,
    DiffEvent,
    EncodedBlobMode,
    ExportMode,
    IdSpan,
    ListDiffItem,
    LoroDoc,
    LoroMap,
    VersionVector,
)

from domain.errors import HeartlineError, UnreadableRecord
from domain.playlist_deltas import Splice
from domain.playlist_steps import Delete, Insert, Move, Step
from domain.playlists import TRACK_PREFIX, Details, Entry
from domain.units import SECOND_MS
from stores.playlist_operations import are_usual

SERVER = 1
ENTRIES, DETAILS = "entries", "details"
KINDS = {ENTRIES: ContainerType.MovableList, DETAILS: ContainerType.Map}
GONE = "gone"
GHOST = "\0"  # what no entry's id begins with


class CannotMerge(HeartlineError):
    """Raised when an update cannot be merged; *reason* is a name for programs."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason, self.message = reason, message

    def __str__(self) -> str:
        return self.message


class Outdated(CannotMerge):
    """Raised when an update is based on what the document has trimmed."""

    def __init__(self) -> None:
        super().__init__("outdated", "the update is based on a version that is kept elsewhere")

    def __reduce__(self) -> tuple[Any, ...]:
        return Outdated, ()


@dataclass
class Merged:
    """What an update did to the entries and details, as far as it is allowed to do anything."""

    peer: int  # whose it is
    splices: tuple[Splice, ...] = ()
    added: list[dict[str, Any]] = field(default_factory=list)  # the maps of entries that came
    gone: list[str] = field(default_factory=list)  # ids of entries that it removed
    ghosts: list[str] = field(default_factory=list)  # what stands for removed ones that it moved
    details: dict[str, Any] = field(default_factory=dict)
    maps: set[tuple[int, int]] = field(default_factory=set)  # those that came into the list


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
        merged = Merged(peer)
        changes = [change for event in events for change in event.events]
        with _guarded():
            for change in sorted(changes, key=lambda each: len(each.path)):  # lists come first
                self._read(change.target, change.diff, change.path, merged)
        return merged

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

    def _id_of(self, target: ContainerID) -> object:
        container = self._document.get_container(target)
        return container.get_value().get("id") if isinstance(container, LoroMap) else None

    def _read(self, target: ContainerID, diff: Diff, path: Sequence[Any], merged: Merged) -> None:
        root = path[0].container if path else target
        name = _root_name(root)
        match diff:
            case Diff.List() if name == ENTRIES and len(path) == 1:
                merged.splices += _splices(diff.diff, merged)
            case Diff.Map() if name == DETAILS and len(path) == 1:
                merged.details.update(_values(diff))
            case Diff.Map() if name == ENTRIES and len(path) == 2:
                self._read_entry(target, diff, merged, self._id_of(target))
            case _:
                raise CannotMerge("forbidden", "there is nothing but entries and details to change")

    @staticmethod
    def _read_entry(target: ContainerID, diff: Any, merged: Merged, entry_id: object) -> None:
        if _name(target) in merged.maps:
            return
        if _values(diff) != {GONE: True}:
            raise CannotMerge("forbidden", "entries do not change; they are added, moved, removed")
        merged.gone.append(str(entry_id))


def _splices(diff: Sequence[ListDiffItem], merged: Merged) -> tuple[Splice, ...]:
    """Make splices of loro's difference: first everything that is cut, then what is put."""
    cuts, puts, old, new = [], [], 0, 0
    for item in diff:
        match item:
            case ListDiffItem.Retain():
                old, new = old + item.retain, new + item.retain
            case ListDiffItem.Delete():
                cuts.append(Splice(old, item.delete))
            case ListDiffItem.Insert():
                put = tuple(_put(each, merged, is_move=item.is_move) for each in item.insert)
                puts.append(Splice(new, 0, put))
                new += len(put)
    return (*cuts, *puts)


def _put(each: Any, merged: Merged, *, is_move: bool) -> str:
    container = getattr(each, "container", None)
    if not isinstance(container, LoroMap):
        raise CannotMerge("forbidden", "an entry is a map with id, uri, added_at and added_by")
    values = container.get_value()
    if not is_move:
        merged.maps.add(_name(container.id))
    is_another = _name(container.id)[0] != merged.peer  # it was in the list before, and was removed
    if not is_move and (values.get(GONE) or is_another):
        merged.ghosts.append(f"{GHOST}{len(merged.ghosts)}")
        return merged.ghosts[-1]
    if values.get(GONE):
        merged.gone.append(str(values.get("id")))
    if not is_move:
        merged.added.append(values)
    return str(values.get("id"))


def _entry(values: Any) -> Entry:
    try:
        track_id = values["uri"].removeprefix(TRACK_PREFIX)
        return Entry(values["id"], track_id, values["added_at"], values["added_by"])
    except (KeyError, AttributeError, TypeError) as error:
        raise UnreadableRecord("an entry of a stored playlist lacks something") from error


def _values(diff: Any) -> dict[str, Any]:
    """What a map's difference sets; None where a key goes or holds a container."""
    return {key: getattr(each, "value", None) for key, each in diff.diff.updated.items()}


def _root_name(container: ContainerID) -> str | None:
    """Name a root that is of the kind that it ought to be."""
    if not isinstance(container, ContainerID.Root):
        return None
    kind = KINDS.get(container.name)
    return container.name if kind and isinstance(container.container_type, kind) else None


def _name(container: ContainerID) -> tuple[int, int]:
    """Name what is no root by the operation that made it."""
    return container.peer, container.counter
