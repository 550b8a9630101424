"""Edits that a client made on its own copy of the document, perhaps offline, and sends as an update."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from domain.errors import UnreadableRecord
from domain.playlist_deltas import Delta, Splice, make
from domain.playlist_edits import Carry, Restore
from domain.playlist_steps import Delete, Step
from domain.playlists import (
    HISTORY_DAYS,
    MOST_ENTRIES,
    TRACK_PREFIX,
    BadEdit,
    Details,
    Entry,
    Role,
    check_details,
    is_entry_id,
    track_of,
)
from domain.units import DAY_MS, MINUTE_MS
from stores.playlist_document import PlaylistDocument, read_head
from stores.playlist_edits import Draft, growth
from stores.playlist_errors import CannotMerge, Outdated
from stores.playlist_merged import Merged
from stores.playlist_rows import Record

FUTURE_MS = 2 * MINUTE_MS  # by how much a client's clock may be fast
ENTRY_FIELDS = frozenset({"id", "uri", "added_at", "added_by"})
_FLAGS, _TEXTS = ("public", "collaborative"), ("name", "description")


LOOP_BYTES = 8 << 10  # an update up to here is merged within a millisecond or two


class AbsorbedMeanwhile(CannotMerge):
    """Raised when others of a peer's edits were carried over since an update was looked at."""

    def __init__(self) -> None:
        super().__init__("again", "the same edits were sent at the same time: send them again")

    def __reduce__(self) -> tuple[Any, ...]:
        return AbsorbedMeanwhile, ()


class Forbidden(CannotMerge):
    """Raised when an update does what its sender may not do."""

    def __init__(self, message: str) -> None:
        super().__init__("forbidden", message)

    def __reduce__(self) -> tuple[Any, ...]:
        return Forbidden, (self.message,)


@dataclass(frozen=True, slots=True)
class Judge:
    """Who sends updates, in which role, and when; tells what they may do."""

    by: str
    peer: int
    role: Role
    now_ms: int

    def check_head(self, update: bytes, document: PlaylistDocument) -> bool:
        """Whether the document has the update already.

        :raises CannotMerge: if it is not the sender's, has a gap before it, or is too old.
        """
        told = read_head(update)
        ends = {peer: document.end_of(peer) for peer in told.peers}
        for peer, (_, end) in told.peers.items():
            if peer != self.peer and end > ends[peer]:
                raise Forbidden("the update has edits of another peer than yours")
        if told.begun_ms and told.begun_ms < self.oldest_ms:
            raise too_old()
        begin, end = told.peers.get(self.peer, (0, 0))
        there = ends.get(self.peer, 0)
        if begin > there:
            raise CannotMerge("gap", "updates before this one are missing: send them first")
        return end <= there

    @property
    def oldest_ms(self) -> int:
        """How old an edit may be."""
        return self.now_ms - HISTORY_DAYS * DAY_MS

    def entries(self, merged: Merged, there: Sequence[Entry]) -> dict[str, Entry]:
        """Take the entries that came, by their ids.

        :raises CannotMerge: if one is not made as entries are, or has the id of another.
        """
        taken = {entry.id: entry for entry in map(self._entry, merged.added)}
        ids = {entry.id for entry in there}
        if len(taken) < len(merged.added) or not ids.isdisjoint(taken):
            raise CannotMerge("invalid", "an entry has the id of another")
        return taken

    def details(self, before: Details, changed: Mapping[str, Any]) -> dict[str, str | bool]:
        """Take the details that were changed.

        :raises CannotMerge: if the sender is not the owner, or they cannot be so.
        """
        if changed and self.role is not Role.OWNER:
            raise Forbidden("only the owner changes details")
        right = {**dict.fromkeys(_FLAGS, bool), **dict.fromkeys(_TEXTS, str)}
        for name, value in changed.items():
            if type(value) is not right.get(name):
                raise CannotMerge("invalid", f"details have no {name[:40]!r} like that")
        try:
            check_details(msgspec.structs.replace(before, **changed))
        except BadEdit as error:
            raise CannotMerge("invalid", str(error)) from error
        return dict(changed)

    def _entry(self, values: Mapping[str, Any]) -> Entry:
        if set(values) != ENTRY_FIELDS or not is_entry_id(values["id"]):
            raise CannotMerge("invalid", "an entry is a map with id, uri, added_at and added_by")
        uri, added_at = values["uri"], values["added_at"]
        if values["added_by"] != self.by:
            raise Forbidden("added_by is not you")
        if type(added_at) is not int or type(uri) is not str or not uri.startswith(TRACK_PREFIX):
            raise CannotMerge(
                "invalid", f"added_at wants ms since the epoch, uri a track, {TRACK_PREFIX}…"
            )
        if added_at < self.oldest_ms:
            raise too_old()
        if added_at > self.now_ms + FUTURE_MS:
            raise CannotMerge("invalid", "added_at is in the future")
        try:
            return Entry(values["id"], track_of(uri, "uri"), added_at, self.by)
        except BadEdit as error:
            raise CannotMerge("invalid", str(error)) from error


@dataclass(frozen=True)
class Merge:
    """An update of the present document."""

    update: bytes
    judge: Judge

    async def make(self, draft: Draft, by: str, key: bytes) -> int:
        """Merge it, and sweep away what it removed and somebody else's move brings back."""
        if draft.head.absorbed.get(self.judge.peer, 0) > draft.document.end_of(self.judge.peer):
            raise Outdated  # what this peer did before is known in another form only
        if self.judge.check_head(self.update, draft.document):
            return draft.number
        draft.is_spoilt = True  # until what the document has now is all right
        merged = await _aside(self.update, draft.document.merge, self.judge.peer)
        outcome = judged(self.judge, merged, draft.entries, draft.details)
        before, delta = list(draft.entries), outcome.delta
        try:
            done = draft.splice(delta)
        except UnreadableRecord as error:
            raise CannotMerge("malformed", str(error)) from error
        if sweeps := swept(draft.entries, merged):
            await draft.take(sweeps)
            after, draft.entries = draft.entries, before
            delta, done = draft.splices([*Restore(after).steps((), before)])
        if len(draft.entries) > max(MOST_ENTRIES, draft.head.total):
            raise CannotMerge("too_long", f"a playlist has at most {MOST_ENTRIES} entries")
        if len(draft.entries) != draft.document.length:
            raise CannotMerge("malformed", "the update leaves something else than entries")
        updates = tuple(filter(None, (self.update, draft.document.commit())))
        number = draft.number + 1
        record = Record(number, draft.now_ms, by, updates, delta, outcome.details, key)
        draft.accept(record, done)
        return number


@dataclass(frozen=True)
class Carrying:
    """What an update did to a document that is kept no longer as the present one."""

    carry: Carry
    details: dict[str, str | bool]
    peer: int
    begin: int  # the first of the peer's operations that it does
    end: int

    async def make(self, draft: Draft, by: str, key: bytes) -> int:
        """Do the same to the present list, unless that was done before."""
        done_before = draft.head.absorbed.get(self.peer, 0)
        if done_before >= self.end:
            return draft.number
        if done_before != self.begin:
            raise AbsorbedMeanwhile
        steps = await asyncio.to_thread(lambda: [*self.carry.steps((), draft.entries)])
        if len(draft.entries) + growth(steps) > max(MOST_ENTRIES, len(draft.entries)):
            raise CannotMerge("too_long", f"a playlist has at most {MOST_ENTRIES} entries")
        delta, done = await draft.take(steps)
        draft.document.change_details(self.details)
        others = {peer: end for peer, end in draft.head.absorbed.items() if peer != self.peer}
        absorbed = {**others, self.peer: self.end}  # the last ones are kept
        draft.head = msgspec.structs.replace(draft.head, absorbed=absorbed)
        number = draft.number + 1
        updates = tuple(filter(None, (draft.document.commit(),)))
        draft.accept(Record(number, draft.now_ms, by, updates, delta, self.details, key), done)
        return number


@dataclass(frozen=True, slots=True)
class Judged:
    """What an update does, all of which its sender may do."""

    delta: Delta
    details: dict[str, str | bool]
    moved: frozenset[str]


def judged(judge: Judge, merged: Merged, there: Sequence[Entry], details: Details) -> Judged:
    """Take what an update did to the list *there* and to *details*.

    :raises CannotMerge: if it must not do that.
    """
    added = judge.entries(merged, there)
    added |= {ghost: Entry(ghost, "", 0, "") for ghost in merged.ghosts}
    put = [each for splice in merged.splices for each in splice.put]
    delta = tuple(
        Splice(each.index, each.cut, tuple(added.get(str(one), one) for one in each.put))
        for each in merged.splices
    )
    moved = frozenset(str(each) for each in put) - added.keys()
    return Judged(delta, judge.details(details, merged.details), moved)


@dataclass(frozen=True, slots=True)
class Before:
    """An older document and its list, with what was carried over of a peer up to an operation."""

    load: Callable[[], PlaylistDocument]
    entries: Sequence[Entry]
    details: Details  # those of now
    absorbed: int


def carrying(judge: Judge, update: bytes, before: Before) -> Carrying:
    """Tell what an update does to an older document, beyond what was carried over before.

    :raises CannotMerge: if it cannot be merged there, or does what it must not.
    """
    document, entries = before.load(), list(before.entries)
    if before.absorbed and not judge.check_head(update, document):
        whole = before.load()
        whole.merge(update, judge.peer)
        first = whole.part(judge.peer, before.absorbed)
        _apply(judge, document.merge(first, judge.peer), entries, before.details)
    if judge.check_head(update, document):
        return Carrying(Carry((), (), frozenset()), {}, judge.peer, before.absorbed, 0)
    after = list(entries)
    outcome = _apply(judge, document.merge(update, judge.peer), after, before.details)
    return Carrying(
        Carry(entries, after, outcome.moved),
        outcome.details,
        judge.peer,
        before.absorbed,
        document.end_of(judge.peer),
    )


def _apply(judge: Judge, merged: Merged, entries: list[Entry], details: Details) -> Judged:
    """Change a list as an update did, without what is gone."""
    outcome = judged(judge, merged, entries, details)
    try:
        make(entries, outcome.delta)
    except UnreadableRecord as error:
        raise CannotMerge("malformed", str(error)) from error
    gone = {*merged.gone, *merged.ghosts}
    entries[:] = [entry for entry in entries if entry.id not in gone]
    return outcome


async def _aside(update: bytes, merge: Callable[[bytes, int], Merged], peer: int) -> Merged:
    """Merge large updates in a thread, so that others have their turn."""
    if len(update) <= LOOP_BYTES:
        return merge(update, peer)
    return await asyncio.to_thread(merge, update, peer)


def swept(entries: Sequence[Entry], merged: Merged) -> list[Step]:
    """Remove ghosts, and what is said to be gone and stands there still; the last ones first."""
    if not merged.gone and not merged.ghosts:
        return []
    ids = {*merged.gone, *merged.ghosts}
    places = [place for place, entry in enumerate(entries) if entry.id in ids]
    return [Delete(place) for place in reversed(places)]


def too_old() -> CannotMerge:
    """Tell that an update is older than history goes back, and what to do."""
    return CannotMerge(
        "too_old",
        f"edits older than {HISTORY_DAYS} days are not merged: say hello without a version, take the"
        " snapshot of the answer, and make the edits that you still want on that",
    )
