"""SQLite's tables against dictionaries, by random commands through two instances on one file."""

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from domain.ports import Column, Key, StampedRow, Table
from stores.sqlite_tables import SqliteTables
from tests.clock import Clock

T = TypeVar("T")

STAMPED = Table(
    "stamped", {"owner": Column.TEXT}, {"number": Column.INT}, {"state": Column.BLOB}, stamped=True
)
VERSIONED = Table("versioned", {"owner": Column.TEXT}, values={"size": Column.INT})
OWNERS = ("ann", "bob")

owners = st.sampled_from(OWNERS)
keys = st.tuples(owners, st.integers(-1, 1))
stamps = st.integers(1, 5)
lives_s = st.one_of(st.none(), st.integers(1, 3))
rows = st.builds(StampedRow, keys, st.binary(max_size=2), stamps, lives_s)
either = st.integers(0, 1)


@dataclass
class Cell:
    value: bytes | int
    order: int  # its stamp or version
    until_ms: int | None

    def is_live(self, now_ms: int) -> bool:
        return self.until_ms is None or self.until_ms > now_ms


class Comparison(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(1_000)
        self.stamped: dict[Key, Cell] = {}
        self.versioned: dict[str, Cell] = {}
        self.erased = dict.fromkeys(OWNERS, 0)
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "store.db"
        self.instances = [
            SqliteTables.open(path, now_ms=self.clock, tables=(STAMPED, VERSIONED))
            for _ in range(2)
        ]

    def run(self, asked: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(asked)

    def until_ms(self, ttl_s: int | None) -> int | None:
        return None if ttl_s is None else self.clock() + ttl_s * 1_000

    @rule(which=either, written=st.lists(rows, max_size=5))
    def write_stamped(self, which: int, written: list[StampedRow]) -> None:
        self.run(self.instances[which].write_stamped([(STAMPED, written)]))

        for row in written:
            standing = self.stamped.get(row.key)
            beats = standing is None or row.stamp > standing.order
            if beats and row.stamp >= self.erased[str(row.key[0])]:
                self.stamped[row.key] = Cell(row.state, row.stamp, self.until_ms(row.ttl_s))

    @rule(which=either, owner=owners, stamp=stamps)
    def erase(self, which: int, owner: str, stamp: int) -> None:
        self.run(self.instances[which].erase_stamped(STAMPED, (owner,), stamp=stamp))

        self.erased[owner] = max(self.erased[owner], stamp)
        self.stamped = {
            key: cell
            for key, cell in self.stamped.items()
            if key[0] != owner or cell.order >= stamp
        }

    @rule(which=either, owner=owners, size=st.integers(), version=st.integers(0, 3), ttl_s=lives_s)
    def write_if(self, which: int, owner: str, size: int, version: int, ttl_s: int | None) -> None:
        size %= 1 << 63
        writing = self.instances[which].write_if(
            VERSIONED, (owner,), {"size": size}, version=version, ttl_s=ttl_s
        )

        assert self.run(writing) == (self.version_of(owner) == version)
        if self.version_of(owner) == version:
            self.versioned[owner] = Cell(size, version + 1, self.until_ms(ttl_s))

    @rule(which=either, owner=owners, version=st.integers(0, 3))
    def delete_if(self, which: int, owner: str, version: int) -> None:
        goes = self.version_of(owner) == version > 0

        assert (
            self.run(self.instances[which].delete_if(VERSIONED, (owner,), version=version)) == goes
        )
        if goes:
            del self.versioned[owner]

    @rule(ms=st.sampled_from([1, 500, 999, 1_000, 2_000]))
    def pass_time(self, ms: int) -> None:
        self.clock.advance(ms)

    @rule(which=either)
    def sweep(self, which: int) -> None:
        before = len(self.stamped) + len(self.versioned)
        self.stamped = {k: cell for k, cell in self.stamped.items() if cell.is_live(self.clock())}
        self.versioned = {
            k: cell for k, cell in self.versioned.items() if cell.is_live(self.clock())
        }

        swept = self.run(self.instances[which].sweep())

        assert swept == before - len(self.stamped) - len(self.versioned)

    @invariant()
    def the_same_rows_are_live(self) -> None:
        live = [(key, cell) for key, cell in self.stamped.items() if cell.is_live(self.clock())]
        for owner, tables in zip(OWNERS, self.instances, strict=True):
            expected = [(key, cell.value, cell.order) for key, cell in live if key[0] == owner]
            found = self.run(tables.scan_stamped(STAMPED, (owner,)))
            assert [(row.key, row.state, row.stamp) for row in found] == sorted(expected)

    @invariant()
    def the_same_versions_stand(self) -> None:
        found = self.run(self.instances[1].read(VERSIONED, [(owner,) for owner in OWNERS]))
        assert [row.version if row else 0 for row in found] == [
            self.version_of(owner) for owner in OWNERS
        ]

    def version_of(self, owner: str) -> int:
        cell = self.versioned.get(owner)
        return cell.order if cell is not None and cell.is_live(self.clock()) else 0

    def teardown(self) -> None:
        for tables in self.instances:
            self.run(tables.close())
        self.runner.close()
        self.folder.cleanup()


def test_tables_do_what_dictionaries_would() -> None:
    run_state_machine_as_test(
        Comparison, settings=settings(max_examples=60, stateful_step_count=20, deadline=None)
    )
