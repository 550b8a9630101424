from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain import log_records
from domain.batches import SCHEMA, batch_of, heartbeats_of
from domain.columns import decode
from domain.hashing import partition_of
from domain.heartbeat_items import Columns
from domain.heartbeats import Heartbeat, Kind
from domain.log_records import partitions_of, records_of
from tests.strategies import heartbeats


def beats(count: int, listener_id: str = "ann", start: int = 0) -> list[Heartbeat]:
    return [
        Heartbeat(
            id=f"{listener_id}-{number}",
            listener_id=listener_id,
            track_id="t",
            kind=Kind.BEAT,
            at=1_795_000_000_000 + number,
        )
        for number in range(start, start + count)
    ]


def columns(taken: Sequence[Heartbeat]) -> Columns:
    return [[getattr(beat, name) for beat in taken] for name in SCHEMA.names]


@given(st.lists(st.text(st.characters(codec="ascii"), max_size=40)), st.integers(1, 1024))
def test_a_column_goes_to_the_same_partitions_as_its_values(
    listeners: list[str], partitions: int
) -> None:
    column = pa.array(["before", *listeners], pa.utf8()).slice(1)

    assert partitions_of(column, partitions).tolist() == [
        partition_of(listener, partitions) for listener in listeners
    ]


@given(st.lists(st.tuples(st.booleans(), heartbeats()), min_size=1, max_size=4))
def test_records_hold_each_heartbeat_once_in_its_partition(
    parts: list[tuple[bool, list[Heartbeat]]],
) -> None:
    assume(any(taken for _, taken in parts))
    rows = [batch_of(taken) if arrow else columns(taken) for arrow, taken in parts]

    records = records_of(rows, 3)

    found = [
        (partition, beat)
        for partition, payload in records
        for beat in heartbeats_of(decode(payload))
    ]
    expected = [(partition_of(beat.listener_id, 3), beat) for _, taken in parts for beat in taken]
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


def test_one_record_holds_at_most_4000_heartbeats() -> None:
    records = records_of([columns(beats(8_001))], 1)

    counts = [decode(payload).num_rows for _, payload in records]
    assert (len(counts), sum(counts)) == (3, 8_001)
    assert max(counts) <= 4_000


def test_a_record_that_does_not_compress_is_split_by_its_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log_records, "RECORD_BYTES", 1_500)

    records = records_of([columns(beats(1_000))], 1)

    assert len(records) > 1
    assert all(len(payload) <= 1_500 for _, payload in records)
    assert sum(decode(payload).num_rows for _, payload in records) == 1_000
