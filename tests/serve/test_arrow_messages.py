import struct
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from serve import arrow_messages
from serve.arrow_messages import Excessive, check_messages
from tests.serve.bodies import batch_of, beat, stream_of

PLAIN = batch_of([beat(id=f"h{n}" * 20) for n in range(100)])


def check(body: bytes) -> None:
    check_messages(pa.py_buffer(body))


@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
def test_an_honest_stream_passes(compression: str | None) -> None:
    check(stream_of(PLAIN, PLAIN, compression=compression))


def claiming(body: bytes, size: int, *, real: int) -> bytes:
    """Say *size* in front of the compressed buffer that holds *real* bytes."""
    place = body.rindex(struct.pack("<q", real))
    return body[:place] + struct.pack("<q", size) + body[place + 8 :]


@pytest.mark.parametrize("size", [1 << 32, (1 << 63) - 1, (64 << 20) + 1])
def test_a_buffer_that_claims_gigabytes_is_refused_before_they_are_allocated(size: int) -> None:
    batch = pa.record_batch({"at": pa.array(np.zeros(4_000, np.int64))})
    body = claiming(stream_of(batch, compression="zstd"), size, real=32_000)
    before = pa.total_allocated_bytes()
    tracemalloc.start()

    with pytest.raises(Excessive, match="when decompressed"):
        check(body)

    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert pa.total_allocated_bytes() == before


def test_a_dictionary_that_claims_gigabytes_is_refused() -> None:
    texts = pa.array([f"{number:050}" for number in range(50)]).dictionary_encode()
    body = stream_of(pa.record_batch({"id": texts}), compression="zstd")

    check(body)
    with pytest.raises(Excessive, match="when decompressed"):
        check(claiming(body, 1 << 32, real=2_500))


def test_claims_of_all_messages_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = pa.record_batch({"at": pa.array(np.zeros(1_000, np.int64))})
    monkeypatch.setattr(arrow_messages, "MOST_PLAIN_BYTES", 20_000)

    check(stream_of(batch, batch, compression="zstd"))
    with pytest.raises(Excessive):
        check(stream_of(batch, batch, batch, compression="zstd"))


def test_messages_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_messages, "MOST_MESSAGES", 3)

    check(stream_of(PLAIN, PLAIN))  # with the schema
    with pytest.raises(Excessive, match="3 messages"):
        check(stream_of(PLAIN, PLAIN, PLAIN))


def test_dictionaries_do_not_grow() -> None:
    batches = [
        pa.record_batch({"id": pa.DictionaryArray.from_arrays([0], pa.array(texts))})
        for texts in (["a"], ["a", "b"])
    ]

    check(stream_of(*batches))
    with pytest.raises(Excessive, match="delta"):
        check(stream_of(*batches, emit_dictionary_deltas=True))


def test_a_body_that_claims_to_be_longer_than_it_is_is_refused() -> None:
    body = stream_of(PLAIN)
    schema_ends = 8 + struct.unpack_from("<i", body, 4)[0]
    long = body[: schema_ends + 4] + struct.pack("<i", (1 << 31) - 8) + body[schema_ends + 8 :]

    with pytest.raises((ValueError, OSError)):
        check(long)


def test_an_old_stream_passes_unless_it_could_be_compressed() -> None:
    check(stream_of(PLAIN, metadata_version=pa.ipc.MetadataVersion.V4))
