"""What is searched for, and what may be found."""

from collections.abc import AsyncGenerator, Collection, Sequence
from typing import Protocol

from msgspec import Struct

from domain.catalogue import EntityKind


class Entry(Struct, frozen=True, omit_defaults=True):
    """One document of the search index: an entity with the names that it is found by."""

    kind: EntityKind
    id: str
    name: str
    artists: tuple[str, ...] = ()  # names; of an artist none
    artist_ids: tuple[str, ...] = ()  # in the order of *artists*; of an artist its own
    album: str = ""  # the name, of a track
    released: str = ""
    genres: tuple[str, ...] = ()
    isrc: str = ""
    upc: str = ""
    popularity: int = 0  # 0 to 100, as the catalogue tells it
    plays: int = 0  # as Heartline counted them, rounded so that few plays change nothing
    added_ms: int = 0  # since when the catalogue has it
    markets: tuple[str, ...] | None = None


class Query(Struct, frozen=True):
    """What somebody searches for; all words are folded as those of entries are (`domain.words`)."""

    words: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()  # words that are to stand side by side
    artist: tuple[str, ...] = ()
    album: tuple[str, ...] = ()
    track: tuple[str, ...] = ()
    genre: tuple[str, ...] = ()
    years: tuple[int, int] | None = None  # first and last, both inclusive
    isrc: str = ""
    upc: str = ""
    is_new: bool = False  # added in the last two weeks


class Candidate(Struct, frozen=True):
    """What an engine proposes; `domain.ranking` orders candidates."""

    entry: Entry
    score: float = 0.0  # the engine's own; of another query it cannot be compared


class SearchIndex(Protocol):
    """Proposes what may be meant; the newest commit of the writer is seen within a second.

    :raises Unavailable: from every method, when the engine cannot answer now.
    """

    async def propose(
        self, query: Query, kinds: Collection[EntityKind], *, now_ms: int, limit: int
    ) -> list[Candidate]:
        """Propose up to *limit* entries of each of *kinds*, by match and by match and popularity.

        Filters hold for every candidate. Words and phrases hold literally if that finds enough, else
        up to typing errors and the spaces between them, else some of the words only.
        """
        ...

    async def complete(
        self, words: Sequence[str], kinds: Collection[EntityKind], *, limit: int
    ) -> list[Candidate]:
        """Propose entries of whose names the last of *words* begins a word, and the others are words.

        One wrong letter is forgiven from the fourth letter on.
        """
        ...

    async def similar_words(self, word: str, *, limit: int) -> list[tuple[str, int]]:
        """Tell words of the index within two edits of *word*, each with how many entries have it."""
        ...

    async def close(self) -> None:
        """Let go of the index."""
        ...


class SearchWriter(Protocol):
    """The one writer of an index.

    :raises Unavailable: from every method, when the engine cannot write now.
    """

    async def position(self) -> int | None:
        """The offset of the catalogue's log up to which it is complete; None: it was never filled."""
        ...

    async def write(
        self, entries: Sequence[Entry], removed: Sequence[tuple[EntityKind, str]] = ()
    ) -> None:
        """Put entries in place of those of the same kind and id; nothing is durable before `commit`."""
        ...

    async def fill(self, entries: Sequence[Entry]) -> None:
        """Write entries of an index whose position was asked for just now: each comes once.

        As `write`; but while an index is new, until a position is committed, no older entry is
        looked for, which takes less time.
        """
        ...

    async def commit(self, position: int | None = None) -> None:
        """Make durable what was written and, in the same step, *position* (None: as it was).

        Where an engine has no such step, all that was written is durable before *position* is.
        """
        ...

    def entries(self, kind: EntityKind) -> AsyncGenerator[Entry, None]:
        """All entries of a kind, in no order, as of some moment since the call began."""
        ...

    async def close(self) -> None:
        """Let go of the index; what was not committed is gone."""
        ...
