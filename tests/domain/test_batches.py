import random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.batches import (
    FORMAT,
    HEADER_BYTES,
    MOST_PLAIN_BYTES,
    SCHEMA,
    batch_of,
    encode,
    encode_erase,
    heartbeats_of,
)
from domain.columns import decode
from domain.errors import UnreadableRecord
from domain.heartbeats import MOST_AT, MOST_STRETCH, Heartbeat, Kind
from tests.domain.cases import beat, sounding
from tests.strategies import heartbeats

MOST_ALLOCATED = 2 * MOST_PLAIN_BYTES
PAYLOAD = encode(batch_of(sounding(1_795_000_000_000, 1_795_000_900_000)))
PLAIN = batch_of(sounding(1_795_000_000_000, 1_795_000_900_000)).serialize().to_pybytes()


def payload_of(plain: bytes, claimed: int | None = None) -> bytes:
    """Write a plain message, whatever is in it, as `encode` would."""
    size = len(plain) if claimed is None else claimed
    packed = bytes(pa.Codec("zstd").compress(plain, asbytes=True))
    return bytes([FORMAT]) + size.to_bytes(4, "little") + packed


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Change a few bytes, the beginning's more often, and sometimes cut the end."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        end = len(changed) if rng.random() < 0.5 else min(len(changed), 900)
        changed[rng.randrange(end)] = rng.choice((0, 127, 128, 255, rng.randrange(256)))
    return bytes(changed[: rng.randrange(len(changed))] if rng.random() < 0.1 else changed)


@given(heartbeats())
def test_what_is_encoded_decodes_to_the_same(drawn: list[Heartbeat]) -> None:
    assert heartbeats_of(decode(encode(batch_of(drawn)))) == drawn


@given(heartbeats())
def test_batches_hold_heartbeats_in_their_order(drawn: list[Heartbeat]) -> None:
    batch = batch_of(drawn)

    assert heartbeats_of(batch) == drawn
    assert batch.schema == SCHEMA
    assert all(column.null_count == 0 for column in batch.columns)


@given(heartbeats(), st.data())
def test_a_slice_of_a_batch_encodes_alone(drawn: list[Heartbeat], data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(drawn)))
    end = data.draw(st.integers(begin, len(drawn)))

    piece = batch_of(drawn).slice(begin, end - begin)

    assert heartbeats_of(decode(encode(piece))) == drawn[begin:end]


def test_the_same_heartbeats_encode_to_the_same_bytes() -> None:
    drawn = sounding(1_795_000_000_000, 1_795_000_900_000)

    assert encode(batch_of(drawn)) == encode(batch_of(drawn))


def test_a_record_of_five_hundred_heartbeats_is_within_eighty_bytes_each() -> None:
    rng = random.Random(1)
    drawn = [
        Heartbeat(
            id=f"{rng.getrandbits(128):032x}",
            listener_id=f"{rng.getrandbits(128):032x}",
            track_id=f"track-{rng.randrange(20_000)}",
            play_id=f"{rng.getrandbits(64):016x}",
            kind=Kind.BEAT,
            at=1_795_000_000_000 + rng.randrange(60_000),
            position_ms=rng.randrange(300_000),
            device_id=f"phone-{rng.randrange(3)}",
            context=f"playlist:{rng.randrange(1_000)}",
        )
        for _ in range(500)
    ]

    assert len(encode(batch_of(drawn))) <= 80 * 500


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_payload_is_unreadable_or_read_within_bounds(seed: int) -> None:
    rng = random.Random(seed)

    for _ in range(40):
        read_or_refuse(damaged(PAYLOAD, rng))


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_message_is_unreadable_or_read_within_bounds(seed: int) -> None:
    rng = random.Random(seed)

    for _ in range(40):
        read_or_refuse(payload_of(damaged(PLAIN, rng)))


def read_or_refuse(payload: bytes) -> None:
    before = pa.total_allocated_bytes()
    try:
        found = heartbeats_of(decode(payload))
    except UnreadableRecord:
        found = []
    assert pa.total_allocated_bytes() - before <= MOST_ALLOCATED
    assert all(0 <= one.at <= MOST_AT and 0 <= one.stretch <= MOST_STRETCH for one in found)


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_read_or_be_unreadable(payload: bytes) -> None:
    read_or_refuse(payload)
    read_or_refuse(bytes([FORMAT]) + payload)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes([FORMAT]), id="a-format-and-nothing"),
        pytest.param(PAYLOAD[: HEADER_BYTES - 1], id="half-a-header"),
        pytest.param(PAYLOAD[:HEADER_BYTES], id="a-header-alone"),
        pytest.param(PAYLOAD[:-1], id="a-byte-short"),
        pytest.param(PAYLOAD + b"\0", id="a-byte-long"),
        pytest.param(bytes([FORMAT + 1]) + PAYLOAD[1:], id="another-format"),
        pytest.param(b'{"id": "h", "kind": "beat"}', id="json"),
        pytest.param(payload_of(PLAIN, len(PLAIN) - 1), id="claims-less"),
        pytest.param(payload_of(PLAIN, len(PLAIN) + 1), id="claims-more"),
        pytest.param(payload_of(b"", 0), id="an-empty-message"),
        pytest.param(payload_of(PLAIN[: len(PLAIN) // 2]), id="half-a-message"),
    ],
)
def test_what_encode_did_not_write_is_unreadable(payload: bytes) -> None:
    with pytest.raises(UnreadableRecord):
        decode(payload)


@pytest.mark.parametrize("claimed", [MOST_PLAIN_BYTES + 1, (1 << 32) - 1])
def test_a_claim_beyond_the_limit_is_refused_before_anything_is_allocated(claimed: int) -> None:
    pool = pa.system_memory_pool()
    before = pool.bytes_allocated() + pa.total_allocated_bytes()

    with pytest.raises(UnreadableRecord, match=f"claims {claimed} bytes"):
        decode(payload_of(bytes(1_000), claimed))

    assert pool.bytes_allocated() + pa.total_allocated_bytes() == before


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        pytest.param("at", -1, id="before-the-epoch"),
        pytest.param("at", MOST_AT + 1, id="after-the-last-instant"),
        pytest.param("stretch", -1, id="a-negative-stretch"),
        pytest.param("kind", -1, id="below-the-kinds"),
        pytest.param("kind", max(Kind) + 1, id="above-the-kinds"),
        pytest.param("listener_id", "l" * 41, id="a-long-listener-id"),
        pytest.param("track_id", "t" * 129, id="a-long-track-id"),
        pytest.param("play_id", "\u00e9" * 65, id="a-long-play-id"),
        pytest.param("device_id", "d" * 129, id="a-long-device-id"),
        pytest.param("context", "c" * 257, id="a-long-context"),
        pytest.param("id", "h" * 129, id="a-long-id"),
        pytest.param("track_id", None, id="nothing"),
    ],
)
def test_a_value_beyond_its_limit_makes_the_record_unreadable(field: str, bad: object) -> None:
    batch = batch_of([beat(1_795_000_000_000), beat(1_795_000_030_000)])
    place = SCHEMA.get_field_index(field)
    values = pa.array([batch.column(place)[0].as_py(), bad], SCHEMA.field(place).type)
    columns = [values if at == place else column for at, column in enumerate(batch.columns)]

    payload = payload_of(pa.RecordBatch.from_arrays(columns, SCHEMA.names).serialize().to_pybytes())

    with pytest.raises(UnreadableRecord):
        decode(payload)


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"id": ["h"]}, id="too-few-columns"),
        pytest.param({name: [1] for name in SCHEMA.names}, id="numbers-throughout"),
        pytest.param({name: ["1"] for name in SCHEMA.names}, id="texts-throughout"),
    ],
)
def test_columns_of_another_shape_are_unreadable(columns: dict[str, list[object]]) -> None:
    with pytest.raises(UnreadableRecord):
        decode(payload_of(pa.RecordBatch.from_pydict(columns).serialize().to_pybytes()))


def test_a_message_that_is_no_batch_is_unreadable() -> None:
    with pytest.raises(UnreadableRecord):
        decode(payload_of(SCHEMA.serialize().to_pybytes()))


def test_a_message_packed_inside_is_refused_before_it_is_unpacked() -> None:
    # Arrow may compress each column as well: some hundred bytes would become as many gigabytes.
    packed = pa.ipc.IpcWriteOptions(compression="zstd")
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA, options=packed) as stream:
        stream.write_batch(batch_of([beat(1_795_000_000_000)] * 1_000))
    _, message = pa.ipc.MessageReader.open_stream(sink.getvalue())

    with pytest.raises(UnreadableRecord):
        decode(payload_of(message.serialize().to_pybytes()))


def test_the_record_of_an_erasure_names_its_listener() -> None:
    (erase,) = heartbeats_of(decode(encode_erase("ann")))

    assert (erase.listener_id, erase.kind) == ("ann", Kind.ERASE)
