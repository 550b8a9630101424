"""The albums of a block of a synthetic catalogue, and what the tracks on them are called."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.catalogue import Album, AlbumType, Artist
from domain.catalogue_ids import album_id
from domain.recording_codes import check_digit
from heartline.synthetic.artists import Artists
from heartline.synthetic.names import VENUES, titles

SIZES = (1, 1, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 12, 13, 14, 16, 20)
SINGLE_TRACKS = 3  # at most
MOST_ALBUMS = 12  # of an artist
ONE_MORE = 20  # popularity that brings an album more
NEWEST_YEAR, YEARS = 2026, 65
LIVE, LIKE_A_TRACK = 0.04, 0.45  # albums recorded live; called like their first track
YEAR_ONLY, MONTH_ONLY = 0.08, 0.1  # release dates of that precision, below these draws


@dataclass(frozen=True, slots=True)
class Albums:
    """Albums, and for each the place of its artist and how many tracks it has."""

    entities: list[Album]
    owners: NDArray[np.int_]
    sizes: NDArray[np.int_]
    titles: list[str]  # of all tracks, in the order of the albums


def draw_albums(rng: np.random.Generator, block: int, artists: Artists) -> Albums:
    """Draw what the artists of a block have released."""
    more = artists.fame.astype(int) // ONE_MORE
    each = np.minimum(rng.geometric(0.45, len(artists.entities)) + more, MOST_ALBUMS)
    owners = np.repeat(np.arange(len(each)), each)
    sizes = rng.choice(SIZES, len(owners))
    named = titles(rng, np.repeat(artists.languages[owners], sizes))
    names = _names(rng, artists, owners, sizes, named)
    dates = _dates(rng, len(owners))
    first = block * len(each) * MOST_ALBUMS
    entities = [
        _album(artists.entities[owner], name, size, released, first + at)
        for at, (owner, name, size, released) in enumerate(
            zip(owners.tolist(), names, sizes.tolist(), dates, strict=True)
        )
    ]
    return Albums(entities, owners, sizes, named)


def _names(
    rng: np.random.Generator,
    artists: Artists,
    owners: NDArray[np.int_],
    sizes: NDArray[np.int_],
    named: list[str],
) -> list[str]:
    own = titles(rng, artists.languages[owners])
    firsts = (np.cumsum(sizes) - sizes).tolist()
    kinds, venues = rng.random(len(owners)).tolist(), rng.integers(len(VENUES), size=len(owners))
    taken: set[tuple[int, str]] = set()
    names = []
    for at, (owner, size) in enumerate(zip(owners.tolist(), sizes.tolist(), strict=True)):
        is_like_a_track = size <= SINGLE_TRACKS or kinds[at] < LIKE_A_TRACK
        name = named[firsts[at]] if is_like_a_track else own[at]
        if kinds[at] > 1 - LIVE:
            name = f"Live at {VENUES[venues[at]]}"
        while (owner, name) in taken:
            name += " II"
        taken.add((owner, name))
        names.append(name)
    return names


def _dates(rng: np.random.Generator, count: int) -> list[str]:
    years = NEWEST_YEAR - (rng.random(count) ** 2.2 * YEARS).astype(int)
    months, days = rng.integers(1, 13, count), rng.integers(1, 29, count)
    dates = zip(years.tolist(), months.tolist(), days.tolist(), rng.random(count), strict=True)
    return [_date(*date) for date in dates]


def _date(year: int, month: int, day: int, precision: float) -> str:
    if precision < YEAR_ONLY:
        return str(year)
    return f"{year}-{month:02}" if precision < MONTH_ONLY else f"{year}-{month:02}-{day:02}"


def _album(artist: Artist, name: str, size: int, released: str, number: int) -> Album:
    digits = f"{number % 10**11:011}"
    return Album(
        album_id(artist.name, name),
        name,
        (artist.id,),
        type=AlbumType.SINGLE if size <= SINGLE_TRACKS else AlbumType.ALBUM,
        released=released,
        upc=digits + check_digit(digits),
        genres=artist.genres,
        popularity=artist.popularity,
    )
