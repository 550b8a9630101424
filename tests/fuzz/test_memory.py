"""What a body of bounded size may make of our memory, at its worst."""

import gzip
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import numpy as np
import pyarrow as pa
import pytest

from domain.catalogue import EntityKind
from domain.columns import decode
from serve.arrow_bodies import read_arrow
from serve.catalogue_columns import read_columns
from serve.catalogue_items import MOST_ITEMS
from serve.catalogue_lines import read_lines
from serve.ingest import MOST_JSON_BYTES
from serve.labels import MOST_BODY_BYTES
from serve.receipts import BadBody
from tests.domain.catalogue import TRACK
from tests.fuzz.decoders import ANYBODYS, DECODERS
from tests.serve.bodies import batch_of, beat, json_of, stream_of

MIB = 1 << 20
POOLS: list[pa.MemoryPool] = []
ROWS = 100_000


class Peak:
    """The most that was allocated at once, in Python and in Arrow, in MiB."""

    mib = 0.0


@contextmanager
def measured() -> Iterator[Peak]:
    peak, usual = Peak(), pa.default_memory_pool()
    pool = pa.proxy_memory_pool(usual)
    POOLS.append(pool)  # a pool must outlive what was allocated from it
    pa.set_memory_pool(pool)
    tracemalloc.start()
    try:
        yield peak
        peak.mib = (tracemalloc.get_traced_memory()[1] + pool.max_memory()) / MIB
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(usual)


def filled(pattern: bytes, prefix: bytes = b'{"heartbeats":[', suffix: bytes = b"]}") -> bytes:
    """Repeat *pattern* until the body is as long as one may be."""
    times = (MOST_JSON_BYTES - len(prefix) - len(suffix)) // len(pattern)
    return prefix + (pattern * times).removesuffix(b",") + suffix


IN_ID = b'{"heartbeats":[{"id":', b"}]}"
JSON_BOMBS = {
    "numbers": filled(b"1,"),
    "empty lists": filled(b"[],"),
    "empty objects": filled(b"{},"),
    "nested lists": filled(b"["),
    "nested objects": filled(b'{"a":', IN_ID[0]),
    "a long integer": filled(b"9", b'{"heartbeats":[{"at":', b"}]}"),
    "a long fraction": filled(b"9", b'{"heartbeats":[{"at":1.', b"}]}"),
    "a long exponent": filled(b"9", b'{"heartbeats":[{"at":1e', b"}]}"),
    "lone surrogates": filled(b"\\ud800", IN_ID[0] + b'"', b'"}]}'),
    "escapes": filled(b"\\u2603", IN_ID[0] + b'"', b'"}]}'),
    "many names": filled(b'"a":1,', b'{"heartbeats":[{', b"}]}"),
    "different names": b'{"heartbeats":[{%s}]}'
    % b",".join(b'"%x":1' % number for number in range(MOST_JSON_BYTES // 10)),
    "wrong items": json_of([beat(id="x" * 2_000, at="never")] * 1_000),
}


@pytest.mark.parametrize("bomb", JSON_BOMBS)
def test_json_grows_twenty_times_at_most(bomb: str) -> None:
    decoder = DECODERS["heartbeats in JSON"]

    with measured() as peak, suppress(*decoder.declared):
        decoder.read(JSON_BOMBS[bomb])

    assert len(JSON_BOMBS[bomb]) <= MOST_JSON_BYTES
    assert peak.mib < 20 * MOST_JSON_BYTES / MIB


def lying(claim: int) -> list[bytes]:
    """A small compressed stream, each time with another buffer's size overstated."""
    beats = batch_of([beat(listener_id="ann", id="x" * 100)] * 8)
    return lying_of(stream_of(beats, compression="zstd"), claim)


def lying_of(body: bytes, claim: int) -> list[bytes]:
    marks = [
        at for at in range(0, len(body) - 12, 8) if body[at + 8 : at + 12] == b"\x28\xb5\x2f\xfd"
    ]
    return [body[:at] + claim.to_bytes(8, "little") + body[at + 8 :] for at in marks]


@pytest.mark.parametrize("claim", [1 << 26, 4 << 30, 1 << 40, (1 << 63) - 1])
def test_arrow_that_claims_what_it_is_not_costs_nothing(claim: int) -> None:
    bodies = lying(claim)
    assert len(bodies) >= 5

    for body in bodies:
        assert len(body) < 4_096
        with measured() as peak, pytest.raises(BadBody):
            read_arrow(body, ANYBODYS)
        assert peak.mib < 80


@pytest.mark.parametrize("claim", [1 << 26, 4 << 30, 1 << 40, (1 << 63) - 1])
def test_columns_that_claim_what_they_are_not_cost_nothing(claim: int) -> None:
    rows = pa.RecordBatch.from_pylist([TRACK | {"name": "x" * 200}] * 8)
    bodies = lying_of(stream_of(rows, compression="zstd"), claim)
    assert len(bodies) >= 5

    for body in bodies:
        with measured() as peak, pytest.raises(BadBody):
            read_columns(body, EntityKind.TRACK)
        assert peak.mib < 80


def test_columns_that_say_much_again_and_again_are_refused() -> None:
    long = pa.array(["x" * 100_000])
    same = pa.DictionaryArray.from_arrays(pa.array(np.zeros(MOST_ITEMS, np.int32)), long)
    rows = pa.record_batch({"id": same, "name": same})

    with measured() as peak, pytest.raises(BadBody, match="texts"):
        read_columns(stream_of(rows), EntityKind.ARTIST)

    assert peak.mib < 80


FIELDS = b'{"id":"a","name":"a","genres":[%s]}\n'
LINES = {
    "right ones": FIELDS % b'"ab","cd"',
    "long lists": FIELDS % (b'"ab",' * 12_000 + b'"ab"'),
    "nested lists": FIELDS % (b"[" * 60_000),
    "empty objects": FIELDS % (b"{}," * 20_000 + b"{}"),
}


@pytest.mark.parametrize("line", LINES)
def test_lines_grow_ten_times_at_most(line: str) -> None:
    times = min(MOST_ITEMS, MOST_BODY_BYTES // len(LINES[line]))
    body = LINES[line] * times

    with measured() as peak, suppress(BadBody):
        read_lines(body, EntityKind.ARTIST)

    assert peak.mib < 10 * MOST_BODY_BYTES / MIB


def swollen(text_bytes: int) -> bytes:
    """As many rows as are taken, each with long texts that are all the same, packed."""
    usual = batch_of([beat(listener_id="ann", id="x" * text_bytes, track_id="y" * text_bytes)])
    rows = usual.take(pa.array(np.zeros(ROWS, np.int64)))
    return stream_of(rows, compression="zstd")


def test_arrow_that_does_grow_is_taken_within_bounds() -> None:
    body = swollen(128)
    with measured() as peak:
        taken = read_arrow(body, ANYBODYS)

    assert taken.accepted == ROWS
    assert len(body) < 2 * MIB
    assert peak.mib < 200


def test_arrow_that_grows_too_much_is_refused_unread() -> None:
    body = swollen(1_000)

    with measured() as peak, pytest.raises(BadBody, match="decompressed"):
        read_arrow(body, ANYBODYS)

    assert peak.mib < 1


@pytest.mark.parametrize("claim", [(1 << 16) + 1, (1 << 26) + 1, (1 << 32) - 1])
@pytest.mark.parametrize("at", [12, 16])  # heartbeats, and bytes of the frame
def test_a_record_that_claims_too_much_costs_nothing(at: int, claim: int) -> None:
    decoder = DECODERS["records of the log"]
    record = decoder.right[0]

    with measured() as peak, pytest.raises(decoder.declared):
        decode(record[:at] + claim.to_bytes(4, "little") + record[at + 4 :])

    assert peak.mib < 1


def packed(pattern: bytes, times: int) -> bytes:
    return gzip.compress(pattern * times, compresslevel=9, mtime=0)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: packed(b" ", 64 << 20), id="space"),
        pytest.param(lambda: packed(b"x", 64 << 20), id="a-long-line"),
        pytest.param(lambda: packed(b"[", 32 << 20), id="nested"),
    ],
)
def test_a_packed_history_is_not_unpacked_whole(make: Callable[[], bytes]) -> None:
    decoder, body = DECODERS["packed histories"], make()

    with measured() as peak, suppress(*decoder.declared):
        decoder.read(body)

    assert peak.mib < 48
