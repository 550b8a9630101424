from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.batches import SCHEMA, heartbeats_of
from domain.heartbeat_items import Admission
from domain.heartbeats import Heartbeat
from domain.ids import ID_BYTES
from serve import arrow_bodies
from serve.arrow_bodies import read_arrow
from serve.heartbeat_bodies import Taken
from serve.json_bodies import read_json
from serve.receipts import BadBody
from tests.serve.bodies import (
    LATE_LIMIT_DAYS,
    NOW_MS,
    TYPES,
    batch_of,
    beat,
    json_of,
    rows,
    stream_of,
)

ANYBODYS = Admission(None, NOW_MS, LATE_LIMIT_DAYS)
TEXT_TYPES = [
    pa.utf8(),
    pa.large_utf8(),
    pa.string_view(),
    pa.dictionary(pa.int8(), pa.utf8()),
    pa.dictionary(pa.uint32(), pa.large_utf8()),
    pa.dictionary(pa.int32(), pa.string_view()),
]
WHOLE_TYPES = [pa.int64(), pa.uint64()]


def heartbeats_in(taken: Taken) -> list[Heartbeat]:
    assert isinstance(taken.rows, pa.RecordBatch)
    assert taken.rows.schema == SCHEMA
    taken.rows.validate(full=True)
    assert taken.accepted == taken.rows.num_rows
    return heartbeats_of(taken.rows)


def typed(text: pa.DataType, whole: pa.DataType) -> dict[str, pa.DataType]:
    return {name: text if kind == pa.utf8() else whole for name, kind in TYPES.items()}


def as_json_takes_it(items: Sequence[Mapping[str, Any]]) -> tuple[list[Heartbeat], list[Any]]:
    taken = read_json(json_of(items), ANYBODYS)
    columns = [
        pa.array(column, field.type) for column, field in zip(taken.rows, SCHEMA, strict=True)
    ]
    refused = [
        msgspec.structs.replace(one, id=one.id if one.id and len(one.id) <= ID_BYTES else None)
        for one in taken.rejected
    ]
    return heartbeats_of(pa.RecordBatch.from_arrays(columns, schema=SCHEMA)), refused


@given(rows(), st.sampled_from(TEXT_TYPES), st.sampled_from([None, "zstd", "lz4"]))
def test_columns_are_judged_as_json_is(
    items: Sequence[dict[str, Any]], text: pa.DataType, compression: str | None
) -> None:
    body = stream_of(batch_of(items, typed(text, pa.int64())), compression=compression)

    taken = read_arrow(body, ANYBODYS)

    assert (heartbeats_in(taken), taken.rejected) == as_json_takes_it(items)


@given(st.lists(rows(), min_size=1, max_size=4), st.sampled_from(TEXT_TYPES))
def test_several_batches_are_one_list(
    parts: Sequence[Sequence[dict[str, Any]]], text: pa.DataType
) -> None:
    types = typed(text, pa.int64())
    empty = batch_of([], types)

    body = stream_of(empty, *(batch_of(items, types) for items in parts), empty)
    taken = read_arrow(body, ANYBODYS)

    everything = [item for items in parts for item in items]
    assert (heartbeats_in(taken), taken.rejected) == as_json_takes_it(everything)


@pytest.mark.parametrize("text", TEXT_TYPES, ids=str)
@pytest.mark.parametrize("whole", WHOLE_TYPES, ids=str)
def test_any_text_and_any_integers_will_do(text: pa.DataType, whole: pa.DataType) -> None:
    item = beat(listener_id="ann", play_id="\u00e9", stretch=1, position_ms=2, context="c")

    taken = read_arrow(stream_of(batch_of([item], typed(text, whole))), ANYBODYS)

    (one,) = heartbeats_in(taken)
    assert (one.listener_id, one.play_id, one.stretch, one.position_ms) == ("ann", "\u00e9", 1, 2)


@pytest.mark.parametrize(
    "small", [pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.uint32()], ids=str
)
def test_small_integers_will_do(small: pa.DataType) -> None:
    items = [beat(listener_id="ann", stretch=stretch) for stretch in (7, None)]

    taken = read_arrow(stream_of(batch_of(items, TYPES | {"stretch": small})), ANYBODYS)

    assert [one.stretch for one in heartbeats_in(taken)] == [7, 0]


def test_an_unsigned_number_beyond_64_signed_bits_is_wrong() -> None:
    items = [beat(listener_id="ann", at=at) for at in (2**63, 2**64 - 1, NOW_MS)]

    taken = read_arrow(stream_of(batch_of(items, TYPES | {"at": pa.uint64()})), ANYBODYS)

    assert [(one.index, one.field, one.reason) for one in taken.rejected] == [
        (0, "at", "invalid"),
        (1, "at", "invalid"),
    ]


def test_columns_may_stand_in_any_order_among_others() -> None:
    item = beat(listener_id="ann", odd=[1], even={"a": 1}, number=1.5)
    odd = {"odd": pa.list_(pa.int8()), "even": pa.struct({"a": pa.int8()}), "number": pa.float64()}

    body = stream_of(batch_of([item], dict(reversed((odd | TYPES).items()))))

    assert read_arrow(body, ANYBODYS).accepted == 1


def test_columns_that_are_not_required_may_be_missing_or_null() -> None:
    item = beat(listener_id="ann")
    required = {name: TYPES[name] for name in item}
    all_null = required | {name: pa.null() for name in TYPES if name not in required}

    for types in (required, all_null):
        (one,) = heartbeats_in(read_arrow(stream_of(batch_of([item], types)), ANYBODYS))
        assert (one.play_id, one.stretch, one.position_ms) == ("", 0, -1)


def test_a_required_column_of_nulls_refuses_each_row() -> None:
    items = [beat(listener_id="ann", id=None)] * 2

    taken = read_arrow(stream_of(batch_of(items, TYPES | {"id": pa.null()})), ANYBODYS)

    assert [(one.index, one.id, one.field) for one in taken.rejected] == [
        (0, None, "id"),
        (1, None, "id"),
    ]
    assert heartbeats_in(taken) == []


@pytest.mark.parametrize("field", ["id", "listener_id", "track_id", "kind", "at"])
def test_a_required_column_must_be_there(field: str) -> None:
    types = {name: kind for name, kind in TYPES.items() if name != field}

    with pytest.raises(BadBody, match=f"the column {field} is missing"):
        read_arrow(stream_of(batch_of([beat(listener_id="ann")], types)), ANYBODYS)


@pytest.mark.parametrize(
    ("field", "kind", "values"),
    [
        pytest.param("at", pa.float64(), [1.0], id="at-float"),
        pytest.param("at", pa.utf8(), ["1"], id="at-text"),
        pytest.param("at", pa.bool_(), [True], id="at-bool"),
        pytest.param("at", pa.timestamp("ms"), [1], id="at-timestamp"),
        pytest.param("at", pa.dictionary(pa.int8(), pa.int64()), [1], id="at-dictionary"),
        pytest.param("at", pa.decimal128(20), [1], id="at-decimal"),
        pytest.param("stretch", pa.list_(pa.int32()), [[1]], id="stretch-list"),
        pytest.param("kind", pa.int8(), [1], id="kind-number"),
        pytest.param("id", pa.binary(), [b"x"], id="id-binary"),
        pytest.param("id", pa.binary(16), [b"x" * 16], id="id-fixed"),
        pytest.param("id", pa.list_(pa.utf8()), [["x"]], id="id-list"),
        pytest.param("id", pa.struct({"id": pa.utf8()}), [{"id": "x"}], id="id-struct"),
        pytest.param(
            "id", pa.dictionary(pa.int8(), pa.int64()), [1], id="id-dictionary-of-numbers"
        ),
        pytest.param("context", pa.bool_(), [True], id="context-bool"),
    ],
)
def test_a_column_of_another_type_is_named(
    field: str, kind: pa.DataType, values: list[Any]
) -> None:
    usual = batch_of([beat(listener_id="ann")])
    odd = usual.set_column(usual.schema.get_field_index(field), field, pa.array(values, kind))

    with pytest.raises(BadBody, match=f"the column {field} must hold"):
        read_arrow(stream_of(odd), ANYBODYS)


def test_a_column_that_is_run_end_encoded_is_named() -> None:
    usual = batch_of([beat(listener_id="ann")])
    encoded = pa.RunEndEncodedArray.from_arrays(pa.array([1], pa.int32()), pa.array(["x"]))

    with pytest.raises(BadBody, match="the column id must hold text"):
        read_arrow(stream_of(usual.set_column(0, "id", encoded)), ANYBODYS)


def test_a_column_that_is_there_twice_is_named() -> None:
    usual = batch_of([beat(listener_id="ann")])

    with pytest.raises(BadBody, match="2 columns id"):
        read_arrow(stream_of(usual.append_column("id", pa.array(["x"]))), ANYBODYS)


def test_a_stream_needs_a_row() -> None:
    with pytest.raises(BadBody, match="no rows"):
        read_arrow(stream_of(batch_of([])), ANYBODYS)


def test_a_stream_has_so_many_rows_and_not_one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_bodies, "MOST_ROWS", 10)
    five = batch_of([beat(listener_id="ann")] * 5)
    one = batch_of([beat(listener_id="ann")])

    assert read_arrow(stream_of(five, five), ANYBODYS).accepted == 10
    with pytest.raises(BadBody, match="more than 10 rows"):
        read_arrow(stream_of(five, five, one), ANYBODYS)


def test_every_refused_row_is_listed() -> None:
    body = stream_of(batch_of([beat(listener_id="ann", at=1)] * 20_000))

    assert len(read_arrow(body, ANYBODYS).rejected) == 20_000


def invalid_texts(offsets: Sequence[int], data: bytes) -> pa.Array:
    buffers = [None, pa.py_buffer(np.array(offsets, np.int32)), pa.py_buffer(data)]
    return pa.StringArray.from_buffers(len(offsets) - 1, *buffers[1:])


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(invalid_texts([0, 2], b"\xff\xfe"), id="not-utf-8"),
        pytest.param(invalid_texts([0, 3], b"\xed\xa0\x80"), id="a-surrogate"),
        pytest.param(
            pa.DictionaryArray.from_arrays(pa.array([7], pa.int8()), pa.array(["x"]), safe=False),
            id="an-index-beyond-the-dictionary",
        ),
        pytest.param(
            pa.DictionaryArray.from_arrays(pa.array([-1], pa.int8()), pa.array(["x"]), safe=False),
            id="an-index-before-the-dictionary",
        ),
    ],
)
def test_arrays_that_lie_are_refused(texts: pa.Array) -> None:
    usual = batch_of([beat(listener_id="ann")])

    with pytest.raises(BadBody):
        read_arrow(stream_of(usual.set_column(0, "id", texts)), ANYBODYS)


@pytest.mark.parametrize("offset", [-1, 1, 1 << 30])
def test_offsets_that_point_elsewhere_are_refused(offset: int) -> None:
    item = beat(listener_id="ann", id="0123456789")
    body = stream_of(batch_of([item], {name: TYPES[name] for name in item}))
    marks = np.array([0, 10], np.int32).tobytes()
    place = body.rindex(marks, 0, body.index(b"0123456789"))
    spoilt = body[: place + 4] + np.array([offset], np.int32).tobytes() + body[place + 8 :]

    if offset == 1:
        assert [one.id for one in heartbeats_in(read_arrow(spoilt, ANYBODYS))] == ["0"]
    else:
        with pytest.raises(BadBody):
            read_arrow(spoilt, ANYBODYS)


@pytest.mark.parametrize("text", TEXT_TYPES[2:], ids=str)
def test_one_long_text_said_often_is_refused_before_it_is_written_out(text: pa.DataType) -> None:
    count = 100_000
    usual = batch_of([beat(listener_id="ann")])
    columns = [column.take(pa.array(np.zeros(count, np.int64))) for column in usual.columns]
    long = pa.array(["x" * 10_000], text.value_type if pa.types.is_dictionary(text) else text)
    if pa.types.is_dictionary(text):
        indices = pa.array(np.zeros(count, np.int8)).cast(text.index_type)
        columns[0] = pa.DictionaryArray.from_arrays(indices, long)
    else:
        view = np.frombuffer(long.buffers()[1], np.int32)[:4]
        buffers = [None, pa.py_buffer(np.tile(view, count)), long.buffers()[2]]
        columns[0] = pa.Array.from_buffers(text, count, buffers)

    body = stream_of(
        pa.RecordBatch.from_arrays(columns, names=usual.schema.names), compression="zstd"
    )

    with pytest.raises(BadBody, match="the texts are more than"):
        read_arrow(body, ANYBODYS)


GOOD = stream_of(
    batch_of(
        [beat(listener_id=f"l{n}", id=f"h{n}") for n in range(5)], typed(TEXT_TYPES[3], pa.int64())
    ),
    compression="zstd",
)


@pytest.mark.parametrize("length", range(0, len(GOOD) - 8, 24))
def test_a_truncated_stream_is_refused(length: int) -> None:
    with pytest.raises(BadBody):
        read_arrow(GOOD[:length], ANYBODYS)


@given(
    st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=8)
)
def test_a_damaged_stream_is_refused_or_read_and_nothing_worse(
    damages: Sequence[tuple[int, int]],
) -> None:
    body = bytearray(GOOD)
    for place, byte in damages:
        body[place] = byte

    try:
        taken = read_arrow(bytes(body), ANYBODYS)
    except BadBody:
        return
    heartbeats_in(taken)


@given(st.binary())
def test_no_bytes_do_worse_than_be_refused(body: bytes) -> None:
    with pytest.raises(BadBody):
        read_arrow(body, ANYBODYS)
