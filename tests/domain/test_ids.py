import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import (
    BASE62,
    BASE62_LENGTH,
    CONTEXT_BYTES,
    ID_BYTES,
    LISTENER_ID_BYTES,
    base62,
    is_id,
    is_listener_id,
    is_text,
)

sixteen_bytes = st.binary(min_size=16, max_size=16)


@given(sixteen_bytes)
def test_base62_gives_its_bytes_back(entropy: bytes) -> None:
    number = 0
    for digit in base62(entropy):
        number = number * 62 + BASE62.index(digit)

    assert number.to_bytes(16, "big") == entropy


@given(sixteen_bytes, sixteen_bytes)
def test_base62_keeps_the_order_of_its_bytes(one: bytes, other: bytes) -> None:
    assert (one < other) == (base62(one) < base62(other))


@given(sixteen_bytes)
def test_base62_is_an_id_of_letters_and_digits(entropy: bytes) -> None:
    text = base62(entropy)

    assert len(text) == BASE62_LENGTH
    assert text.isascii()
    assert text.isalnum()
    assert is_listener_id(text)
    assert is_id(text)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        pytest.param("", False, id="empty"),
        pytest.param("a", True, id="one"),
        pytest.param("a" * LISTENER_ID_BYTES, True, id="at-the-most"),
        pytest.param("a" * (LISTENER_ID_BYTES + 1), False, id="above-the-most"),
        pytest.param("a" * 10_000, False, id="huge"),
        pytest.param("01890a5d-ac96-774b-bcce-b302099a8057", True, id="a-uuid"),
        pytest.param("!~", True, id="first-and-last-printable"),
        pytest.param("a b", False, id="a-space"),
        pytest.param("a\n", False, id="a-line-feed-at-the-end"),
        pytest.param("a\0", False, id="nul"),
        pytest.param("a\x7f", False, id="delete"),
        pytest.param("\u00e9", False, id="not-ascii"),
        pytest.param("\u0661", False, id="a-digit-of-another-script"),
        pytest.param("\ud800", False, id="a-lone-surrogate"),
    ],
)
def test_a_listener_id_is_printable_ascii_without_spaces(text: str, holds: bool) -> None:
    assert is_listener_id(text) == holds


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        pytest.param("", False, id="empty"),
        pytest.param("a" * ID_BYTES, True, id="at-the-most"),
        pytest.param("a" * (ID_BYTES + 1), False, id="above-the-most"),
        pytest.param("\u00e9" * (ID_BYTES // 2), True, id="two-bytes-each-at-the-most"),
        pytest.param("\u00e9" * (ID_BYTES // 2) + "a", False, id="two-bytes-each-above"),
        pytest.param("\U0001f3b5" * (ID_BYTES // 4), True, id="four-bytes-each-at-the-most"),
        pytest.param("\U0001f3b5" * (ID_BYTES // 4 + 1), False, id="four-bytes-each-above"),
        pytest.param("two words", True, id="a-space"),
        pytest.param("spotify:track:4uLU6hMCjMI75M1A2tKUQC", True, id="a-uri"),
        pytest.param("a\0b", False, id="nul"),
        pytest.param("a\n", False, id="a-line-feed-at-the-end"),
        pytest.param("a\x1f", False, id="the-last-c0-control"),
        pytest.param("a\x7f", False, id="delete"),
        pytest.param("a\x80", False, id="the-first-c1-control"),
        pytest.param("a\x9f", False, id="the-last-c1-control"),
        pytest.param("a\xa0", True, id="after-the-controls"),
        pytest.param("\ud800", False, id="a-high-surrogate"),
        pytest.param("\udfff", False, id="a-low-surrogate"),
        pytest.param("\ue000", True, id="after-the-surrogates"),
    ],
)
def test_an_id_is_text_of_bounded_bytes_without_controls(text: str, holds: bool) -> None:
    assert is_id(text) == holds


def test_a_text_may_be_empty_where_an_id_may_not() -> None:
    assert is_text("", 0)
    assert not is_id("")


@given(st.text(max_size=CONTEXT_BYTES + 9) | st.text(st.characters(), max_size=9))
def test_a_text_that_is_taken_can_be_written_in_its_bytes(text: str) -> None:
    assert not is_text(text, CONTEXT_BYTES) or len(text.encode("utf-8")) <= CONTEXT_BYTES
