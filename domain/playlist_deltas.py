"""What one version of a playlist's list differs in from the one before: splices, made and undone.

A splice cuts entries out of the list and puts others in their place; those of a delta follow each
other. An entry that moves is cut by one splice and put in by a later one, which names it by its id.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from domain.errors import UnreadableRecord
from domain.playlists import Entry


class Splice(Struct, frozen=True, array_like=True):
    """At *index* of the list as it is by then, *cut* entries go, and those of *put* come."""

    index: int
    cut: int = 0
    put: tuple[Entry | str, ...] = ()


Delta = tuple[Splice, ...]


class Done(Struct, frozen=True, gc=False):
    """A splice as it was made: what it cut and what it put, so that it can be undone."""

    index: int
    cut: tuple[Entry, ...]
    put: tuple[Entry, ...]


def make(entries: list[Entry], delta: Iterable[Splice]) -> list[Done]:
    """Change *entries* as *delta* says, and tell what was done.

    :raises UnreadableRecord: if the delta is not one of such a list; *entries* are worth nothing then.
    """
    carried: dict[str, Entry] = {}
    done = []
    for splice in delta:
        end = splice.index + splice.cut
        if not 0 <= splice.index <= end <= len(entries):
            raise UnreadableRecord("a playlist's delta is not of its list")
        cut = tuple(entries[splice.index : end])
        carried.update((entry.id, entry) for entry in cut)
        put = tuple(_entry(each, carried) for each in splice.put)
        entries[splice.index : end] = put
        done.append(Done(splice.index, cut, put))
    return done


def undo(entries: list[Entry], done: Sequence[Done]) -> None:
    """Take back what `make` told."""
    for one in reversed(done):
        entries[one.index : one.index + len(one.put)] = one.cut


def _entry(put: Entry | str, carried: dict[str, Entry]) -> Entry:
    if isinstance(put, Entry):
        return put
    if put not in carried:
        raise UnreadableRecord("a playlist's delta puts what it did not cut")
    return carried[put]


class Changed(Struct, frozen=True):
    """How many entries a delta added, removed and moved."""

    added: int
    removed: int
    moved: int


def count(done: Iterable[Done]) -> Changed:
    """Count what a delta did to entries; one that was cut and put again has moved."""
    cut, put = set[str](), set[str]()
    for one in done:
        cut.update(entry.id for entry in one.cut)
        put.update(entry.id for entry in one.put)
    moved = len(cut & put)
    return Changed(added=len(put) - moved, removed=len(cut) - moved, moved=moved)
