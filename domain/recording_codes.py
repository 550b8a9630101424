"""The codes that recordings and releases are traded under."""

import re

BARCODE_DIGITS = (8, 12, 13, 14)  # EAN-8, UPC-A, EAN-13, GTIN-14

# ISO 3901:2019, section 4: country or agency, registrant, year, designation
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_DIGITS = re.compile(r"[0-9]+")


def isrc_of(text: str) -> str | None:
    """Write an International Standard Recording Code in its 12 characters; None if it is none.

    Hyphens, with which it is printed, and small letters are forgiven.
    """
    code = text.replace("-", "").upper()
    return code if _ISRC.fullmatch(code) else None


def is_barcode(text: str) -> bool:
    """Whether *text* is a UPC or an EAN whose last digit is the check digit of the others."""
    return (
        len(text) in BARCODE_DIGITS
        and _DIGITS.fullmatch(text) is not None
        and check_digit(text[:-1]) == text[-1]
    )


def check_digit(digits: str) -> str:
    """The digit behind *digits*: GS1 General Specifications, section 7.9.1."""
    weighted = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(digits)))
    return str(-weighted % 10)
