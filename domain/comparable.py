"""What entries are compared by: their words with the fields these stand in, and readings as a whole."""

from functools import lru_cache
from typing import NamedTuple

from domain.catalogue import EntityKind
from domain.search import Entry
from domain.titles import titles_of
from domain.words import words

TITLE, ARTIST, ALBUM = 1, 2, 4  # the fields of words, as bits
ANYWHERE = TITLE | ARTIST | ALBUM

# How a name is read, in the order of `titles_of`; what each is worth stands in `domain.likeness`.
WHOLE, WITHOUT_ADDITIONS, BARE, ARTIST_ALONE = range(4)

NAMES_KEPT = 1 << 14
ENTRIES_KEPT = 1 << 15  # a kilobyte each

_OWN_FIELDS = {
    EntityKind.ARTIST: TITLE | ARTIST,
    EntityKind.ALBUM: TITLE | ALBUM,
    EntityKind.TRACK: TITLE,
}


class Comparable(NamedTuple):
    """An entry as it is compared; there is always a word and a reading, if only an empty one."""

    words: tuple[str, ...]
    fields: bytes  # of each word, the bits of the fields that it stands in
    readings: tuple[str, ...]  # without spaces
    ways: bytes  # of each reading, how the name was read
    glued: str  # all words without spaces


def comparable(entry: Entry) -> Comparable:
    """Tell what *entry* is compared by."""
    return _comparable(entry.kind, entry.name, entry.artists, entry.album)


@lru_cache(ENTRIES_KEPT)
def _comparable(kind: EntityKind, name: str, artists: tuple[str, ...], album: str) -> Comparable:
    own = words(name)
    found, fields = list(own), bytes([_OWN_FIELDS[kind]]) * len(own)
    for artist in artists:
        found += _words(artist)
        fields += bytes([ARTIST]) * (len(found) - len(fields))
    if album and album != name:
        found += _words(album)
        fields += bytes([ALBUM]) * (len(found) - len(fields))
    readings = _readings(name, own, "".join(_words(artists[0])) if artists else "")
    glued = "".join(found)
    return Comparable(
        (*found, ""), fields + b"\0", tuple(readings), bytes(readings.values()), glued
    )


def _readings(name: str, own: tuple[str, ...], artist: str) -> dict[str, int]:
    titles = {"".join(own): WHOLE}
    for way, title in enumerate(titles_of(name)):
        if title != name:
            titles.setdefault("".join(words(title)), way)
    if not artist:
        return titles
    readings = dict(titles)
    for read, way in titles.items():
        readings.setdefault(read + artist, way)
        readings.setdefault(artist + read, way)
    readings.setdefault(artist, ARTIST_ALONE)
    return readings


@lru_cache(NAMES_KEPT)
def _words(name: str) -> tuple[str, ...]:
    return words(name)
