"""Ids of artists, albums and tracks by what they are called, for sources that give them none.

The same names give the same id, however they are written: case, width, accents that are composed or
not, and spaces make no other artist.
"""

import unicodedata
from hashlib import sha256

from domain.ids import base62


def artist_id(name: str) -> str:
    """Name an artist by the name."""
    return _id("artist", name)


def album_id(artist: str, album: str) -> str:
    """Name an album by its main artist's name and its own."""
    return _id("album", artist, album)


def track_id(artist: str, album: str, title: str, disc: int, number: int) -> str:
    """Name a track by its main artist's name, its album's, its own, and where it stands there."""
    return _id("track", artist, album, title, str(disc), str(number))


def same_name(name: str) -> str:
    """Write a name as all its spellings are compared."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def _id(*parts: str) -> str:
    said = "\0".join(same_name(part) for part in parts)
    return base62(sha256(said.encode(errors="surrogatepass")).digest()[:16])
