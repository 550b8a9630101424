import pytest

from domain.positions import position, records_between

FIRST, SECOND = position(0, 0), position(1, 0)


@pytest.mark.parametrize(
    ("place", "until", "records"),
    [
        (0, 0, 0),
        (0, FIRST, 1),
        (FIRST, FIRST + 4, 4),
        (FIRST + 4, FIRST, 0),
        (FIRST + 4, SECOND, 1),
        (FIRST + 4, SECOND + 2, 3),
        (SECOND, SECOND + 2, 2),
    ],
)
def test_records_are_counted_within_the_later_generation(
    place: int, until: int, records: int
) -> None:
    assert records_between(place, until) == records
