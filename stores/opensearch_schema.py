"""How an entry lies in an index of OpenSearch.

Each kind of entity has text fields of its own, so that its words are counted, weighed and looked up
by themselves. They hold the words of `domain.words`, between spaces:

    KIND_name, KIND_artist, KIND_album   words in their order, then those glued to their neighbours
    KIND_all                             what the three hold together
    KIND_genre                           the words of the genres

What is shown is `entry`, which is only kept. One document is none of these: it says how far the index
is complete, and whose it is.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import msgspec

from domain.catalogue import EntityKind
from domain.entries import fame, year
from domain.lookups import exact
from domain.search import Entry
from domain.words import joined, words

SCHEMA = 1  # another one has another index, which is filled beside the one that is in use
BEGINNINGS = 4  # letters; longer beginnings are looked up among the words
MOST_BEGUN = 20  # letters of a beginning that a typing error is looked for in
MOST_FAME = (1 << 31) - 1
KNOWN_NAMES = 1 << 15  # whose words are remembered: those of artists and albums come again
REFRESH_S = 1
DELETED_KEPT_S = 600  # for so long a late write of what was deleted meanwhile is known for one
POSITION = "position"  # the id of the document that says how far the index is

_encode = msgspec.json.Encoder().encode


def index_body(shards: int, replicas: int) -> dict[str, Any]:
    """Declare an index."""
    return {
        "settings": {
            "number_of_shards": shards,
            "number_of_replicas": replicas,
            "refresh_interval": f"{REFRESH_S}s",
            "gc_deletes": f"{DELETED_KEPT_S}s",
            # a typing error at each letter, in four ways; a letter may be written as two
            "max_regex_length": 8 * (MOST_BEGUN + 2) ** 2,
        },
        "mappings": {
            "dynamic": "strict",
            "_meta": {"heartline": SCHEMA},  # so that it is known for ours
            "_source": {"includes": ["entry", POSITION]},
            "properties": _fields(),
        },
    }


def _fields() -> dict[str, Any]:
    fields: dict[str, Any] = {
        "kind": {"type": "keyword", "doc_values": False},
        "id": {"type": "keyword", "index": False},
        "isrc": {"type": "keyword", "doc_values": False},
        "upc": {"type": "keyword", "doc_values": False},
        "fame": {"type": "integer"},
        "year": {"type": "integer"},
        "added": {"type": "long"},
        "entry": {"type": "object", "enabled": False},
        POSITION: {"type": "object", "enabled": False},
    }
    begun = {"index_prefixes": {"min_chars": 1, "max_chars": BEGINNINGS}}
    for kind in EntityKind:
        every = f"{kind}_all"
        fields[every] = _text("freqs", **begun)
        fields[f"{kind}_name"] = _text("positions", copy_to=every, **begun)
        fields[f"{kind}_artist"] = _text("positions", copy_to=every)
        fields[f"{kind}_album"] = _text("positions", copy_to=every)
        fields[f"{kind}_genre"] = _text("docs", norms=False)
    return fields


def _text(index_options: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "analyzer": "whitespace", "index_options": index_options, **more}


def key_of(kind: EntityKind, entity_id: str) -> str:
    """Name the one document of an entity."""
    return f"{kind}:{entity_id}"


@lru_cache(KNOWN_NAMES)
def _names(*names: str) -> list[str]:
    found = [words(name) for name in names]
    plain = [word for each in found for word in each]
    glued = [together for each in found for together in joined(each)]
    return [" ".join(each) for each in (plain, glued) if each]


def document(entry: Entry) -> dict[str, Any]:
    """Make the document of an entry."""
    kind = entry.kind.value
    fields = {
        "kind": kind,
        "id": entry.id,
        f"{kind}_name": _names(entry.name),
        f"{kind}_artist": _names(*entry.artists),
        f"{kind}_album": _names(entry.album) if entry.album else (),
        f"{kind}_genre": _names(*entry.genres),
        "isrc": exact(entry.isrc),
        "upc": exact(entry.upc),
        "fame": min(fame(entry), MOST_FAME),
        "year": year(entry.released),
        "added": max(entry.added_ms, 0),
        "entry": entry,
    }
    return {name: value for name, value in fields.items() if value or value == 0}


def operations(entries: Iterable[Entry], removed: Iterable[str], version: int) -> Iterator[bytes]:
    """Write what a bulk request does, each operation with its document."""
    guard = {"version": version, "version_type": "external_gte"}
    for entry in entries:
        action = {"index": {"_id": key_of(entry.kind, entry.id), **guard}}
        yield b"%s\n%s\n" % (_encode(action), _encode(document(entry)))
    for key in removed:
        yield b"%s\n" % _encode({"delete": {"_id": key, **guard}})
