from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.heartbeat_items import Admission
from domain.heartbeats import Refusal
from serve.heartbeat_bodies import Taken
from serve.json_bodies import read_json
from streams.single_records import CHUNK, MOST_BYTES, judge_records
from tests.mutations import mutated
from tests.serve.bodies import LATE_LIMIT_DAYS, NOW_MS, json_of, rows
from tests.streams.single import Record, written

DAY_MS = 86_400_000


def refused(value: bytes | None, **changes: Any) -> Refusal:
    """Judge a record between two good ones, which must be taken."""
    around = [Record(written(id="before")), Record(written(id="after"))]
    judged = judge_records([around[0], Record(value, 7, **changes), around[1]], LATE_LIMIT_DAYS)
    ((record, why),) = judged.refused
    assert (record.offset, record.value) == (7, value)
    assert judged.rows[-1] == ["before", "after"]
    return why


@pytest.mark.parametrize(
    ("value", "field", "reason"),
    [
        pytest.param(None, "", "invalid", id="no-value"),
        pytest.param(b"", "", "invalid", id="empty"),
        pytest.param(b"null", "", "invalid", id="null"),
        pytest.param(b"[]", "", "invalid", id="a-list"),
        pytest.param(b"{", "", "invalid", id="cut-off"),
        pytest.param(written() + b",", "", "invalid", id="something-after-it"),
        pytest.param(written() + b"\n" + written(), "", "invalid", id="two-heartbeats"),
        pytest.param(b"[" * 60_000, "", "invalid", id="deep"),
        pytest.param(b"\xff\xfe\x00", "", "invalid", id="not-text"),
        pytest.param(written(id="\xff").replace(b"\xc3\xbf", b"\xff"), "id", "invalid", id="utf-8"),
        pytest.param(written(id="x" * MOST_BYTES), "", "invalid", id="too-large"),
        pytest.param(written(listener_id=None), "listener_id", "invalid", id="nobody's"),
        pytest.param(written(listener_id="a b"), "listener_id", "invalid", id="a-space"),
        pytest.param(written(kind="erase"), "kind", "invalid", id="a-kind-of-ours"),
        pytest.param(written(track_id="a\0b"), "track_id", "invalid", id="NUL"),
        pytest.param(written(at=float(NOW_MS)), "at", "invalid", id="at-is-a-float"),
        pytest.param(written(at=0), "at", "too_old", id="the-epoch"),
    ],
)
def test_a_bad_record_is_refused_by_field_and_its_neighbours_are_taken(
    value: bytes | None, field: str, reason: str
) -> None:
    why = refused(value)

    assert (why.field, why.reason) == (field, reason)


def test_instants_are_measured_by_the_append_time_of_their_own_record() -> None:
    late, early = NOW_MS - 40 * DAY_MS, NOW_MS + 40 * DAY_MS
    taken = [Record(written(at=at), timestamp=at) for at in (late, NOW_MS, early)]

    assert judge_records(taken, LATE_LIMIT_DAYS).refused == []
    assert refused(written(at=late)).reason == "too_old"
    assert refused(written(at=early)).reason == "in_the_future"


@pytest.mark.parametrize(
    ("away_ms", "reasons"),
    [
        (-30 * DAY_MS, []),
        (-30 * DAY_MS - 1, ["too_old"]),
        (120_000, []),
        (120_001, ["in_the_future"]),
    ],
)
def test_both_bounds_themselves_are_taken(away_ms: int, reasons: list[str]) -> None:
    judged = judge_records([Record(written(at=NOW_MS + away_ms))], LATE_LIMIT_DAYS)

    assert [why.reason for _, why in judged.refused] == reasons


def test_a_bad_record_takes_nothing_with_it_in_any_place() -> None:
    records = [Record(written(id=str(n)), n) for n in range(3 * CHUNK)]
    bad = {0, CHUNK - 1, CHUNK, 3 * CHUNK - 1}
    spoilt = [Record(b"?", each.offset) if each.offset in bad else each for each in records]

    judged = judge_records(spoilt, LATE_LIMIT_DAYS)

    assert {record.offset for record, _ in judged.refused} == bad
    assert judged.rows[-1] == [str(n) for n in range(3 * CHUNK) if n not in bad]


@given(rows())
def test_records_are_judged_as_items_of_a_request(items: Sequence[dict[str, Any]]) -> None:
    records = [Record(msgspec.json.encode(item), place) for place, item in enumerate(items)]

    judged = judge_records(records, LATE_LIMIT_DAYS)

    taken: Taken = read_json(json_of(items), Admission(None, NOW_MS, LATE_LIMIT_DAYS))
    assert judged.rows == taken.rows
    assert [(record.offset, why.field, why.reason) for record, why in judged.refused] == [
        (one.index, one.field or "", one.reason) for one in taken.rejected
    ]


@given(st.lists(st.binary() | mutated([written(), written(play_id="p", context="été")])))
def test_every_record_is_taken_or_refused(values: list[bytes]) -> None:
    records = [Record(value, place) for place, value in enumerate(values)]

    judged = judge_records(records, LATE_LIMIT_DAYS)

    assert len(judged.rows[0]) + len(judged.refused) == len(values)
    places = [record.offset for record, _ in judged.refused]
    assert places == sorted(set(places))
