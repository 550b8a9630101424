"""What the rows of all files say, put together on disk, each artist, album and track once."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import msgspec
from msgspec import Struct

from domain.catalogue import Album, Artist, Entity, EntityKind, Track
from domain.catalogue_faults import taken
from domain.catalogue_merging import merged
from domain.errors import Unavailable
from heartline.importing.entities import Said
from heartline.importing.rows import Fault

CACHE_KIB = 64 << 10
SCHEMA = (
    "PRAGMA journal_mode = OFF",
    f"PRAGMA cache_size = -{CACHE_KIB}",
    "CREATE TABLE entities (kind TEXT, id TEXT, entity BLOB, source TEXT, PRIMARY KEY (kind, id))"
    " WITHOUT ROWID",
    # A track keeps the first that it is told.
    "CREATE TABLE isrcs (isrc TEXT PRIMARY KEY, track TEXT UNIQUE) WITHOUT ROWID",
)

_encode = msgspec.msgpack.Encoder().encode
_decoders: dict[EntityKind, msgspec.msgpack.Decoder[Any]] = {
    kind.kind: msgspec.msgpack.Decoder(kind) for kind in (Artist, Album, Track)
}


class Told(Struct, frozen=True):
    """An entity, and the row that said it first."""

    entity: Entity
    where: str


class Gathered:
    """A database without a name, gone when it is closed; memory holds a part of it only."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        for statement in SCHEMA:
            self._database.execute(statement)
        self._database.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()

    def add(self, rows: Sequence[tuple[str, Said]]) -> list[Fault]:
        """Take what rows say, each with the file and line that it stands in.

        A row whose ISRC is that of another track is a fault and says nothing.

        Raises
        ------
        Unavailable
            There is no room for temporary files.
        """
        try:
            return self._add(rows)
        except sqlite3.OperationalError as error:
            raise Unavailable(
                f"the rows cannot be put together in a temporary file: {error}"
            ) from error

    def size(self) -> int:
        """Tell how many there are."""
        (count,) = self._database.execute("SELECT count(*) FROM entities").fetchone()
        return int(count)

    def batches(self, kind: EntityKind, size: int) -> Iterator[list[Told]]:
        """Go through all of a kind in the order of their ids, up to *size* at once."""
        found = self._database.execute(
            "SELECT entity, source FROM entities WHERE kind = ? ORDER BY id", (kind,)
        )
        decode = _decoders[kind].decode
        while rows := found.fetchmany(size):
            yield [Told(decode(entity), where) for entity, where in rows]

    def _add(self, rows: Sequence[tuple[str, Said]]) -> list[Fault]:
        faults, free = self._claim(rows)
        said: dict[EntityKind, dict[str, Told]] = {kind: {} for kind in EntityKind}
        for where, row in free:
            for entity in (*row.artists, *((row.album,) if row.album else ()), row.track):
                _put(said[entity.kind], entity, where)
        for kind, entities in said.items():
            self._write(kind, entities)
        return faults

    def _claim(
        self, rows: Sequence[tuple[str, Said]]
    ) -> tuple[list[Fault], list[tuple[str, Said]]]:
        isrcs = {said.track.isrc for _, said in rows} - {""}
        holders: dict[str, str] = dict(
            self._database.execute(
                "SELECT * FROM isrcs WHERE isrc IN (SELECT value FROM json_each(?))"
                " UNION SELECT * FROM isrcs WHERE track IN (SELECT value FROM json_each(?))",
                (_list(isrcs), _list({said.track.id for _, said in rows})),
            )
        )
        having = set(holders.values())
        faults, free = [], []
        for where, said in rows:
            track = said.track
            if track.isrc and track.isrc not in holders and track.id not in having:
                holders[track.isrc] = track.id
                having.add(track.id)
            holder = holders.get(track.isrc, track.id)
            if holder == track.id:
                free.append((where, said))
            else:
                faults.append(fault_of(where, track.isrc, holder))
        self._database.executemany("INSERT OR REPLACE INTO isrcs VALUES (?, ?)", holders.items())
        return faults, free

    def _write(self, kind: EntityKind, said: dict[str, Told]) -> None:
        before = self._database.execute(
            "SELECT id, entity, source FROM entities"
            " WHERE kind = ? AND id IN (SELECT value FROM json_each(?))",
            (kind, _list(said)),
        )
        for each, entity, where in before:
            known = _decoders[kind].decode(entity)
            said[each] = Told(merged(known, said[each].entity), where)
        rows = ((kind, each, _encode(one.entity), one.where) for each, one in sorted(said.items()))
        self._database.executemany("INSERT OR REPLACE INTO entities VALUES (?, ?, ?, ?)", rows)


def _list(keys: Iterable[str]) -> str:
    return msgspec.json.encode(list(keys)).decode()


def fault_of(where: str, isrc: str, holder: str) -> Fault:
    """Tell that a row's ISRC is another track's."""
    refusal = taken(isrc, holder)
    return Fault(where, refusal.field, refusal.reason, refusal.message)


def _put(entities: dict[str, Told], entity: Any, where: str) -> None:
    before = entities.get(entity.id)
    now = Told(merged(before.entity, entity), before.where) if before else Told(entity, where)
    entities[entity.id] = now
