"""How an entry lies in a tantivy index.

Each kind of entity has text fields of its own, so that its words are counted, weighed and looked up
by themselves. They hold the words of `domain.words`, between spaces:

    KIND_name, KIND_artist, KIND_album   words in their order, then those glued to their neighbours
    KIND_all                             what the three hold together
    KIND_begins                          the first one, two and three letters of words
    KIND_genre                           the words of the genres
"""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import msgspec
from tantivy import (
    DocAddress,
    Document,
    Index,
    Schema,
    SchemaBuilder,
    Searcher,
    TextAnalyzerBuilder,
    Tokenizer,
)

from domain.catalogue import EntityKind
from domain.entries import fame, year
from domain.lookups import exact
from domain.search import Entry
from domain.words import joined, words

SCHEMA = 1  # another one has another directory, and is filled anew
BEGINNINGS = 3  # letters; longer ones are looked up among the words
OF_ARTISTS = "·"  # before beginnings of artists' words, which the entry does not have for a name
SLICES = tuple(map(str, range(64)))  # parts that all entries are read in
POSITION = "position"  # the key of the document that says how far the index is
KNOWN_NAMES = 1 << 15  # whose words are remembered: those of artists and albums come again
KNOWN_WORDS = 1 << 16

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Entry).decode


def schema() -> Schema:
    """Declare the fields."""
    builder = SchemaBuilder()
    for name in ("key", "slice", "kind", "isrc", "upc"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for kind in EntityKind:
        for name in ("name", "artist", "album"):
            _add_words(builder, f"{kind}_{name}", "position")
        _add_words(builder, f"{kind}_all", "freq")
        _add_words(builder, f"{kind}_begins", "basic")
        _add_words(builder, f"{kind}_genre", "basic")
    for name in ("fame", "year", "added"):
        builder.add_unsigned_field(name, fast=True)
    builder.add_bytes_field("entry", stored=True)
    builder.add_integer_field(POSITION, stored=True)
    return builder.build()


def _add_words(builder: SchemaBuilder, name: str, option: str) -> None:
    builder.add_text_field(name, tokenizer_name="words", index_option=option)


def open_index(directory: Path) -> Index:
    """Open the index of a directory, or make it; it is to be read anew by hand."""
    place = _place(directory)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    index = Index(schema(), str(place))
    index.register_tokenizer("words", TextAnalyzerBuilder(Tokenizer.whitespace()).build())
    index.config_reader("manual")
    return index


def commit_of(directory: Path) -> tuple[int, int] | None:
    """Tell one commit of the index of a directory from another; None: there is none."""
    try:
        file = (_place(directory) / "meta.json").stat()  # put in place anew by every commit
    except OSError:
        return None
    return file.st_ino, file.st_mtime_ns


def _place(directory: Path) -> Path:
    return directory / str(SCHEMA)


def key_of(kind: EntityKind, entity_id: str) -> str:
    """Name the one document of an entity."""
    return f"{kind}:{entity_id}"


class _Fields(NamedTuple):
    """What a kind and its fields are called."""

    kind: str
    name: str
    artist: str
    album: str
    all: str
    begins: str
    genre: str

    @classmethod
    def of(cls, kind: EntityKind) -> "_Fields":
        """Name them."""
        return cls(kind.value, *(f"{kind}_{field}" for field in cls._fields[1:]))


FIELDS = {kind: _Fields.of(kind) for kind in EntityKind}

# Names as they are indexed: words in their order, those glued to their neighbours, how all begin.
_Names = tuple[str, str, str]


def _names(*names: str) -> _Names:
    plain, glued = list[str](), list[str]()
    for name in names:
        found = words(name)
        plain += found
        if len(found) > 1:
            glued += joined(found)
    begins = list(map(_begins, plain))
    if glued and min(map(len, plain)) < BEGINNINGS:  # else they begin as the words do
        begins += map(_begins, glued)
    return " ".join(plain), " ".join(glued), " ".join(begins)


@lru_cache(KNOWN_WORDS)
def _begins(word: str) -> str:
    return " ".join(word[:letters] for letters in range(1, min(len(word), BEGINNINGS) + 1))


@lru_cache(KNOWN_NAMES)
def _known_names(*names: str) -> _Names:
    return _names(*names)


@lru_cache(KNOWN_NAMES)
def _begins_of_artists(*names: str) -> str:
    return " ".join({f"{OF_ARTISTS}{begin}" for begin in _known_names(*names)[2].split()})


def document(entry: Entry) -> Document:
    """Make the document of an entry, field by field: that takes half as long as from a dictionary."""
    made, called = Document(), FIELDS[entry.kind]
    text = made.add_text
    text("key", f"{called.kind}:{entry.id}")
    text("slice", SLICES[crc32(entry.id.encode()) % len(SLICES)])
    text("kind", called.kind)
    plain, glued, begins = _names(entry.name)
    text(called.name, plain)
    text(called.begins, begins)
    found = [plain]
    if glued:
        text(called.name, glued)
        found.append(glued)
    if entry.artists:
        plain, glued, _ = _known_names(*entry.artists)
        text(called.artist, plain)
        text(called.artist, glued)
        text(called.begins, _begins_of_artists(*entry.artists))
        found += plain, glued
    if entry.album:
        plain, glued, _ = _known_names(entry.album)
        text(called.album, plain)
        text(called.album, glued)
        found += plain, glued
    text(called.all, " ".join(found))
    _add_facts(made, entry, called)
    return made


def _add_facts(made: Document, entry: Entry, called: _Fields) -> None:
    if entry.genres:
        plain, glued, _ = _known_names(*entry.genres)
        made.add_text(called.genre, f"{plain} {glued}")
    if entry.isrc:
        made.add_text("isrc", exact(entry.isrc))
    if entry.upc:
        made.add_text("upc", exact(entry.upc))
    made.add_unsigned("fame", fame(entry))
    made.add_unsigned("year", year(entry.released))
    made.add_unsigned("added", max(entry.added_ms, 0))
    made.add_bytes("entry", _encode(entry))


def position_document(position: int) -> Document:
    """Make the document that says how far the index is."""
    made = Document()
    made.add_text("key", POSITION)
    made.add_integer(POSITION, position)
    return made


def read_entry(searcher: Searcher, address: DocAddress) -> Entry:
    """Take the entry out of its document."""
    state: bytes = searcher.doc(address)["entry"][0]
    return _decode(state)
