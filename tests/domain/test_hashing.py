from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.hashing import day_key, hash64, lane_key, mix64, partition_of, play_key

words = st.integers(0, (1 << 64) - 1)
names = st.text(max_size=20)


@pytest.mark.parametrize(
    ("word", "mixed"),
    [
        pytest.param(0, 0, id="zero"),
        pytest.param(1, 0xB456BCFC34C2CB2C, id="one"),
        pytest.param((1 << 64) - 1, 0x64B5720B4B825F21, id="all-bits"),
    ],
)
def test_the_mixer_is_murmur3s_finalizer(word: int, mixed: int) -> None:
    assert mix64(word) == mixed


@given(words, words)
def test_no_two_words_mix_to_the_same(one: int, other: int) -> None:
    assert (mix64(one) == mix64(other)) == (one == other)


@given(words, st.integers(0, 63))
def test_one_bit_changes_about_half_of_all(word: int, bit: int) -> None:
    assert 8 <= (mix64(word) ^ mix64(word ^ 1 << bit)).bit_count() <= 56


# What is stored depends on these: a change of any is a change of the format.
@pytest.mark.parametrize(
    ("data", "hashed"),
    [
        pytest.param(b"", 0x0000000000000000, id="empty"),
        pytest.param(b"a", 0xF05DA57D93A4CF13, id="a-byte"),
        pytest.param(b"12345678", 0xBC2E86043608D5D3, id="a-word"),
        pytest.param(b"123456789", 0xACA786F74164972C, id="a-word-and-a-byte"),
        pytest.param("t\u00e4\u2603\U0001f3b5".encode(), 0xCDA6B616231F6A4C, id="utf-8"),
    ],
)
def test_a_hash_never_changes(data: bytes, hashed: int) -> None:
    assert hash64(data) == hashed


@given(st.binary(max_size=40), st.integers(1, 8))
def test_zeros_at_the_end_are_told_apart(data: bytes, zeros: int) -> None:
    assert hash64(data) != hash64(data + bytes(zeros))


@given(st.binary(max_size=40), words)
def test_a_hash_is_a_word(data: bytes, seed: int) -> None:
    assert 0 <= hash64(data, seed) < 1 << 64


@given(st.text(st.characters(codec="ascii"), max_size=40), st.integers(1, 1024))
def test_a_listener_has_one_of_the_partitions(listener_id: str, partitions: int) -> None:
    assert 0 <= partition_of(listener_id, partitions) < partitions


def test_listeners_spread_over_the_partitions() -> None:
    held = Counter(partition_of(f"listener-{n}", 8) for n in range(8_000))

    assert set(held) == set(range(8))
    assert all(900 < listeners < 1_100 for listeners in held.values())


@given(names, names)
def test_a_lane_tells_whether_it_has_a_play_id(track_id: str, play_id: str) -> None:
    assert lane_key(track_id, play_id) % 2 == (play_id == "")


@given(names, names.filter(bool), st.integers(0, 200_000))
def test_a_play_with_a_play_id_is_the_same_on_every_day(track: str, play: str, day: int) -> None:
    assert play_key(lane_key(track, play), day) == lane_key(track, play)


@given(names, st.integers(0, 200_000), st.integers(0, 200_000))
def test_a_track_without_a_play_id_is_a_play_each_day(track: str, one: int, other: int) -> None:
    lane = lane_key(track, "")

    assert (play_key(lane, one) == play_key(lane, other)) == (one == other)
    assert play_key(lane, one) % 2 == 1
    assert play_key(lane, one) == day_key(lane, one)
