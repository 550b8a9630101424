import random
import struct
from collections.abc import Callable
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.batches import SCHEMA, batch_of, heartbeats_of
from domain.columns import columns_of, decode, decode_all
from domain.errors import UnreadableRecord
from domain.heartbeats import MOST_AT, MOST_STRETCH, Heartbeat, Kind
from domain.ids import BASE62
from domain.payloads import (
    FORMAT,
    HEAD_LAYOUT,
    MOST_PLAIN_BYTES,
    MOST_ROW_BYTES,
    MOST_ROWS,
    encode,
    encode_erase,
    encode_parts,
    open_payload,
)
from tests.domain.cases import beat, sounding
from tests.strategies import heartbeats

MOST_ALLOCATED = 2 * MOST_PLAIN_BYTES
NOW_MS = 1_795_000_000_000
WIDTHS, ROWS, PLAIN, BASES = 1, 12, 16, 24  # where they stand in a head


def random_id(rng: random.Random) -> str:
    return "".join(rng.choices(BASE62, k=22))


def random_beats(count: int, seed: int = 1) -> list[Heartbeat]:
    """Heartbeats of listeners who have ids like those of accounts."""
    rng = random.Random(seed)
    return [
        Heartbeat(
            id=random_id(rng),
            listener_id=random_id(rng),
            track_id=random_id(rng),
            play_id=random_id(rng),
            kind=Kind.BEAT,
            at=NOW_MS + rng.randrange(60_000),
            position_ms=rng.randrange(300_000),
            device_id=f"phone-{rng.randrange(3)}",
            context=f"playlist:{rng.randrange(1_000)}",
        )
        for _ in range(count)
    ]


PAYLOADS = {
    "packed": encode(batch_of(random_beats(31))),
    "compressed": encode(batch_of(sounding(NOW_MS, NOW_MS + 900_000))),
}


def changed(payload: bytes, at: int, layout: str, value: int) -> bytes:
    """Write another number into a payload."""
    copy = bytearray(payload)
    struct.pack_into(layout, copy, at, value)
    return bytes(copy)


def with_frame(payload: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Change what is in the frame of a payload, whose head tells its true sizes."""
    rows, size, packed_size = struct.unpack_from("<3I", payload, ROWS)
    codec, end = pa.Codec("zstd"), HEAD_LAYOUT.size + packed_size
    frame = codec.decompress(payload[HEAD_LAYOUT.size : end], size, asbytes=True)
    other = change(frame)
    packed = codec.compress(other, asbytes=True)
    head = bytearray(payload[: HEAD_LAYOUT.size])
    struct.pack_into("<3I", head, ROWS, rows, len(other), len(packed))
    return bytes(head) + bytes(packed) + payload[end:]


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Change a few bytes, the beginning's more often, and sometimes cut the end."""
    copy = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        end = len(copy) if rng.random() < 0.5 else min(len(copy), HEAD_LAYOUT.size)
        copy[rng.randrange(end)] = rng.choice((0, 127, 128, 255, rng.randrange(256)))
    return bytes(copy[: rng.randrange(len(copy))] if rng.random() < 0.1 else copy)


@given(heartbeats())
def test_what_is_encoded_decodes_to_the_same(drawn: list[Heartbeat]) -> None:
    assert heartbeats_of(decode(encode(batch_of(drawn)))) == drawn


BROKEN_INSIDE = [  # they open, and are found damaged row by row
    with_frame(PAYLOADS["packed"], lambda frame: frame[:-1] + b"\xff"),
    changed(PAYLOADS["packed"], BASES, "<q", -1),
    changed(PAYLOADS["compressed"], BASES + 24, "<q", max(Kind) + 1),
]
PAYLOAD = heartbeats().map(lambda drawn: encode(batch_of(drawn)))


@given(st.lists(PAYLOAD | st.binary(max_size=100), max_size=8), st.randoms(use_true_random=False))
def test_payloads_read_together_are_as_one_by_one(
    payloads: list[bytes], rng: random.Random
) -> None:
    payloads += [damaged(payload, rng) for payload in payloads[:2] if payload]
    payloads += rng.sample(BROKEN_INSIDE, rng.randrange(3))
    rng.shuffle(payloads)

    batch, sizes, refused = decode_all(payloads)

    alone = [readable(payload) for payload in payloads]
    assert heartbeats_of(batch) == [beat for beats in alone for beat in beats or []]
    assert sizes == [len(beats or []) for beats in alone]
    assert sorted(index for index, _ in refused) == [
        index for index, beats in enumerate(alone) if beats is None
    ]


def readable(payload: bytes) -> list[Heartbeat] | None:
    try:
        return heartbeats_of(decode(payload))
    except UnreadableRecord:
        return None


@given(st.lists(st.text(st.sampled_from(BASE62 + "+/=-"), min_size=1, max_size=40), max_size=40))
def test_texts_of_any_lengths_and_letters_decode_to_the_same(names: list[str]) -> None:
    drawn = [
        Heartbeat(id=name, listener_id=name, track_id=name, play_id=name, kind=Kind.BEAT, at=at)
        for at, name in enumerate(names)
    ]

    assert heartbeats_of(decode(encode(batch_of(drawn)))) == drawn


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 31, 32, 40])
@pytest.mark.parametrize("rows", [1, 2, 3, 50])
def test_random_ids_of_any_length_decode_to_the_same(size: int, rows: int) -> None:
    rng = random.Random(size * rows)
    names = ["".join(rng.choices(BASE62, k=size)) for _ in range(rows)]
    drawn = [
        Heartbeat(id=name, listener_id=name, track_id=name, play_id=name, kind=Kind.BEAT, at=at)
        for at, name in enumerate(names)
    ]

    assert heartbeats_of(decode(encode(batch_of(drawn)))) == drawn


@given(heartbeats(), st.data())
def test_a_slice_of_a_batch_encodes_alone(drawn: list[Heartbeat], data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(drawn)))
    end = data.draw(st.integers(begin, len(drawn)))

    piece = batch_of(drawn).slice(begin, end - begin)

    assert heartbeats_of(decode(encode(piece))) == drawn[begin:end]


@given(heartbeats(), st.data())
def test_parts_of_a_batch_are_encoded_as_if_alone(
    drawn: list[Heartbeat], data: st.DataObject
) -> None:
    inner = data.draw(st.lists(st.integers(0, len(drawn)), max_size=3))
    bounds = [0, *sorted(inner), len(drawn)]

    parts = [heartbeats_of(decode(part)) for part in encode_parts(batch_of(drawn), bounds)]

    assert parts == [drawn[begin:end] for begin, end in pairwise(bounds)]


def test_the_same_heartbeats_encode_to_the_same_bytes() -> None:
    drawn = sounding(NOW_MS, NOW_MS + 900_000)

    assert encode(batch_of(drawn)) == encode(batch_of(drawn))


def test_a_record_of_random_ids_is_within_eighty_bytes_a_heartbeat() -> None:
    assert len(encode(batch_of(random_beats(500)))) <= 80 * 500


def test_a_record_of_hexadecimal_ids_is_within_eighty_bytes_a_heartbeat() -> None:
    rng = random.Random(1)
    drawn = [
        Heartbeat(
            id=f"{rng.getrandbits(128):032x}",
            listener_id=f"{rng.getrandbits(128):032x}",
            track_id=f"track-{rng.randrange(20_000)}",
            play_id=f"{rng.getrandbits(64):016x}",
            kind=Kind.BEAT,
            at=NOW_MS + rng.randrange(60_000),
            position_ms=rng.randrange(300_000),
            device_id=f"phone-{rng.randrange(3)}",
            context=f"playlist:{rng.randrange(1_000)}",
        )
        for _ in range(500)
    ]

    assert len(encode(batch_of(drawn))) <= 80 * 500


@given(st.lists(heartbeats(), min_size=1, max_size=4), st.data())
def test_records_join_without_those_that_are_damaged(
    drawn: list[list[Heartbeat]], data: st.DataObject
) -> None:
    bad = data.draw(st.sets(st.integers(0, len(drawn) - 1)))
    short = PAYLOADS["packed"]
    records = [
        open_payload(
            with_frame(short, lambda frame: frame[:-1]) if at in bad else encode(batch_of(beats))
        )
        for at, beats in enumerate(drawn)
    ]

    columns, damaged = columns_of(records, range(len(drawn)))

    whole = [(at, one) for at, beats in enumerate(drawn) if at not in bad for one in beats]
    assert [at for at, _ in damaged] == sorted(bad)
    assert columns.positions.tolist() == [at for at, _ in whole]
    assert columns.at.tolist() == [one.at for _, one in whole]
    texts = columns.context_bytes.tobytes()
    bounds = columns.context_offsets.tolist()
    assert [texts[begin:end].decode() for begin, end in pairwise(bounds)] == [
        one.context for _, one in whole
    ]


@pytest.mark.parametrize("kind", PAYLOADS)
@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_payload_is_unreadable_or_read_within_bounds(kind: str, seed: int) -> None:
    rng = random.Random(seed)

    for _ in range(40):
        read_or_refuse(damaged(PAYLOADS[kind], rng))


@pytest.mark.parametrize("kind", PAYLOADS)
@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_frame_is_unreadable_or_read_within_bounds(kind: str, seed: int) -> None:
    rng = random.Random(seed)

    for _ in range(40):
        read_or_refuse(with_frame(PAYLOADS[kind], lambda frame: damaged(frame, rng)))


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


PACKED, COMPRESSED = PAYLOADS["packed"], PAYLOADS["compressed"]


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes([FORMAT]), id="a-format-and-nothing"),
        pytest.param(PACKED[: HEAD_LAYOUT.size - 1], id="half-a-head"),
        pytest.param(PACKED[: HEAD_LAYOUT.size], id="a-head-alone"),
        pytest.param(PACKED[:-1], id="a-byte-short"),
        pytest.param(PACKED + b"\0", id="a-byte-long"),
        pytest.param(COMPRESSED[:-1], id="a-byte-short-and-nothing-packed"),
        pytest.param(bytes([FORMAT + 1]) + PACKED[1:], id="another-format"),
        pytest.param(b'{"id": "h", "kind": "beat"}', id="json"),
        pytest.param(changed(PACKED, ROWS, "<I", 32), id="one-heartbeat-more"),
        pytest.param(changed(PACKED, ROWS, "<I", 0), id="no-heartbeats"),
        pytest.param(changed(PACKED, PLAIN, "<I", 1), id="claims-less"),
        pytest.param(changed(PACKED, WIDTHS, "B", 41), id="a-long-listener-id"),
        pytest.param(changed(PACKED, WIDTHS, "B", 0), id="not-packed"),
        pytest.param(changed(PACKED, WIDTHS + 6, "B", 9), id="nine-bytes-a-number"),
        pytest.param(changed(PACKED, BASES, "<q", -1), id="before-the-epoch"),
        pytest.param(changed(PACKED, BASES, "<q", MOST_AT), id="after-the-last-instant"),
        pytest.param(changed(PACKED, BASES + 16, "<q", -1), id="a-negative-stretch"),
        pytest.param(changed(PACKED, BASES + 24, "<q", -1), id="below-the-kinds"),
        pytest.param(changed(PACKED, BASES + 24, "<q", max(Kind) + 1), id="above-the-kinds"),
        pytest.param(with_frame(PACKED, lambda frame: frame[:-1]), id="a-short-frame"),
        pytest.param(with_frame(PACKED, lambda frame: frame + b"\0"), id="a-long-frame"),
        pytest.param(with_frame(PACKED, lambda _: b""), id="an-empty-frame"),
        pytest.param(with_frame(PACKED, lambda frame: frame[:-1] + b"\xff"), id="no-utf-8"),
    ],
)
def test_what_encode_did_not_write_is_unreadable(payload: bytes) -> None:
    with pytest.raises(UnreadableRecord):
        decode(payload)


@pytest.mark.parametrize(
    ("at", "claimed"),
    [
        (PLAIN, MOST_PLAIN_BYTES + 1),
        (PLAIN, (1 << 32) - 1),
        (PLAIN, 31 * MOST_ROW_BYTES + 1),
        (ROWS, MOST_ROWS + 1),
    ],
)
def test_a_claim_beyond_the_limit_is_refused_before_anything_is_allocated(
    at: int, claimed: int
) -> None:
    pool = pa.system_memory_pool()
    before = pool.bytes_allocated() + pa.total_allocated_bytes()

    with pytest.raises(UnreadableRecord, match=f"claims .*{claimed}"):
        decode(changed(PACKED, at, "<I", claimed))

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
        pytest.param("listener_id", BASE62[:41], id="a-long-listener-id-packed"),
        pytest.param("track_id", "t" * 129, id="a-long-track-id"),
        pytest.param("play_id", "\u00e9" * 65, id="a-long-play-id"),
        pytest.param("device_id", "d" * 129, id="a-long-device-id"),
        pytest.param("context", "c" * 257, id="a-long-context"),
        pytest.param("id", "h" * 129, id="a-long-id"),
    ],
)
def test_a_value_beyond_its_limit_makes_the_record_unreadable(field: str, bad: object) -> None:
    batch = batch_of([beat(NOW_MS), beat(NOW_MS + 30_000)])
    place = SCHEMA.get_field_index(field)
    values = pa.array([bad, bad], SCHEMA.field(place).type)
    columns = [values if at == place else column for at, column in enumerate(batch.columns)]

    with pytest.raises(UnreadableRecord):
        decode(encode(pa.RecordBatch.from_arrays(columns, SCHEMA.names)))


def test_the_record_of_an_erasure_names_its_listener() -> None:
    (erase,) = heartbeats_of(decode(encode_erase("ann")))

    assert (erase.listener_id, erase.kind) == ("ann", Kind.ERASE)
