"""The catalogue as rows: what changes of the log make of those that stand.

A row of an entity holds the entity and when it was first added, or nothing when it was removed. A track
is listed by its album and its artists, an album by its artists. Rows of lists are written before the
entity's own, and it decides: a row of a list that the entity does not agree with is not there.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from domain.catalogue import Album, Change, Entity, EntityKind, Removed, Track
from domain.ports import Key, StampedRow, Table
from domain.positions import stamp
from stores.tables import ALBUM_TRACKS, ALBUMS, ARTIST_ALBUMS, ARTIST_TRACKS, ARTISTS, TRACKS

REMOVED = b""
LISTED = b"1"
IN_ORDER = (ALBUM_TRACKS, ARTIST_ALBUMS, ARTIST_TRACKS, ARTISTS, ALBUMS, TRACKS)
OF_KIND = {EntityKind.ARTIST: ARTISTS, EntityKind.ALBUM: ALBUMS, EntityKind.TRACK: TRACKS}


class Held(Struct, frozen=True):
    """An entity, and since when the catalogue has it."""

    added_ms: int
    entity: Entity


class CatalogueRecord(Struct, frozen=True):
    """Changes of the log; *position* is that behind them."""

    position: int
    appended_ms: int
    changes: Sequence[Change]


class Standing(Struct, frozen=True):
    """What a row says: nothing of what was removed."""

    held: Held | None
    stamp: int


Name = tuple[EntityKind, str]
Place = tuple[str, Key]  # a list, by its table's name
_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(tuple[int, Entity])


def held(state: bytes) -> Held | None:
    """Read the state of an entity's row."""
    return None if state == REMOVED else Held(*_decoder.decode(state))


def standing(row: StampedRow | None) -> Standing:
    """Tell what an entity's row says."""
    return Standing(None, 0) if row is None else Standing(held(row.state), row.stamp)


def rows_of(
    records: Sequence[CatalogueRecord], before: dict[Name, Standing]
) -> list[tuple[Table, list[StampedRow]]]:
    """Make the rows that *records* lead to from what stood *before*, in the order to be written.

    What stands from a later record stays; so the rows depend on the log alone, not on what was
    written of them already.
    """
    after = dict(before)
    for record in records:
        for name, change in _last_of_each(record.changes).items():
            if after[name].stamp < stamp(record.position):
                after[name] = _changed(after[name], change, record)
    rows: dict[str, list[StampedRow]] = {table.name: [] for table in IN_ORDER}
    for name, now in after.items():
        if now != before[name]:
            for table, row in _rows(name, before[name].held, now):
                rows[table].append(row)
    return [(table, rows[table.name]) for table in IN_ORDER if rows[table.name]]


def names_of(records: Sequence[CatalogueRecord]) -> dict[EntityKind, list[str]]:
    """Tell what *records* change."""
    names: dict[EntityKind, dict[str, None]] = defaultdict(dict)
    for record in records:
        for change in record.changes:
            names[change.kind][change.id] = None
    return {kind: list(ids) for kind, ids in names.items()}


def places_of(entity: Entity) -> Iterator[Place]:
    """Tell where an entity is listed."""
    if isinstance(entity, Album):
        yield from ((ARTIST_ALBUMS.name, (artist, entity.id)) for artist in entity.artists)
    if isinstance(entity, Track):
        if entity.album:
            key = (entity.album, entity.disc_number, entity.track_number, entity.id)
            yield ALBUM_TRACKS.name, key
        yield from ((ARTIST_TRACKS.name, (artist, entity.id)) for artist in entity.artists)


def _last_of_each(changes: Sequence[Change]) -> dict[Name, Change]:
    return {(change.kind, change.id): change for change in changes}


def _changed(now: Standing, change: Change, record: CatalogueRecord) -> Standing:
    if isinstance(change, Removed):
        return Standing(None, stamp(record.position))
    added_ms = now.held.added_ms if now.held else record.appended_ms
    return Standing(Held(added_ms, change), stamp(record.position))


def _rows(name: Name, before: Held | None, now: Standing) -> Iterator[tuple[str, StampedRow]]:
    kind, entity_id = name
    listed = dict.fromkeys(places_of(now.held.entity)) if now.held else {}
    left = [place for place in places_of(before.entity) if place not in listed] if before else []
    for table, key in left:
        yield table, StampedRow(key, REMOVED, now.stamp)
    for table, key in listed:
        yield table, StampedRow(key, LISTED, now.stamp)
    state = _encode((now.held.added_ms, now.held.entity)) if now.held else REMOVED
    yield OF_KIND[kind].name, StampedRow((entity_id,), state, now.stamp)
