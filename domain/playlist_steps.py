"""What an edit of a playlist comes down to: steps, one after the other, on the list as it is by then."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.playlist_deltas import Splice
from domain.playlists import Entry

Entries = Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Insert:
    """Put *entries* before what stands at *index*."""

    index: int
    entries: tuple[Entry, ...]

    @property
    def size(self) -> int:
        """How many entries it touches."""
        return len(self.entries)

    def splices(self, _entries: Entries) -> Iterator[Splice]:
        """Tell what it does to a list."""
        yield Splice(self.index, 0, self.entries)


@dataclass(frozen=True, slots=True)
class Move:
    """Take what stands at *start* to where it then stands at *end*."""

    start: int
    end: int
    size = 1

    def splices(self, entries: Entries) -> Iterator[Splice]:
        """Tell what it does to a list."""
        yield Splice(self.start, 1)
        yield Splice(self.end, 0, (entries[self.start].id,))


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove *count* entries from *index* on."""

    index: int
    count: int = 1

    @property
    def size(self) -> int:
        """How many entries it touches."""
        return self.count

    def splices(self, _entries: Entries) -> Iterator[Splice]:
        """Tell what it does to a list."""
        yield Splice(self.index, self.count)


Step = Insert | Move | Delete
Steps = Iterator[Step]
