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
from typing import Any, NamedTuple
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
SLICES = 64  # parts that all entries are read in
POSITION = "position"  # the key of the document that says how far the index is
KNOWN_NAMES = 1 << 15  # whose words are remembered: those of artists and albums come again

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
    place = directory / str(SCHEMA)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    index = Index(schema(), str(place))
    index.register_tokenizer("words", TextAnalyzerBuilder(Tokenizer.whitespace()).build())
    index.config_reader("manual")
    return index


def key_of(kind: EntityKind, entity_id: str) -> str:
    """Name the one document of an entity."""
    return f"{kind}:{entity_id}"


def slices() -> list[str]:
    """Name the parts of all entries."""
    return [str(number) for number in range(SLICES)]


class _Names(NamedTuple):
    """Names as they are indexed."""

    words: list[str]  # texts: the words in their order, the glued ones if there are any
    all: str
    begins: str
    begins_of_artists: str


class _Fields(NamedTuple):
    """What the fields of a kind are called."""

    name: str
    artist: str
    album: str
    all: str
    begins: str
    genre: str

    @classmethod
    def of(cls, kind: EntityKind) -> "_Fields":
        """Name them."""
        return cls(*(f"{kind}_{field}" for field in cls._fields))


FIELDS = {kind: _Fields.of(kind) for kind in EntityKind}


@lru_cache(KNOWN_NAMES)
def _names(*names: str) -> _Names:
    found = [words(name) for name in names]
    plain = [word for each in found for word in each]
    glued = [together for each in found if len(each) > 1 for together in joined(each)]
    both = plain + glued
    begins = (
        {word[:1] for word in plain} | {word[:2] for word in both} | {word[:3] for word in both}
    )
    texts = [" ".join(plain), " ".join(glued)] if glued else [" ".join(plain)]
    of_artists = f" {OF_ARTISTS}".join(["", *begins])
    return _Names(texts, " ".join(both), " ".join(begins), of_artists)


def document(entry: Entry, of: Schema) -> Document:
    """Make the document of an entry."""
    name, kind, called = _names(entry.name), entry.kind.value, FIELDS[entry.kind]
    fields: dict[str, Any] = {
        "key": f"{kind}:{entry.id}",
        "slice": str(crc32(entry.id.encode()) % SLICES),
        "kind": kind,
        called.name: name.words,
        called.begins: name.begins,
        "fame": fame(entry),
        "year": year(entry.released),
        "added": max(entry.added_ms, 0),
        "entry": _encode(entry),
    }
    texts = [name.all]
    if entry.artists:
        artists = _names(*entry.artists)
        fields[called.artist] = artists.words
        fields[called.begins] = name.begins + artists.begins_of_artists
        texts.append(artists.all)
    if entry.album:
        album = _names(entry.album)
        fields[called.album] = album.words
        texts.append(album.all)
    fields[called.all] = " ".join(texts)
    if entry.genres:
        fields[called.genre] = _names(*entry.genres).all
    if entry.isrc:
        fields["isrc"] = exact(entry.isrc)
    if entry.upc:
        fields["upc"] = exact(entry.upc)
    return Document.from_dict(fields, of)


def position_document(position: int, of: Schema) -> Document:
    """Make the document that says how far the index is."""
    return Document.from_dict({"key": POSITION, POSITION: position}, of)


def read_entry(searcher: Searcher, address: DocAddress) -> Entry:
    """Take the entry out of its document."""
    state: bytes = searcher.doc(address)["entry"][0]
    return _decode(state)
