"""What every adapter of `domain.ports.Tables` does. To add one, add its opener to `ADAPTERS`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from random import Random
from typing import TypedDict

import pytest

from domain.ports import Column, Key, Row, Slice, StampedRow, Table, Tables, Value
from stores.cql_tables import CqlTables
from stores.sqlite_tables import SqliteTables
from tests.clock import Clock
from tests.memory_tables import MemoryTables
from tests.servers.fixtures import Servers
from tests.stores.keyspaces import Keyspace, new_keyspace

LEAST, MOST = -(1 << 63), (1 << 63) - 1
STATE = {"state": Column.BLOB}
HOURS = Table("hours", {"listener": Column.TEXT}, {"hour": Column.INT}, STATE, stamped=True)
NAMES = Table("names", {"owner": Column.TEXT}, {"name": Column.TEXT}, STATE, stamped=True)
SLEEVES = Table(
    "sleeves",
    {"album": Column.TEXT},
    {"disc": Column.INT, "number": Column.INT, "name": Column.TEXT},
    STATE,
    stamped=True,
)
MARKS = Table("marks", {"part": Column.INT}, values=STATE, stamped=True)
THINGS = Table(
    "things",
    {"owner": Column.TEXT, "shelf": Column.INT},
    {"name": Column.TEXT},
    {"label": Column.TEXT, "size": Column.INT, "document": Column.BLOB},
)
DECLARED = (HOURS, NAMES, SLEEVES, MARKS, THINGS)
KEY = ("ann", 1, "cup")
CUP: dict[str, Value] = {"label": "Cup", "size": 3, "document": b"{}"}


Open = Callable[[], Tables]


class Asked(TypedDict, total=False):
    first: Value
    last: Value
    descending: bool
    limit: int | None


def sqlite(request: pytest.FixtureRequest, clock: Clock) -> Open:
    path = request.getfixturevalue("tmp_path") / "store.db"
    return lambda: SqliteTables.open(path, now_ms=clock, tables=DECLARED)


def memory(_request: pytest.FixtureRequest, clock: Clock) -> Open:
    """Open the fake that other tests rely on."""
    only = MemoryTables(clock)
    return lambda: only


def cql(request: pytest.FixtureRequest, clock: Clock) -> Open:
    keyspace: Keyspace = request.getfixturevalue("keyspace")
    keyspace.empty()
    return lambda: CqlTables.open(
        keyspace.address.hosts,
        keyspace.address.port,
        keyspace=keyspace.name,
        now_ms=clock,
        tables=DECLARED,
        random=Random(1),
    )


ADAPTERS = [sqlite, memory, pytest.param(cql, marks=pytest.mark.servers)]


@pytest.fixture(scope="module")
def keyspace(servers: Servers) -> Iterator[Keyspace]:
    with new_keyspace(servers, DECLARED) as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=ADAPTERS)
async def open_tables(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[Open]:
    """Open one more instance on the same data, as another process would."""
    opened: list[Tables] = []
    open_here: Open = request.param(request, clock)

    def open_one() -> Tables:
        opened.append(open_here())
        return opened[-1]

    yield open_one
    for tables in opened:
        await tables.close()


@pytest.fixture
def tables(open_tables: Open) -> Tables:
    return open_tables()


def hour(
    number: int, state: bytes = b"x", *, stamp: int = 4, ttl_s: int | None = None
) -> StampedRow:
    return StampedRow(("ann", number), state, stamp, ttl_s)


async def states(tables: Tables, listener: str = "ann") -> dict[int, bytes]:
    rows = await tables.scan_stamped(HOURS, (listener,))
    return {int(str(row.key[1])): row.state for row in rows}


async def version_of(tables: Tables) -> int | None:
    (row,) = await tables.read(THINGS, [KEY])
    return None if row is None else row.version


async def test_a_stamped_row_is_read_as_it_was_written(tables: Tables) -> None:
    await tables.write_stamped([(HOURS, [hour(7, b"\x00\xff")])])

    assert await tables.read_stamped(HOURS, [("ann", 7)]) == [hour(7, b"\x00\xff")]


async def test_rows_come_in_the_order_of_the_keys_asked_for(tables: Tables) -> None:
    await tables.write_stamped([(HOURS, [hour(1), hour(2)])])

    found = await tables.read_stamped(HOURS, [("ann", 2), ("bob", 1), ("ann", 1), ("ann", 2)])

    assert found == [hour(2), None, hour(1), hour(2)]


async def test_a_thousand_rows_are_read_in_their_order(tables: Tables) -> None:
    rows = [hour(number, b"%d" % number) for number in range(1_000)]
    await tables.write_stamped([(HOURS, rows)])

    assert await tables.read_stamped(HOURS, [row.key for row in reversed(rows)]) == rows[::-1]
    assert await tables.scan_stamped(HOURS, ("ann",)) == rows


async def test_nothing_is_asked_and_nothing_is_written(tables: Tables) -> None:
    await tables.write_stamped([])
    await tables.write_stamped([(HOURS, [])])

    assert await tables.read_stamped(HOURS, []) == []
    assert await tables.read(THINGS, []) == []
    assert await states(tables) == {}


@pytest.mark.parametrize(
    ("stamp", "may_stand"),
    [
        pytest.param(7, {b"old"}, id="a-smaller-stamp-loses"),
        pytest.param(8, {b"old", b"new"}, id="of-equal-stamps-one-stays"),
        pytest.param(9, {b"new"}, id="a-larger-stamp-wins"),
    ],
)
async def test_the_larger_stamp_wins(tables: Tables, stamp: int, may_stand: set[bytes]) -> None:
    await tables.write_stamped([(HOURS, [hour(1, b"old", stamp=8)])])

    await tables.write_stamped([(HOURS, [hour(1, b"new", stamp=stamp)])])

    (stands,) = (await states(tables)).values()
    assert stands in may_stand


async def test_of_one_key_twice_in_a_write_the_larger_stamp_wins(tables: Tables) -> None:
    await tables.write_stamped([(HOURS, [hour(1, b"new", stamp=8), hour(1, b"old", stamp=4)])])

    assert await states(tables) == {1: b"new"}


async def test_rows_in_any_order_are_written(tables: Tables) -> None:
    rows = [hour(number * 7_919 % 601) for number in range(601)]

    await tables.write_stamped([(HOURS, rows)])

    assert list(await states(tables)) == list(range(601))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(Asked(), [LEAST, -1, 0, 2, 10, MOST], id="all"),
        pytest.param(Asked(first=0), [0, 2, 10, MOST], id="from-the-first-inclusive"),
        pytest.param(Asked(last=0), [LEAST, -1, 0], id="to-the-last-inclusive"),
        pytest.param(Asked(first=-1, last=2), [-1, 0, 2], id="between"),
        pytest.param(Asked(first=3, last=9), [], id="between-two-rows"),
        pytest.param(Asked(first=10, last=2), [], id="the-wrong-way-round"),
        pytest.param(Asked(limit=2), [LEAST, -1], id="the-first-two"),
        pytest.param(Asked(last=10, descending=True, limit=2), [10, 2], id="the-last-two-up-to"),
        pytest.param(Asked(limit=0), [], id="none"),
    ],
)
async def test_a_scan_keeps_to_its_bounds(
    tables: Tables, asked: Asked, expected: list[int]
) -> None:
    rows = [hour(number) for number in (10, LEAST, 2, -1, MOST, 0)]
    others = [StampedRow((listener, 2), b"", 4) for listener in ("A", "an", "ann ", "anna")]
    await tables.write_stamped([(HOURS, [*rows, *others])])

    found = await tables.scan_stamped(HOURS, ("ann",), **asked)

    assert [row.key for row in found] == [("ann", number) for number in expected]


async def test_rows_of_partitions_are_counted_by_what_they_hold(tables: Tables) -> None:
    rows = [StampedRow((name, at), b"x", 4) for name in ("ann", "bob") for at in range(3)]
    others = [StampedRow(("ann", 7), b"", 4), StampedRow(("ann ", 1), b"x", 4)]
    await tables.write_stamped([(HOURS, [*rows, *others])])
    asked: list[Key] = [("bob",), ("ann",), ("none",), ("ann",)]

    assert await tables.count_stamped(HOURS, asked, state=b"x") == [3, 3, 0, 3]
    assert await tables.count_stamped(HOURS, [("ann",)], state=b"") == [1]
    assert await tables.count_stamped(HOURS, [], state=b"x") == []


async def test_rows_whose_time_has_passed_are_not_counted(tables: Tables, clock: Clock) -> None:
    await tables.write_stamped([(HOURS, [hour(1, b"brief", ttl_s=60), hour(2)])])
    clock.advance(61_000)

    assert await tables.count_stamped(HOURS, [("ann",)], state=b"x") == [1]
    assert await tables.count_stamped(HOURS, [("ann",)], state=b"brief") == [0]


async def test_text_is_ordered_by_its_bytes(tables: Tables) -> None:
    names = ["", "\x01", "B", "a", "a\x00b", "ab", "é", "\uffff", "🎧"]
    await tables.write_stamped(
        [(NAMES, [StampedRow(("ann", name), b"", 4) for name in names[::-1]])]
    )

    found = await tables.scan_stamped(NAMES, ("ann",))

    assert [row.key[1] for row in found] == names


async def test_a_table_without_clustering_has_one_row_a_partition(tables: Tables) -> None:
    await tables.write_stamped([(MARKS, [StampedRow((part,), b"%d" % part, 4) for part in (3, 1)])])

    assert await tables.scan_stamped(MARKS, (3,)) == [StampedRow((3,), b"3", 4)]


async def test_a_row_that_cannot_be_stored_leaves_none_of_its_write(tables: Tables) -> None:
    impossible = StampedRow(("ann", 1 << 64), b"", 4)

    with pytest.raises((OverflowError, ValueError)):
        await tables.write_stamped([(MARKS, [StampedRow((1,), b"", 4)]), (HOURS, [impossible])])

    assert await tables.read_stamped(MARKS, [(1,)]) == [None]


async def test_a_write_that_fails_takes_no_other_down(tables: Tables) -> None:
    impossible = StampedRow(("bob", 1 << 64), b"", 4)
    writes = [[hour(1)], [hour(2), impossible], [hour(3)]]

    outcomes = await asyncio.gather(
        *(tables.write_stamped([(HOURS, rows)]) for rows in writes), return_exceptions=True
    )

    assert [outcome is None for outcome in outcomes] == [True, False, True]
    assert list(await states(tables)) == [1, 3]


async def test_a_write_is_seen_by_other_instances(open_tables: Open) -> None:
    writer, reader = open_tables(), open_tables()
    assert await states(reader) == {}

    await writer.write_stamped([(HOURS, [hour(1)])])

    assert await states(reader) == {1: b"x"}


async def test_a_row_is_gone_when_its_time_has_passed(tables: Tables, clock: Clock) -> None:
    await tables.write_stamped([(HOURS, [hour(1, ttl_s=60), hour(2)])])

    clock.advance(59_999)
    assert list(await states(tables)) == [1, 2]
    clock.advance(1)
    assert list(await states(tables)) == [2]
    assert await tables.read_stamped(HOURS, [("ann", 1)]) == [None]
    await tables.sweep()
    assert list(await states(tables)) == [2]


async def test_a_row_that_is_gone_still_defeats_smaller_stamps(
    tables: Tables, clock: Clock
) -> None:
    await tables.write_stamped([(HOURS, [hour(1, b"old", stamp=8, ttl_s=60)])])
    clock.advance(60_000)

    await tables.write_stamped([(HOURS, [hour(1, b"late", stamp=4)])])
    assert await states(tables) == {}
    await tables.write_stamped([(HOURS, [hour(1, b"new", stamp=12)])])
    assert await states(tables) == {1: b"new"}


async def test_the_newest_write_says_how_long_a_row_lives(tables: Tables, clock: Clock) -> None:
    await tables.write_stamped([(HOURS, [hour(1, stamp=4, ttl_s=60), hour(2, stamp=4)])])
    await tables.write_stamped([(HOURS, [hour(1, stamp=8), hour(2, stamp=8, ttl_s=60)])])

    clock.advance(60_000)

    assert list(await states(tables)) == [1]


async def test_erasing_takes_the_rows_with_smaller_stamps(tables: Tables) -> None:
    await tables.write_stamped([(HOURS, [hour(n, stamp=n) for n in (7, 8, 9)])])

    await tables.erase_stamped(HOURS, ("ann",), stamp=8)

    assert list(await states(tables)) == [8, 9]


async def test_what_comes_late_does_not_bring_back_what_was_erased(open_tables: Open) -> None:
    zombie, tables = open_tables(), open_tables()
    await zombie.write_stamped([(HOURS, [hour(1, stamp=4)])])
    await tables.erase_stamped(HOURS, ("ann",), stamp=8)

    await zombie.write_stamped([(HOURS, [hour(n, stamp=n) for n in (2, 7, 8, 9)])])
    await tables.write_stamped([(HOURS, [hour(3, stamp=7)])])

    assert list(await states(tables)) == [8, 9]


async def test_erasing_touches_one_partition_of_one_table(tables: Tables) -> None:
    bob = StampedRow(("bob", 1), b"x", 4)
    await tables.write_stamped(
        [(HOURS, [hour(1), bob]), (NAMES, [StampedRow(("ann", "a"), b"", 4)])]
    )

    await tables.erase_stamped(HOURS, ("ann",), stamp=8)
    await tables.write_stamped([(HOURS, [StampedRow(("bob", 2), b"y", 4)])])

    assert await states(tables) == {}
    assert await states(tables, "bob") == {1: b"x", 2: b"y"}
    assert len(await tables.scan_stamped(NAMES, ("ann",))) == 1


async def test_the_largest_erasure_stays(tables: Tables) -> None:
    for stamp in (8, 12, 12, 4):
        await tables.erase_stamped(HOURS, ("ann",), stamp=stamp)

    await tables.write_stamped([(HOURS, [hour(1, stamp=11), hour(2, stamp=12)])])

    assert list(await states(tables)) == [2]


async def test_an_erasure_and_writes_at_the_same_time_leave_no_smaller_stamp(
    tables: Tables,
) -> None:
    await asyncio.gather(
        tables.write_stamped([(HOURS, [hour(1, stamp=4)])]),
        tables.erase_stamped(HOURS, ("ann",), stamp=8),
        tables.write_stamped([(HOURS, [hour(2, stamp=4), hour(3, stamp=8)])]),
    )

    assert list(await states(tables)) == [3]


async def all_in_slices(tables: Tables, table: Table, limit: int) -> list[StampedRow]:
    """Read a whole table; slices are full but for the last, unless rows of theirs have expired."""
    rows, mark = list[StampedRow](), b""
    while True:
        part = await tables.slice_stamped(table, after=mark, limit=limit)
        assert len(part.rows) <= limit
        rows += part.rows
        if part.next is None:
            return rows
        mark = part.next


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 30, 31, 32, 1_000])
async def test_slices_have_every_row_of_a_table_once(tables: Tables, limit: int) -> None:
    written = [
        StampedRow((listener, number), b"%d" % number, 4)
        for listener in ("ann", "bob", "\U0001f3a7", "a\x00b")
        for number in (LEAST, -1, 0, 1, MOST)
    ]
    written += [StampedRow((f"l{number}", 0), b"", 4) for number in range(11)]
    await tables.write_stamped([(HOURS, written), (MARKS, [StampedRow((1,), b"", 4)])])

    found = await all_in_slices(tables, HOURS, limit)

    assert len(found) == len(written)
    assert sorted(found, key=lambda row: row.key) == sorted(written, key=lambda row: row.key)


async def test_slices_reach_into_partitions_of_several_columns(tables: Tables) -> None:
    written = [
        StampedRow((album, disc, number, name), b"", 4)
        for album in ("x", "y")
        for disc in (1, 2)
        for number in (1, 2)
        for name in ("a", "b")
    ]
    await tables.write_stamped([(SLEEVES, written)])

    found = await all_in_slices(tables, SLEEVES, 3)

    for album in ("x", "y"):  # a partition's rows stay together, in their order
        assert [row for row in found if row.key[0] == album] == [
            row for row in written if row.key[0] == album
        ]
    assert len(found) == len(written)


async def test_slices_of_a_table_without_clustering(tables: Tables) -> None:
    written = [StampedRow((part,), b"%d" % part, 4) for part in range(10)]
    await tables.write_stamped([(MARKS, written)])

    found = await all_in_slices(tables, MARKS, 4)

    assert sorted(found, key=lambda row: row.key) == written


async def test_an_empty_table_is_one_empty_slice(tables: Tables) -> None:
    assert await tables.slice_stamped(HOURS, limit=10) == Slice([], None)


async def test_slices_leave_out_what_is_gone(tables: Tables, clock: Clock) -> None:
    rows = [hour(number, ttl_s=60 if number % 2 else None) for number in range(9)]
    await tables.write_stamped([(HOURS, rows)])
    clock.advance(60_000)

    found = await all_in_slices(tables, HOURS, 2)

    assert [row.key[1] for row in found] == [0, 2, 4, 6, 8]


async def test_a_mark_holds_in_another_process(open_tables: Open) -> None:
    first, second = open_tables(), open_tables()
    await first.write_stamped([(HOURS, [hour(number) for number in range(5)])])

    begun = await first.slice_stamped(HOURS, limit=3)
    rest = await second.slice_stamped(HOURS, after=begun.next or b"", limit=3)

    assert (begun.rows + rest.rows, rest.next) == ([hour(number) for number in range(5)], None)


@pytest.mark.parametrize("mark", [b"x", b"\x92\xa3ann\xa3one", b"\x91\xa3ann", b"\xff" * 9])
async def test_what_is_no_mark_is_refused(tables: Tables, mark: bytes) -> None:
    with pytest.raises(ValueError, match="no mark of the table hours"):
        await tables.slice_stamped(HOURS, after=mark, limit=1)


async def test_a_versioned_row_begins_at_version_one(tables: Tables) -> None:
    assert await tables.write_if(THINGS, KEY, CUP, version=0)

    assert await tables.read(THINGS, [KEY, ("ann", 2, "cup")]) == [Row(KEY, CUP, 1), None]


async def test_each_write_adds_one_to_the_version(tables: Tables) -> None:
    for version in range(3):
        assert await tables.write_if(THINGS, KEY, {**CUP, "size": version}, version=version)

    assert await tables.read(THINGS, [KEY]) == [Row(KEY, {**CUP, "size": 2}, 3)]


@pytest.mark.parametrize("version", [0, 1, 3, -1, MOST])
async def test_a_stale_version_writes_and_deletes_nothing(tables: Tables, version: int) -> None:
    await tables.write_if(THINGS, KEY, CUP, version=0)
    await tables.write_if(THINGS, KEY, CUP, version=1)

    assert not await tables.write_if(THINGS, KEY, {"label": "Mug"}, version=version)
    assert not await tables.delete_if(THINGS, KEY, version=version)
    assert await tables.read(THINGS, [KEY]) == [Row(KEY, CUP, 2)]


async def test_there_is_no_version_of_what_is_not_there(tables: Tables) -> None:
    assert not await tables.write_if(THINGS, KEY, CUP, version=1)
    assert not await tables.delete_if(THINGS, KEY, version=1)
    assert not await tables.delete_if(THINGS, KEY, version=0)
    assert await version_of(tables) is None


async def test_a_deleted_row_begins_again(tables: Tables) -> None:
    await tables.write_if(THINGS, KEY, CUP, version=0)

    assert await tables.delete_if(THINGS, KEY, version=1)
    assert await version_of(tables) is None
    assert await tables.scan(THINGS, ("ann", 1), limit=1) == []
    assert not await tables.write_if(THINGS, KEY, CUP, version=2)
    assert not await tables.delete_if(THINGS, KEY, version=2)
    assert await tables.write_if(THINGS, KEY, CUP, version=0)
    assert await version_of(tables) == 1


async def test_a_versioned_row_is_gone_when_its_time_has_passed(
    tables: Tables, clock: Clock
) -> None:
    await tables.write_if(THINGS, KEY, CUP, version=0, ttl_s=60)

    clock.advance(59_999)
    assert await version_of(tables) == 1
    clock.advance(1)
    assert await version_of(tables) is None
    assert await tables.scan(THINGS, ("ann", 1)) == []
    assert not await tables.write_if(THINGS, KEY, CUP, version=1)
    assert not await tables.delete_if(THINGS, KEY, version=1)
    assert await tables.write_if(THINGS, KEY, CUP, version=0)
    assert await version_of(tables) == 1


async def test_a_later_write_says_anew_how_long_a_versioned_row_lives(
    tables: Tables, clock: Clock
) -> None:
    await tables.write_if(THINGS, KEY, CUP, version=0, ttl_s=60)
    await tables.write_if(THINGS, KEY, CUP, version=1)

    clock.advance(60_000)

    assert await version_of(tables) == 2


async def test_a_value_that_is_not_given_is_null(tables: Tables) -> None:
    await tables.write_if(THINGS, KEY, CUP, version=0)

    await tables.write_if(THINGS, KEY, {"size": LEAST}, version=1)

    expected: dict[str, Value] = {"label": None, "size": LEAST, "document": None}
    assert await tables.read(THINGS, [KEY]) == [Row(KEY, expected, 2)]


async def test_a_column_that_was_not_declared_is_refused(tables: Tables) -> None:
    with pytest.raises(ValueError, match="colour"):
        await tables.write_if(THINGS, KEY, {"colour": "red"}, version=0)


@pytest.mark.parametrize("text", ["", "a\x00b", "'; DROP TABLE things; --", "%_\\", "🎧" * 99])
async def test_text_is_only_ever_a_value(tables: Tables, text: str) -> None:
    key = (text, 1, text)

    await tables.write_if(THINGS, key, {"label": text}, version=0)

    (row,) = await tables.scan(THINGS, (text, 1), first=text, last=text)
    assert (row.key, row.values["label"]) == (key, text)


async def test_a_scan_of_versioned_rows_keeps_to_its_bounds(tables: Tables) -> None:
    for shelf, name in [(1, "c"), (1, "a"), (1, "b"), (2, "b")]:
        await tables.write_if(THINGS, ("ann", shelf, name), CUP, version=0)

    found = await tables.scan(THINGS, ("ann", 1), first="b", descending=True, limit=5)

    assert found == [Row(("ann", 1, name), CUP, 1) for name in ("c", "b")]


async def test_one_of_many_writers_of_a_version_wins(open_tables: Open) -> None:
    writers = [open_tables(), open_tables()] * 10

    wins = await asyncio.gather(
        *(tables.write_if(THINGS, KEY, CUP, version=0) for tables in writers)
    )

    assert sum(wins) == 1
    assert await version_of(writers[0]) == 1


async def test_what_was_written_is_there_when_opened_again(open_tables: Open) -> None:
    tables = open_tables()
    await tables.write_stamped([(HOURS, [hour(1)])])
    await tables.close()

    assert await states(open_tables()) == {1: b"x"}


async def test_closing_twice_is_closing_once(tables: Tables) -> None:
    await tables.close()
    await tables.close()
