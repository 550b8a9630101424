"""The catalogue: artists, albums and tracks of one store. Only who follows its log writes here."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TypeVar, cast

from domain.catalogue import Album, Artist, Entity, EntityKind, Track
from domain.ports import Key, StampedRow, Table, Tables
from domain.positions import stamp
from stores.catalogue_rows import (
    LISTED,
    OF_KIND,
    CatalogueRecord,
    Held,
    Place,
    held,
    names_of,
    places_of,
    rows_of,
    standing,
)
from stores.tables import ALBUM_TRACKS, ARTIST_ALBUMS, ARTIST_TRACKS, CATALOGUE_PROGRESS

SLICE = 1_000
FIRST_LOT = 20  # rows of a list; where they were not enough, twice as many are read, and so on
PROGRESS_KEY: Key = (0,)  # the log has one partition

E = TypeVar("E", Artist, Album, Track)


class Catalogue:
    """The entities of one store, and up to where in the log it has their changes."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def artists(self, ids: Iterable[str]) -> dict[str, Artist]:
        """Find artists by their ids; those that are not there are left out."""
        return await self._entities(Artist, ids)

    async def albums(self, ids: Iterable[str]) -> dict[str, Album]:
        """As `artists`."""
        return await self._entities(Album, ids)

    async def tracks(self, ids: Iterable[str]) -> dict[str, Track]:
        """As `artists`."""
        return await self._entities(Track, ids)

    async def held(self, kind: EntityKind, ids: Iterable[str]) -> dict[str, Held]:
        """Find entities by their ids, with when they were added; those not there are left out."""
        distinct = sorted({each for each in ids if each})
        rows = await self._tables.read_stamped(OF_KIND[kind], [(each,) for each in distinct])
        found = ((each, held(row.state)) for each, row in zip(distinct, rows, strict=True) if row)
        return {each: one for each, one in found if one}

    async def missing(self, entities: Sequence[Entity]) -> list[Entity]:
        """Tell those of *entities*, in their order, whose ids the catalogue does not know."""
        known: dict[EntityKind, dict[str, Held]] = {}
        for kind in EntityKind:
            ids = [entity.id for entity in entities if entity.kind is kind]
            known[kind] = await self.held(kind, ids) if ids else {}
        return [entity for entity in entities if entity.id not in known[entity.kind]]

    async def album_tracks(self, album_id: str, *, most: int | None = None) -> list[Track]:
        """Tell the tracks of an album, in their order; of long lists only the first *most*."""
        return await self._listed(ALBUM_TRACKS, album_id, Track, most=most)

    async def album_page(self, album_id: str, *, skip: int, most: int) -> list[Track]:
        """Tell the tracks in *most* places of an album's list, behind the first *skip*.

        Places are counted as `album_sizes` does; those that no track agrees with are left out.
        """
        keys: list[Key] = []
        async for lot in self._lots(ALBUM_TRACKS, album_id, skip + most):
            keys += lot
            if len(keys) >= skip + most:
                break
        return await self._agreeing(ALBUM_TRACKS, keys[skip : skip + most], Track)

    async def album_sizes(self, ids: Iterable[str]) -> dict[str, int]:
        """Count the tracks of albums, as they are listed."""
        distinct = sorted({each for each in ids if each})
        partitions: list[Key] = [(each,) for each in distinct]
        sizes = await self._tables.count_stamped(ALBUM_TRACKS, partitions, state=LISTED)
        return dict(zip(distinct, sizes, strict=True))

    async def artist_albums(self, artist_id: str, *, most: int | None = None) -> list[Album]:
        """Tell the albums of an artist, by their ids; of long lists only the first *most*."""
        return await self._listed(ARTIST_ALBUMS, artist_id, Album, most=most)

    async def artist_tracks(self, artist_id: str, *, most: int | None = None) -> list[Track]:
        """Tell the tracks of an artist, by their ids; of long lists only the first *most*."""
        return await self._listed(ARTIST_TRACKS, artist_id, Track, most=most)

    async def slices(self, kind: EntityKind, *, together: int = SLICE) -> AsyncIterator[list[Held]]:
        """Go through all entities of a kind, in no order; up to *together* at once."""
        mark: bytes | None = b""
        while mark is not None:
            part = await self._tables.slice_stamped(OF_KIND[kind], after=mark, limit=together)
            found = [one for row in part.rows if (one := held(row.state))]
            if found:
                yield found
            mark = part.next

    async def position(self) -> int:
        """Tell up to where in the log all changes are here; 0: nowhere."""
        (row,) = await self._tables.read_stamped(CATALOGUE_PROGRESS, [PROGRESS_KEY])
        return int(row.state) if row else 0

    async def apply(self, records: Sequence[CatalogueRecord], position: int) -> None:
        """Write what *records* change, which lead up to *position*; those before them are in.

        Applying them again, or older ones late, changes nothing.
        """
        before = {}
        for kind, ids in names_of(records).items():
            rows = await self._tables.read_stamped(OF_KIND[kind], [(each,) for each in ids])
            before.update(
                {(kind, each): standing(row) for each, row in zip(ids, rows, strict=True)}
            )
        progress = StampedRow(PROGRESS_KEY, b"%d" % position, stamp(position))
        writes = [*rows_of(records, before), (CATALOGUE_PROGRESS, [progress])]
        await self._tables.write_stamped(writes)

    async def _entities(self, kind: type[E], ids: Iterable[str]) -> dict[str, E]:
        found = await self.held(kind.kind, ids)
        return {each: cast(E, one.entity) for each, one in found.items()}

    async def _listed(self, table: Table, of: str, kind: type[E], *, most: int | None) -> list[E]:
        """Tell the entities of a list, those that do not say so themselves left out."""
        found: list[E] = []
        async for keys in self._lots(table, of, most):
            found += await self._agreeing(table, keys, kind)
            if most is not None and len(found) >= most:
                break
        return found[:most]

    async def _lots(self, table: Table, of: str, most: int | None) -> AsyncIterator[list[Key]]:
        """Go through a list; rows of what has left it are read, so one lot may not be enough."""
        last: Key = ()
        limit = None if most is None else max(most, FIRST_LOT)
        while of:
            rows = await self._tables.scan_stamped(table, (of,), limit=limit)
            yield [row.key for row in rows if row.state == LISTED and row.key > last]
            if limit is None or len(rows) < limit:
                return
            last, limit = rows[-1].key, 2 * limit

    async def _agreeing(self, table: Table, keys: Sequence[Key], kind: type[E]) -> list[E]:
        found = await self._entities(kind, [str(key[-1]) for key in keys])
        pairs = ((found.get(str(key[-1])), (table.name, key)) for key in keys)
        return [entity for entity, place in pairs if entity and is_listed(entity, place)]


def is_listed(entity: Entity, place: Place) -> bool:
    """Whether an entity belongs where it is listed."""
    return place in places_of(entity)
