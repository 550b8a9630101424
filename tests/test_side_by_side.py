from collections.abc import Sequence

import pytest

from tests.side_by_side import first_bad


@pytest.mark.parametrize(
    ("statuses", "told"), [((0, 0, 0), 0), ((0, 1, 2), 1), ((0, -9, 0), -9), ((3, 0, 0), 3)]
)
def test_all_are_well_only_if_each_is(statuses: Sequence[int], told: int) -> None:
    assert first_bad(statuses) == told
