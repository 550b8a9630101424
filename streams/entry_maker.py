"""Entries of the search index, made of the store's rows and of how often tracks were played."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from domain.catalogue import Album, EntityKind, Track
from domain.entries import entry_of, rounded_plays
from domain.search import Entry
from stores.catalogue import Catalogue
from stores.catalogue_rows import Held
from stores.track_plays import TrackPlays


class EntryMaker:
    """Makes entries of what stands in the store now, with plays as they were last counted.

    Until all are counted, the plays of each track that an entry is made of are looked up.
    """

    def __init__(self, catalogue: Catalogue, plays: TrackPlays) -> None:
        self._catalogue, self._track_plays = catalogue, plays
        self._plays: dict[str, int] = {}
        self._has_counted = False

    @property
    def has_counted(self) -> bool:
        """Whether the plays of all tracks were counted."""
        return self._has_counted

    def presume(self, track_id: str, plays: int) -> None:
        """Take it that a track was counted so, unless an entry was made of it meanwhile."""
        self._plays.setdefault(track_id, plays)

    async def count(self) -> list[str]:
        """Count the plays anew; tells the tracks that have another rounded number."""
        totals = await self._track_plays.totals()
        plays = {track_id: rounded_plays(total) for track_id, total in totals.items()}
        before, self._plays, self._has_counted = self._plays, plays, True
        changed = [each for each, count in plays.items() if before.get(each, 0) != count]
        return changed + [each for each, count in before.items() if count and each not in plays]

    async def entries(self, kind: EntityKind, ids: Iterable[str]) -> dict[str, Entry]:
        """Make the entries of entities by their ids; those that are not there are left out."""
        held = await self._catalogue.held(kind, ids)
        return {entry.id: entry for entry in await self._of(list(held.values()))}

    async def all(self, kind: EntityKind) -> AsyncIterator[list[Entry]]:
        """Make the entries of all entities of a kind, some at once, in no order."""
        async for held in self._catalogue.slices(kind):
            yield await self._of(held)

    async def _of(self, held: Sequence[Held]) -> list[Entry]:
        entities = [each.entity for each in held]
        plays = await self._plays_of([each.id for each in entities if isinstance(each, Track)])
        named = [each for each in entities if isinstance(each, Album | Track)]
        artists = await self._catalogue.artists(name for each in named for name in each.artists)
        albums = await self._catalogue.albums(
            each.album for each in named if isinstance(each, Track)
        )
        return [
            entry_of(
                each.entity,
                artists,
                albums,
                added_ms=each.added_ms,
                plays=plays.get(each.entity.id, 0) if each.entity.kind is EntityKind.TRACK else 0,
            )
            for each in held
        ]

    async def _plays_of(self, track_ids: Sequence[str]) -> Mapping[str, int]:
        unknown = (
            [] if self._has_counted else [each for each in track_ids if each not in self._plays]
        )
        if unknown:
            found = map(rounded_plays, await self._track_plays.of(unknown))
            for track_id, plays in zip(unknown, found, strict=True):
                self._plays.setdefault(track_id, plays)
        return self._plays
