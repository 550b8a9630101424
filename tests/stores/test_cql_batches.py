from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue import Track
from domain.ports import Column, StampedRow, Table
from stores.catalogue_rows import CatalogueRecord, Standing
from stores.catalogue_rows import rows_of as catalogue_rows
from stores.cql_batches import (
    BYTES_TOGETHER,
    PARTITIONS_TOGETHER,
    Write,
    check,
    loads,
    size_of,
    stages,
)

STATE = {"state": Column.BLOB}
LISTENER = {"listener": Column.TEXT}
HOURS = Table("hours", LISTENER, {"hour": Column.INT}, STATE, stamped=True)
PLAYS = Table("plays", LISTENER, {"play": Column.INT}, STATE, stamped=True)
MARKS = Table("marks", {"part": Column.INT}, values=STATE, stamped=True)
NODES = 3
COUNTED = 60  # bytes of an almost empty row, in Cassandra's eyes


@dataclass
class Bound:
    """A row on its way, as far as one looks at it who puts rows together."""

    table: Table
    row: StampedRow

    @property
    def routing_key(self) -> bytes:
        return str(self.row.key[0]).encode()


def owner(routing_key: bytes) -> object:
    return sum(routing_key) % NODES


def rows_of(names: Sequence[tuple[str, int, int]]) -> list[StampedRow]:
    return [StampedRow((name, number), b"x" * size, 4) for name, number, size in names]


NAMES = st.tuples(st.text("abc", min_size=1, max_size=3), st.integers(0, 9), st.integers(0, 9_000))


@given(st.lists(NAMES, max_size=200), st.lists(NAMES))
def test_every_row_goes_once_with_others_of_its_node(
    hours: list[tuple[str, int, int]], plays: list[tuple[str, int, int]]
) -> None:
    stage = [(HOURS, rows_of(hours)), (PLAYS, rows_of(plays))]

    sent = list(loads(stage, Bound, owner))

    rows = [(table.name, row) for table, rows in stage for row in rows]
    gone = [(each.table.name, each.row) for load in sent for each in load]
    assert sorted(gone, key=repr) == sorted(rows, key=repr)
    for load in sent:
        assert load
        assert len({owner(each.routing_key) for each in load}) == 1
        assert len({each.routing_key for each in load}) <= PARTITIONS_TOGETHER
        assert len(load) == 1 or sum(size_of(each.row) for each in load) <= BYTES_TOGETHER


def test_rows_of_lists_weigh_what_the_cluster_counts() -> None:
    artists = tuple(f"artist-{number}" for number in range(10))
    tracks = [Track(f"track-{number}", "Sinnerman", artists) for number in range(400)]
    before = {(track.kind, track.id): Standing(None, 0) for track in tracks}
    writes = catalogue_rows([CatalogueRecord(1, 0, tracks)], before)

    sent = [each for stage in stages(writes) for each in loads(stage, Bound, lambda _key: 0)]

    assert sum(map(len, sent)) == 400 * (len(artists) + 1)
    assert max(len(load) for load in sent) * COUNTED <= BYTES_TOGETHER


@given(st.lists(NAMES, min_size=1, max_size=200))
def test_small_rows_travel_by_the_sixteen_partitions(names: list[tuple[str, int, int]]) -> None:
    small = [(name, number, 1) for name, number, _ in names]

    sent = list(loads([(HOURS, rows_of(small))], Bound, lambda _key: "one node"))

    partitions = len({name for name, _, _ in small})
    assert len(sent) == -(-partitions // PARTITIONS_TOGETHER)


def test_what_is_partitioned_otherwise_waits_for_what_comes_before() -> None:
    writes: list[Write] = [(HOURS, []), (PLAYS, []), (MARKS, []), (HOURS, [])]

    assert [[table.name for table, _ in stage] for stage in stages(writes)] == [
        ["hours", "plays"],
        ["marks"],
        ["hours"],
    ]


@pytest.mark.parametrize(
    ("key", "error"),
    [
        pytest.param(("ann", 1 << 63), OverflowError, id="beyond-64-bits"),
        pytest.param(("ann", -(1 << 63) - 1), OverflowError, id="below-64-bits"),
        pytest.param(("\ud800", 1), UnicodeEncodeError, id="a-lone-surrogate"),
        pytest.param(("", 1), ValueError, id="no-partition"),
    ],
)
def test_what_cannot_be_stored_is_refused_before_anything_is(
    key: tuple[str, int], error: type[Exception]
) -> None:
    with pytest.raises(error):
        check([(HOURS, [StampedRow(("ann", 1), b"", 4), StampedRow(key, b"", 4)])])
