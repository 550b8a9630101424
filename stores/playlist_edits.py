"""What is asked of a playlist, and what is made of it: a record, and steps on list and document."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from domain.errors import Refused
from domain.playlist_deltas import Delta, Done, Splice, make
from domain.playlist_edits import Edit, Reorder, Restore
from domain.playlist_moves import FEW
from domain.playlist_steps import Step
from domain.playlists import MOST_ENTRIES, Details, Entry, check_details
from stores.playlist_document import PlaylistDocument
from stores.playlist_rows import Head, Record

BREATH = 200  # entries, after which others have their turn
LONG = 1_000  # from where on an edit is thought out in a thread


class StaleVersion(Refused):
    """Raised when an edit is only wanted if the playlist has not changed, and it has."""

    def __str__(self) -> str:
        return "the playlist has changed since"


class TooLong(Refused):
    """Raised when an edit would make a playlist longer than playlists may be."""

    def __str__(self) -> str:
        return f"a playlist has at most {MOST_ENTRIES} entries"


@dataclass
class Draft:
    """A playlist while edits are made that are not accepted yet."""

    head: Head
    entries: list[Entry]
    document: PlaylistDocument
    now_ms: int
    records: list[Record] = field(default_factory=list)
    done: list[list[Done]] = field(default_factory=list)
    is_spoilt: bool = False  # the document has something that is not in the list

    @property
    def number(self) -> int:
        """The number of the last edit, accepted or not."""
        return self.head.number + len(self.records)

    @property
    def details(self) -> Details:
        """The details as they would be."""
        return self.head.details

    def splice(self, delta: Sequence[Splice]) -> list[Done]:
        """Change the list; the document has been changed, or will be."""
        return make(self.entries, delta)

    def splices(self, steps: Sequence[Step]) -> tuple[Delta, list[Done]]:
        """Make steps on the list, where the document has what they lead to."""
        delta: list[Splice] = []
        done: list[Done] = []
        for step in steps:
            splices = [*step.splices(self.entries)]
            done += self.splice(splices)
            delta += splices
        return tuple(delta), done

    async def take(self, steps: Sequence[Step]) -> tuple[Delta, list[Done]]:
        """Make steps on list and document."""
        delta: list[Splice] = []
        done: list[Done] = []
        self.is_spoilt, made = True, 0  # until all is accepted
        for step in steps:
            splices = [*step.splices(self.entries)]
            done += self.splice(splices)
            self.document.do(step)
            delta += splices
            made += step.size
            if made >= BREATH:
                made = 0
                await asyncio.sleep(0)
        return tuple(delta), done

    def accept(self, record: Record, done: list[Done]) -> None:
        """Add a record, all of which has been done."""
        details = msgspec.structs.replace(self.details, **record.details)
        self.head = msgspec.structs.replace(self.head, details=details, total=len(self.entries))
        self.is_spoilt = False
        self.records.append(record)
        self.done.append(done)


class Change(Protocol):
    """Something that is asked of a playlist."""

    @abstractmethod
    async def make(self, draft: Draft, by: str, key: bytes) -> int:
        """Make it, unless there is nothing to do; gives the number of the version that has it.

        :raises Refused: if it cannot be made; nothing has changed.
        :raises CannotMerge: likewise, but the draft may be worth nothing any more.
        """
        ...


@dataclass(frozen=True)
class ListChange:
    """An edit of the list, said of version *number*, which held *seen*; None: of the present one.

    With *only_at* it is only wanted while that version is the present one.
    """

    edit: Edit
    number: int | None = None
    seen: Sequence[Entry] | None = None
    only_at: int | None = None
    details: Callable[[Details], Details] | None = None

    async def make(self, draft: Draft, by: str, key: bytes) -> int:
        """Make it of the present version."""
        if self.only_at not in {None, draft.number}:
            raise StaleVersion
        is_present = self.number is None or self.seen is None or self.number == draft.number
        seen = draft.entries if is_present else self.seen
        assert seen is not None  # noqa: S101
        steps = await self._steps(seen, draft.entries)
        if len(draft.entries) + growth(steps) > max(MOST_ENTRIES, len(draft.entries)):
            raise TooLong
        changed = changes(draft.details, self.details)
        if not steps and not changed:
            return draft.number
        delta, done = await draft.take(steps)
        draft.document.change_details(changed)
        updates = (draft.document.commit(),)
        number = draft.number + 1
        draft.accept(Record(number, draft.now_ms, by, updates, delta, changed, key), done)
        return number

    async def _steps(self, seen: Sequence[Entry], present: Sequence[Entry]) -> Sequence[Step]:
        is_large = isinstance(self.edit, Restore) or (
            isinstance(self.edit, Reorder) and self.edit.length > FEW and seen is not present
        )
        if is_large and len(present) > LONG:
            return await asyncio.to_thread(lambda: [*self.edit.steps(seen, present)])
        return [*self.edit.steps(seen, present)]


def growth(steps: Sequence[Step]) -> int:
    """Tell by how many entries steps make a list longer."""
    added = sum(len(getattr(step, "entries", ())) for step in steps)
    return added - sum(getattr(step, "count", 0) for step in steps)


def changes(before: Details, change: Callable[[Details], Details] | None) -> dict[str, str | bool]:
    """Tell which details *change* makes others.

    :raises BadEdit: if they cannot be so.
    """
    if change is None:
        return {}
    after = check_details(change(before))
    return {
        name: getattr(after, name)
        for name in Details.__struct_fields__
        if getattr(after, name) != getattr(before, name)
    }
