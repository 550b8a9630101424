"""Changes of the catalogue that labels ask for: judged against what is there, published, waited for.

What is published stands in the catalogue's log; it can be read when the store has come that far. An
item may name only artists and an album that are there, and have an ISRC that no other track has.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.catalogue import Artist, Change, Entity, EntityKind, Removed, Track
from domain.catalogue_faults import taken, unknown
from domain.errors import Refused, Unavailable
from domain.heartbeats import Refusal
from serve.catalogue_joins import Entities
from serve.stale_claims import StaleClaims

PUBLISH_TIMEOUT_S = 20.0
APPLIED_TIMEOUT_S = 5.0  # within which the store usually has what was published


class ChangesLog(Protocol):
    """What is needed of `stores.catalogue_log.CatalogueLog`."""

    async def publish(self, changes: Sequence[Change]) -> int:
        """Append changes, durably; tells the place behind them."""
        ...

    async def end(self) -> int:
        """Tell the place behind the last record."""
        ...

    async def await_applied(self, place: int, timeout_s: float) -> bool:
        """Wait until the store has everything up to *place*; False: it took too long."""
        ...


class Claims(Protocol):
    """What is needed of `stores.isrcs.Isrcs`."""

    async def claim(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """Take each ISRC for its track; tells who has those that another track has."""
        ...

    async def release(self, held: Mapping[str, str]) -> None:
        """Give up ISRCs that their tracks no longer have."""
        ...


class InUse(Refused):
    """Raised when an entity cannot go, since others name it."""

    def __init__(self, kind: EntityKind, entity_id: str, by: str) -> None:
        super().__init__(kind, entity_id, by)
        self.kind, self.entity_id, self.by = kind, entity_id, by

    def __str__(self) -> str:
        return f"the {self.kind} {self.entity_id} is named by {self.by}"


@dataclass(frozen=True, slots=True)
class Published:
    """What became of entities: why each of some was refused, and where the others are in the log."""

    refused: Mapping[int, Refusal]  # by place in what was to be written
    place: int  # behind them; 0: there are none


class CatalogueWrites:
    """Writes to the catalogue of one store."""

    def __init__(self, log: ChangesLog, entities: Entities, isrcs: Claims) -> None:
        self._log, self._entities, self._isrcs = log, entities, isrcs
        self._stale = StaleClaims(entities)

    async def publish(self, entities: Sequence[Entity]) -> Published:
        """Put entities in place of those of the same kind and id; the last of several holds.

        :raises Unavailable: if they are not known to be in the log; writing them again is right.
        """
        refused = await self._unknown_names(entities)
        refused |= await self._taken_isrcs(_left(entities, refused))
        left = [entity for _, entity in _left(entities, refused)]
        if not left:
            return Published(refused, 0)
        given_up = await self._given_up(left)
        place = await self._publish(left)
        await self._isrcs.release(given_up)
        return Published(refused, place)

    async def is_applied(self, place: int) -> bool:
        """Whether the store has, within a while, all up to *place*, so that it can be read."""
        return not place or await self._log.await_applied(place, APPLIED_TIMEOUT_S)

    async def remove(self, kind: EntityKind, entity_id: str) -> bool:
        """Remove an entity, which may be gone already; tells whether the store has that by now.

        :raises InUse: if albums or tracks name it.
        :raises Unavailable: if that is not known to be in the log, or the store too far behind it
            to tell who names it; removing it again is right.
        """
        await self._check_current()
        await self._check_unused(kind, entity_id)
        track = (await self._entities.tracks([entity_id])).get(entity_id)
        place = await self._publish([Removed(kind, entity_id)])
        if kind is EntityKind.TRACK and track and track.isrc:
            await self._isrcs.release({track.isrc: track.id})
        return await self.is_applied(place)

    async def _unknown_names(self, entities: Sequence[Entity]) -> dict[int, Refusal]:
        refused = await self._missing(entities)
        if refused:
            await self._check_current()
        return await self._missing(entities) if refused else {}

    async def _missing(self, entities: Sequence[Entity]) -> dict[int, Refusal]:
        artist_ids = {artist_id for entity in entities for artist_id in _artists_of(entity)}
        album_ids = {album_id for entity in entities for album_id in _album_of(entity)}
        artists, albums = await asyncio.gather(
            self._entities.artists(artist_ids), self._entities.albums(album_ids)
        )
        found = ((place, _unknown(one, artists, albums)) for place, one in enumerate(entities))
        return {place: refusal for place, refusal in found if refusal}

    async def _taken_isrcs(self, entities: Sequence[tuple[int, Entity]]) -> dict[int, Refusal]:
        tracks = [(place, one) for place, one in entities if isinstance(one, Track) and one.isrc]
        wanted: dict[str, str] = {}
        for _, track in tracks:
            wanted.setdefault(track.isrc, track.id)
        holders = wanted | (await self._claim(wanted) if wanted else {})
        return {
            place: taken(track.isrc, holders[track.isrc])
            for place, track in tracks
            if holders[track.isrc] != track.id
        }

    async def _claim(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """Take each ISRC for its track; tells who has those that another track has."""
        holders = await self._isrcs.claim(wanted)
        if holders and await self._is_current():
            stale = await self._stale.among(holders)
            await self._isrcs.release(stale)
            holders |= {isrc: wanted[isrc] for isrc in stale}
            holders |= await self._isrcs.claim({isrc: wanted[isrc] for isrc in stale})
        return holders

    async def _given_up(self, entities: Sequence[Entity]) -> dict[str, str]:
        """Which ISRCs tracks have in the store, and will have no more."""
        after = {one.id: one.isrc for one in entities if isinstance(one, Track)}
        before = await self._entities.tracks(after) if after else {}
        return {
            track.isrc: track.id
            for track in before.values()
            if track.isrc and track.isrc != after[track.id]
        }

    async def _check_unused(self, kind: EntityKind, entity_id: str) -> None:
        if kind is EntityKind.ARTIST and await self._entities.artist_albums(entity_id, most=1):
            raise InUse(kind, entity_id, "albums")
        if kind is EntityKind.ARTIST and await self._entities.artist_tracks(entity_id, most=1):
            raise InUse(kind, entity_id, "tracks")
        if kind is EntityKind.ALBUM and await self._entities.album_tracks(entity_id, most=1):
            raise InUse(kind, entity_id, "tracks")

    async def _check_current(self) -> None:
        if not await self._is_current():
            raise Unavailable("the store is far behind the catalogue's log")

    async def _is_current(self) -> bool:
        """Whether the store has, within a while, what the log has now."""
        return await self.is_applied(await self._log.end())

    async def _publish(self, changes: Sequence[Change]) -> int:
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                return await self._log.publish(changes)
        except TimeoutError as error:
            message = f"the catalogue's log did not answer within {PUBLISH_TIMEOUT_S:g} s"
            raise Unavailable(message) from error


def _left(entities: Sequence[Entity], refused: Collection[int]) -> list[tuple[int, Entity]]:
    return [(place, one) for place, one in enumerate(entities) if place not in refused]


def _artists_of(entity: Entity) -> tuple[str, ...]:
    return () if isinstance(entity, Artist) else entity.artists


def _album_of(entity: Entity) -> Iterator[str]:
    if isinstance(entity, Track) and entity.album:
        yield entity.album


def _unknown(entity: Entity, artists: Collection[str], albums: Collection[str]) -> Refusal | None:
    for artist_id in _artists_of(entity):
        if artist_id not in artists:
            return unknown("artists", artist_id)
    for album_id in _album_of(entity):
        if album_id not in albums:
            return unknown("album", album_id)
    return None
