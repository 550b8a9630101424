"""What several sources say of one artist, album or track, put together."""

from typing import TypeVar

import msgspec

from domain.catalogue import Album, Artist, Track
from domain.catalogue_items import MOST_GENRES

E = TypeVar("E", Artist, Album, Track)

_DEFAULTS = {
    kind: {
        field.name: field.default
        for field in msgspec.structs.fields(kind)
        if field.default is not msgspec.NODEFAULT
    }
    for kind in (Artist, Album, Track)
}


def completed(said: E, other: E) -> E:
    """Take from *other* what *said* does not tell."""
    if said == other:
        return said
    lacking = {
        name: known
        for name, default in _DEFAULTS[type(said)].items()
        if getattr(said, name) == default and (known := getattr(other, name)) != default
    }
    return msgspec.structs.replace(said, **lacking) if lacking else said


def merged(first: E, second: E) -> E:
    """Put both together: all genres, the larger popularity, and what both tell as *first* does.

    Joining one of them once more changes nothing.
    """
    if first == second:
        return first
    genres = tuple(dict.fromkeys(first.genres + second.genres))[:MOST_GENRES]
    popularity = max(first.popularity, second.popularity)
    return msgspec.structs.replace(completed(first, second), genres=genres, popularity=popularity)
