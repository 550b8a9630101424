import asyncio

import pytest

from serve import stale_claims
from serve.stale_claims import SEEN_S, StaleClaims
from stores.catalogue import Catalogue
from tests.clock import Clock
from tests.memory_tables import MemoryTables

ONE, TWO, THREE = {"USRC17607839": "a"}, {"GBAYE0601498": "b"}, {"DEA370500012": "c"}


class Time:
    """The time of the running loop, which stands until it is set."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
async def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    standing = Time()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", standing)
    return standing


@pytest.fixture
def claims(monkeypatch: pytest.MonkeyPatch) -> StaleClaims:
    monkeypatch.setattr(stale_claims, "MOST_SEEN", 2)
    return StaleClaims(Catalogue(MemoryTables(Clock())))


async def test_what_is_known_pushes_nothing_out(claims: StaleClaims, time: Time) -> None:
    assert await claims.among(ONE | TWO) == {}
    assert await claims.among(TWO) == {}
    time.now_s += SEEN_S

    assert await claims.among(ONE) == ONE


async def test_what_is_new_pushes_the_oldest_out(claims: StaleClaims, time: Time) -> None:
    assert await claims.among(ONE | TWO | THREE) == {}
    time.now_s += SEEN_S

    assert await claims.among(TWO | THREE) == TWO | THREE
    assert await claims.among(ONE) == {}
