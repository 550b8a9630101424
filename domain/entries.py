"""Entries of the search index, made of what the catalogue knows."""

from collections.abc import Mapping
from itertools import chain
from math import log2

from msgspec.structs import replace

from domain.catalogue import Album, Artist, Entity, Track
from domain.search import Entry

PLAY_STEPS = 4  # a doubling of the plays is so many steps: fewer change no entry
FAME_OF_POPULARITY = 5  # points of popularity that are worth as much as a doubling of the plays


def entry_of(
    entity: Entity,
    artists: Mapping[str, Artist],
    albums: Mapping[str, Album],
    *,
    added_ms: int,
    plays: int = 0,
) -> Entry:
    """Make an entity's entry; *artists* and *albums* by their ids, those that are not there left out.

    What has no genres of its own has those of its album, else of its artists.
    """
    entry = Entry(
        kind=entity.kind,
        id=entity.id,
        name=entity.name,
        artist_ids=(entity.id,),
        genres=entity.genres,
        popularity=entity.popularity,
        plays=plays,
        added_ms=added_ms,
    )
    if isinstance(entity, Artist):
        return entry
    known = [artists[each] for each in entity.artists if each in artists]
    album = albums.get(entity.album) if isinstance(entity, Track) else None
    of_artists = tuple(dict.fromkeys(chain.from_iterable(each.genres for each in known)))
    entry = replace(
        entry,
        artists=tuple(each.name for each in known),
        artist_ids=tuple(each.id for each in known),
        genres=entity.genres or (album.genres if album else ()) or of_artists,
        markets=entity.markets,
    )
    if isinstance(entity, Album):
        return replace(entry, released=entity.released, upc=entity.upc)
    if album:
        entry = replace(entry, album=album.name, released=album.released)
    return replace(entry, isrc=entity.isrc)


def passed_on(entity: Entity) -> tuple[object, ...]:
    """Tell what entries of other entities take of this one; a track passes on nothing."""
    match entity:
        case Artist():
            return entity.name, entity.genres
        case Album():
            return entity.name, entity.genres, entity.released
        case Track():
            return ()


def rounded_plays(plays: int) -> int:
    """Round a number of plays to a quarter of a doubling, so that few plays change nothing."""
    if plays < 1:
        return 0
    return round(2 ** (round(log2(plays) * PLAY_STEPS) / PLAY_STEPS))


def fame(entry: Entry) -> int:
    """Tell how many plays an entry is worth, for an engine's second opinion on candidates."""
    return entry.plays + round(2 ** (entry.popularity / FAME_OF_POPULARITY)) - 1


def year(released: str) -> int:
    """Tell the year of a release date, 0: not known."""
    return int(released[:4]) if released[:4].isdecimal() else 0
