import pytest

from heartline.pace import Pace


def test_a_rate_is_taken_over_the_last_seconds() -> None:
    pace = Pace()

    assert pace.rates(0.0, {"in": 100}) == {"in": 0.0}
    assert pace.rates(10.0, {"in": 200}) == {"in": 10.0}
    assert pace.rates(40.0, {"in": 230}) == {"in": 1.0}


@pytest.mark.parametrize("counts", [{"in": 5}, {"in": 5, "new": 0}])
def test_what_begins_anew_has_no_negative_rate(counts: dict[str, int]) -> None:
    pace = Pace()
    pace.rates(0.0, {"in": 100})

    assert set(pace.rates(5.0, counts).values()) == {0.0}
