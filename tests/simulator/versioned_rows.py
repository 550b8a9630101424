"""The versioned rows of a cluster: what each statement of `stores.table_cql` does to them.

A conditional write may be left unfinished, as Paxos has it: accepted by some, its caller hears nothing,
and who reads without asking for it to be ended does not see it. The next condition, or the next serial
read, ends it: it is done, or never will be.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from domain.errors import Unavailable
from domain.ports import Key
from stores.table_cql import VERSION, TableCql
from stores.tables import TABLES

Place = tuple[str, Key]  # a table, and the key of a row in it
Found = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A row that was written, for some seconds (0: for ever); a deletion writes one that is gone."""

    table: str
    key: Key
    row: Found
    lives_s: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What a text means: a kind, as `TableCql` names it, of which table."""

    kind: str
    cql: TableCql


def _meanings() -> Iterator[tuple[str, Statement]]:
    for table in TABLES:
        if not table.stamped:
            cql = TableCql(table)
            for kind in ("read", "write_if_none", "write_over", "write_if"):
                yield getattr(cql, kind), Statement(kind, cql)
            yield cql.scan(first=False, last=False, descending=False), Statement("scan", cql)


MEANINGS = dict(_meanings())


class VersionedRows:
    """The rows, and all that ever happened to them."""

    def __init__(
        self, dice: Random, now_ms: Callable[[], int], leaves_unfinished: Callable[[], bool]
    ) -> None:
        self._dice, self._now_ms, self._leaves_unfinished = dice, now_ms, leaves_unfinished
        self._rows: dict[Place, Found] = {}
        self._vanish_ms: dict[Place, int] = {}
        self._unfinished: dict[Place, Change] = {}
        self.changes: list[Change] = []

    async def ask(self, text: str, values: Sequence[Any], *, serial: bool) -> list[Found]:
        """Do what a statement says; tells the rows that it finds."""
        asked = MEANINGS[text]
        self._let_vanish()
        if asked.kind == "scan":
            return self._scan(asked.cql, tuple(values))
        if asked.kind == "read":
            place = (asked.cql.table.name, tuple(values))
            if serial:
                self._end(place)
            return [(*place[1], *self._rows[place])] if place in self._rows else []
        return [(self._change_if(asked, list(values)),)]

    def end_all(self) -> None:
        """End whatever is unfinished."""
        for place in list(self._unfinished):
            self._end(place)

    def _scan(self, cql: TableCql, partition: Key) -> list[Found]:
        rows = sorted(
            (place[1], row) for place, row in self._rows.items() if place[0] == cql.table.name
        )
        return [(*key, *row) for key, row in rows if key[: len(partition)] == partition]

    def _change_if(self, asked: Statement, values: list[Any]) -> bool:
        keys, own = len(asked.cql.keys), len(asked.cql.own)
        lives_s, row, values = values[0], tuple(values[1 : 1 + own]), values[1 + own :]
        place, given = (asked.cql.table.name, tuple(values[:keys])), values[keys:]
        self._end(place)
        if not _holds(asked.kind, self._rows.get(place), given):
            return False
        self._unfinished[place] = Change(*place, row, lives_s)
        if self._leaves_unfinished():
            raise Unavailable("left unfinished")
        self._do(self._unfinished.pop(place))
        return True

    def _end(self, place: Place) -> None:
        change = self._unfinished.pop(place, None)
        if change and self._dice.random() < 0.5:
            self._do(change)

    def _do(self, change: Change) -> None:
        place = (change.table, change.key)
        self.changes.append(change)
        self._rows[place] = change.row
        self._vanish_ms.pop(place, None)
        if change.lives_s:
            self._vanish_ms[place] = self._now_ms() + change.lives_s * 1_000

    def _let_vanish(self) -> None:
        for place in [at for at, ms in self._vanish_ms.items() if ms <= self._now_ms()]:
            del self._rows[place], self._vanish_ms[place]


def _holds(kind: str, row: Found | None, given: Sequence[Any]) -> bool:
    """Whether a row is as a condition wants it."""
    if row is None:
        return kind == "write_if_none"
    version, expires_ms, writer = row[-len(VERSION) :]
    if kind == "write_over":
        return bool(writer == given[0])
    return kind == "write_if" and version == given[0] and expires_ms > given[1]
