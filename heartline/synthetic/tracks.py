"""The tracks of a block of a synthetic catalogue."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.catalogue import Album, Artist, Track
from domain.ids import BASE62, BASE62_LENGTH
from heartline.synthetic.albums import Albums
from heartline.synthetic.artists import Artists
from heartline.synthetic.names import LANGUAGES, VENUES

EXPLICIT = 0.08
DURATION_MS = (30_000, 900_000)
TRACKS = 20_000  # of a block, many more than there are, so that no two ISRCs are the same
OF_REGISTRANT = 100_000  # ISRCs that differ in their last five digits
REGISTRANTS = 36**3
LEADING = 7  # 7 * 62**21 is below 2**128


class Version(IntEnum):
    """What stands behind a title."""

    PLAIN = 0
    GUEST = 1
    REMIX = 2
    LIVE = 3
    REMASTERED = 4
    EDIT = 5
    ACOUSTIC = 6
    INTERLUDE = 7


OFTEN = (0.76, 0.08, 0.05, 0.03, 0.03, 0.02, 0.02, 0.01)  # versions, in their order

BEHIND = {
    Version.GUEST: ("%s (feat. {guest})", "%s (ft. {guest})", "%s (with {guest})"),
    Version.REMIX: ("%s - {guest} Remix",),
    Version.LIVE: ("%s - Live at {venue}",),
    Version.REMASTERED: ("%s - Remastered {year}", "%s - {year} Remaster"),
    Version.EDIT: ("%s - Radio Edit", "%s - Extended Mix", "%s - Single Version"),
    Version.ACOUSTIC: ("%s (Acoustic)", "%s (Demo)", "%s (Instrumental)"),
    Version.INTERLUDE: ("%s (Interlude)",),
}

_DIGITS = np.frombuffer(BASE62.encode(), np.uint8)


def draw_tracks(
    rng: np.random.Generator, block: int, artists: Artists, albums: Albums, *, seed: int
) -> list[Track]:
    """Draw the tracks on the albums of a block."""
    of_album = np.repeat(np.arange(len(albums.sizes)), albums.sizes)
    total = len(of_album)
    firsts = np.cumsum(albums.sizes) - albums.sizes
    fame = artists.fame[albums.owners[of_album]]
    columns = (
        ids(rng, total),
        albums.titles,
        map(albums.entities.__getitem__, of_album.tolist()),
        (np.arange(total) - firsts[of_album] + 1).tolist(),
        np.clip(rng.lognormal(12.2, 0.35, total), *DURATION_MS).astype(int).tolist(),
        (rng.random(total) < EXPLICIT).tolist(),
        (fame * rng.beta(2, 1.2, total)).round().astype(int).tolist(),
        map(tuple(Version).__getitem__, rng.choice(len(Version), total, p=OFTEN).tolist()),
        map(artists.entities.__getitem__, rng.integers(0, len(artists.entities), total).tolist()),
        rng.integers(0, 1 << 16, total).tolist(),
        _isrcs(block, of_album, artists, albums, seed),
    )
    return [_track(_Drawn(*values)) for values in zip(*columns, strict=True)]


def ids(rng: np.random.Generator, count: int) -> list[str]:
    """Draw ids as `domain.ids.base62` writes them."""
    digits = rng.integers(0, len(BASE62), (count, BASE62_LENGTH), np.uint8)
    digits[:, 0] %= LEADING
    found = _DIGITS[digits].view(f"S{BASE62_LENGTH}").ravel()
    return found.astype(f"U{BASE62_LENGTH}").tolist()  # type: ignore[no-any-return]


def _isrcs(
    block: int, of_album: NDArray[np.int_], artists: Artists, albums: Albums, seed: int
) -> list[str]:
    countries = [LANGUAGES[place].country for place in artists.languages.tolist()]
    owners = albums.owners[of_album].tolist()
    years = [album.released[2:4] for album in albums.entities]
    turn, first = divmod(block * TRACKS, OF_REGISTRANT)
    registrant = np.base_repr((turn + seed * 7_919) % REGISTRANTS, 36).rjust(3, "0")
    return [
        f"{countries[owner]}{registrant}{years[album]}{first + at:05}"
        for at, (owner, album) in enumerate(zip(owners, of_album.tolist(), strict=True))
    ]


class _Drawn(NamedTuple):
    id: str
    title: str
    album: Album
    number: int
    duration_ms: int
    is_explicit: bool
    popularity: int
    version: Version
    guest: Artist
    draw: int
    isrc: str


def _track(drawn: _Drawn) -> Track:
    album, guest = drawn.album, drawn.guest.id
    is_shared = drawn.version in {Version.GUEST, Version.REMIX} and guest not in album.artists
    return Track(
        drawn.id,
        _titled(drawn) if drawn.version else drawn.title,
        (*album.artists, guest) if is_shared else album.artists,
        album=album.id,
        duration_ms=drawn.duration_ms,
        track_number=drawn.number,
        is_explicit=drawn.is_explicit,
        isrc=drawn.isrc,
        genres=album.genres,
        popularity=drawn.popularity,
    )


def _titled(drawn: _Drawn) -> str:
    forms = BEHIND[drawn.version]
    form = forms[drawn.draw % len(forms)] % drawn.title
    venue, year = VENUES[drawn.draw % len(VENUES)], 2_000 + drawn.draw % 26
    return form.format(guest=drawn.guest.name, venue=venue, year=year)
