import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.recording_codes import BARCODE_DIGITS, check_digit, is_barcode, isrc_of

digits = st.text("0123456789", min_size=1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("USRC17607839", "USRC17607839"),
        ("US-RC1-76-07839", "USRC17607839"),
        ("usrc17607839", "USRC17607839"),
        ("GBAYE0601498", "GBAYE0601498"),
        ("QZ9QQ2100001", "QZ9QQ2100001"),
        ("", None),
        ("USRC1760783", None),
        ("USRC176078390", None),
        ("U1RC17607839", None),
        ("USRC1760783X", None),
        ("USRC1760783٣", None),
        ("USRC17607839\n", None),
        ("ßSRC17607839", None),
    ],
)
def test_an_isrc_is_written_in_twelve_characters(text: str, code: str | None) -> None:
    assert isrc_of(text) == code


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("602547924032", True),  # a UPC
        ("0602547924032", True),  # the same as an EAN
        ("4006381333931", True),
        ("96385074", True),
        ("10614141000415", True),
        ("602547924033", False),
        ("60254792403", False),
        ("", False),
        ("60254792403X", False),
        ("60254792403٢", False),
        ("602547924032\n", False),
    ],
)
def test_a_barcode_ends_in_its_check_digit(text: str, *, holds: bool) -> None:
    assert is_barcode(text) is holds


codes = st.sampled_from(BARCODE_DIGITS).flatmap(
    lambda length: st.text("0123456789", min_size=length - 1, max_size=length - 1)
)


@given(codes)
def test_the_check_digit_makes_a_barcode_and_no_other_does(number: str) -> None:
    right = [digit for digit in "0123456789" if is_barcode(number + digit)]

    assert right == [check_digit(number)]


@given(codes, st.integers(0), st.integers(1, 9))
def test_one_wrong_digit_is_seen(number: str, place: int, more: int) -> None:
    code = number + check_digit(number)
    place %= len(code)
    digit = str((int(code[place]) + more) % 10)

    assert not is_barcode(code[:place] + digit + code[place + 1 :])


@given(st.text())
def test_any_text_is_a_code_or_not(text: str) -> None:
    code = isrc_of(text)

    assert code is None or isrc_of(code) == code
    assert is_barcode(text) in {True, False}
