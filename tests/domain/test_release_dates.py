from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.release_dates import Precision, is_release_date, precision


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("1977", True),
        ("1977-02", True),
        ("1977-02-04", True),
        ("2024-02-29", True),
        ("2023-02-29", False),
        ("1900-02-29", False),
        ("1977-13", False),
        ("1977-00", False),
        ("1977-04-31", False),
        ("1977-04-00", False),
        ("0000", False),
        ("", False),
        ("77", False),
        ("1977-2", False),
        ("1977-02-4", False),
        ("1977/02/04", False),
        ("1977-02-04T00:00", False),
        ("1977-02-04\n", False),
        ("١٩٧٧", False),
    ],
)
def test_a_release_date_is_in_the_calendar(text: str, *, holds: bool) -> None:
    assert is_release_date(text) is holds


@given(st.dates())
def test_every_day_and_its_month_and_its_year_are_release_dates(day: date) -> None:
    text = day.isoformat()

    assert [is_release_date(text[:end]) for end in (4, 7, 10)] == [True] * 3
    assert [precision(text[:end]) for end in (4, 7, 10)] == list(Precision)


def test_what_is_not_known_is_a_year() -> None:
    assert precision("") is Precision.YEAR
