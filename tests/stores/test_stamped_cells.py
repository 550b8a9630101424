import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.stamped_cells import NEVER_MS, expiry_ms, opened, sealed


@given(st.binary(), st.one_of(st.just(NEVER_MS), st.integers(0, NEVER_MS)))
def test_a_cell_gives_back_what_was_put_in(state: bytes, expires_ms: int) -> None:
    assert opened(sealed(state, expires_ms)) == (state, expires_ms)


@pytest.mark.parametrize(("ttl_s", "expires_ms"), [(None, NEVER_MS), (0, 7), (60, 60_007)])
def test_a_time_to_live_runs_from_now(ttl_s: int | None, expires_ms: int) -> None:
    assert expiry_ms(7, ttl_s) == expires_ms
