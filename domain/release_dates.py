"""When something was released, as precisely as it is known: a year, a month or a day."""

import re
from datetime import date
from enum import StrEnum

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


class Precision(StrEnum):
    """How precisely a release date is known."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"


def is_release_date(text: str) -> bool:
    """Whether *text* is YYYY, YYYY-MM or YYYY-MM-DD, and in the calendar."""
    match = _DATE.fullmatch(text)
    if match is None:
        return False
    year, month, day = match.groups(default="1")
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def precision(released: str) -> Precision:
    """How precisely a release date is known; nothing known ("") counts as a year."""
    return (Precision.YEAR, Precision.MONTH, Precision.DAY)[released.count("-")]
