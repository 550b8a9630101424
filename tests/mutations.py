"""What a bad network, a bad disk and a bad mind make of bytes that were right."""

from collections.abc import Callable, Sequence

from hypothesis import strategies as st

LENGTHS = (1, 2, 4, 8, 64)
NUMBERS = (
    *(0, 1, 8, 16, 255, 65_535),
    *(2**31 - 1, 2**31, 2**32 - 1, 4 << 30, 2**62, 2**63 - 1, 2**63, 2**64 - 1),
)

Change = Callable[[bytes], bytes]


def mutated(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Draw one of *seeds* with up to eight changes: bits, bytes, numbers, cuts, copies, insertions."""
    changes = st.lists(_changes(), min_size=1, max_size=8)
    return st.builds(_apply, st.sampled_from(list(seeds)), changes)


def _apply(seed: bytes, changes: Sequence[Change]) -> bytes:
    for change in changes:
        seed = change(seed)
    return seed


def _changes() -> st.SearchStrategy[Change]:
    places, lengths = st.integers(0, 1 << 20), st.sampled_from(LENGTHS)
    overwritten = st.builds(_overwrite, places, st.binary(min_size=1, max_size=8))
    return st.one_of(
        st.builds(_flip, places, st.integers(0, 7)),
        overwritten,
        st.builds(_number, places, st.sampled_from(LENGTHS[:4]), st.sampled_from(NUMBERS)),
        st.builds(_insert, places, st.binary(min_size=1, max_size=8)),
        st.builds(_cut, places, lengths),
        st.builds(_copy, places, places, lengths),
        st.builds(_truncate, places),
    )


def _at(data: bytes, place: int) -> int:
    return place % (len(data) + 1)


def _flip(place: int, bit: int) -> Change:
    def change(data: bytes) -> bytes:
        at = _at(data, place)
        return data[:at] + bytes(byte ^ 1 << bit for byte in data[at : at + 1]) + data[at + 1 :]

    return change


def _overwrite(place: int, with_bytes: bytes) -> Change:
    def change(data: bytes) -> bytes:
        at = _at(data, place)
        return data[:at] + with_bytes + data[at + len(with_bytes) :]

    return change


def _number(place: int, width: int, number: int) -> Change:
    """Put a number where one may stand: aligned, little-endian."""

    def change(data: bytes) -> bytes:
        at = _at(data, place) // width * width
        written = (number & (1 << 8 * width) - 1).to_bytes(width, "little")
        return data[:at] + written + data[at + width :]

    return change


def _insert(place: int, more: bytes) -> Change:
    def change(data: bytes) -> bytes:
        at = _at(data, place)
        return data[:at] + more + data[at:]

    return change


def _cut(place: int, length: int) -> Change:
    def change(data: bytes) -> bytes:
        at = _at(data, place)
        return data[:at] + data[at + length :]

    return change


def _copy(source: int, place: int, length: int) -> Change:
    def change(data: bytes) -> bytes:
        start, at = _at(data, source), _at(data, place)
        return data[:at] + data[start : start + length] + data[at:]

    return change


def _truncate(place: int) -> Change:
    return lambda data: data[: _at(data, place)]
