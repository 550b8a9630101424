from itertools import chain

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.catalogue import Album, Artist, Change, EntityKind, Removed, Track
from domain.catalogue_records import (
    FORMAT,
    HEAD,
    MOST_BYTES,
    RECORD_CHANGES,
    decode,
    records_of,
)
from domain.errors import UnreadableRecord
from domain.ids import ID_BYTES
from tests.catalogues import changes

ARTIST, ALBUM, TRACK = Artist("a", "Nina"), Album("b", "Blues", ("a",)), Track("t", "Sinnerman")
LARGE = replace(ALBUM, genres=tuple(f"{number:0500}" for number in range(200)))


@given(st.lists(changes, max_size=20))
def test_changes_come_back_as_they_were(changed: list[Change]) -> None:
    assert list(chain.from_iterable(map(decode, records_of(changed)))) == changed


def test_many_changes_are_several_records_in_their_order() -> None:
    changed = [Track(f"t{number}", "x" * 900) for number in range(2_500)]

    payloads = list(records_of(changed))

    assert len(payloads) == 3
    assert [len(decode(payload)) for payload in payloads] == [RECORD_CHANGES, RECORD_CHANGES, 500]
    assert list(chain.from_iterable(map(decode, payloads))) == changed


def test_large_changes_are_more_records() -> None:
    changed = [replace(LARGE, id=f"{number}") for number in range(50)]

    payloads = list(records_of(changed))

    assert len(payloads) >= 50 * 200 * 500 // MOST_BYTES
    assert list(chain.from_iterable(map(decode, payloads))) == changed


@pytest.mark.parametrize(
    "change",
    [
        replace(ARTIST, id=""),
        replace(ARTIST, id="x" * (ID_BYTES + 1)),
        replace(ARTIST, name="\ud800"),
        replace(ARTIST, name="x" * MOST_BYTES),
        replace(ARTIST, popularity=-1),
        replace(ALBUM, artists=("",)),
        replace(ALBUM, popularity=1 << 31),
        replace(TRACK, artists=("a", "\n")),
        replace(TRACK, album="x" * (ID_BYTES + 1)),
        replace(TRACK, duration_ms=-1),
        replace(TRACK, disc_number=1 << 63),
        replace(TRACK, track_number=-1),
        Removed(EntityKind.TRACK, ""),
    ],
)
def test_what_cannot_be_held_is_not_written(change: Change) -> None:
    with pytest.raises(ValueError, match=r"catalogue cannot hold|surrogates not allowed"):
        list(records_of([ARTIST, change]))


@pytest.mark.parametrize("change", [replace(ARTIST, id=""), replace(TRACK, disc_number=1 << 63)])
def test_what_cannot_be_held_is_not_read(change: Change) -> None:
    plain = msgspec.msgpack.encode([change])
    payload = HEAD.pack(FORMAT, len(plain)) + pa.Codec("zstd").compress(plain, asbytes=True)

    with pytest.raises(UnreadableRecord, match="cannot hold"):
        decode(payload)


def test_a_record_that_claims_too_much_is_refused() -> None:
    (payload,) = records_of([ARTIST])

    with pytest.raises(UnreadableRecord, match="no record"):
        decode(payload[:1] + (MOST_BYTES + 1).to_bytes(4, "little") + payload[5:])
    with pytest.raises(UnreadableRecord, match="no record"):
        decode(b"\x02" + payload[1:])
