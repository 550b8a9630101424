import asyncio
from collections.abc import Awaitable, Callable

import pytest

from domain.errors import Unavailable
from serve import health
from serve.health import fresh
from stores.accounts import Scope
from tests.serve.world import World

LIMIT_MS = 300_000


async def fine() -> str | None:
    return None


async def test_a_living_process_says_so(world: World) -> None:
    async with world.client() as client:
        answer = await client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_ready_is_when_every_check_is_fine(world: World) -> None:
    world.checks.update(store=fine, log=fine)

    async with world.client() as client:
        answer = await client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": {"store": "ok", "log": "ok"}}


async def test_what_may_be_away_is_told_and_keeps_nothing_from_being_ready(world: World) -> None:
    world.checks.update(store=fine)
    world.asides.update(search=away)

    async with world.client() as client:
        answer = await client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["checks"] == {"search": "unavailable", "store": "ok"}


async def away() -> str | None:
    raise Unavailable("/secret/path is gone")


async def broken() -> str | None:
    raise ZeroDivisionError


async def slow() -> str | None:
    await asyncio.Event().wait()
    return None


async def behind() -> int:
    return 300_001


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        pytest.param(away, "unavailable", id="away"),
        pytest.param(broken, "unavailable", id="broken"),
        pytest.param(slow, "no answer", id="slow"),
        pytest.param(fresh(behind, limit_ms=LIMIT_MS), "300 s behind", id="stale"),
    ],
)
async def test_not_ready_says_what_is_wrong_and_no_more(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    check: Callable[[], Awaitable[str | None]],
    reason: str,
) -> None:
    monkeypatch.setattr(health, "CHECK_TIMEOUT_S", 0.01)
    world.checks.update(store=fine, shards=check)

    async with world.client() as client:
        answer = await client.get("/readyz")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert answer.json()["checks"] == {"store": "ok", "shards": reason}
    assert answer.json()["error"] == {
        "status": 503,
        "message": f"not ready: shards: {reason}",
        "reason": "not_ready",
    }


async def test_five_minutes_behind_is_fresh_still() -> None:
    async def just() -> int:
        return 300_000

    assert await fresh(just, limit_ms=LIMIT_MS)() is None


async def test_an_operator_sees_the_state_of_the_system(world: World) -> None:
    operator = await world.account("root", Scope.OPERATOR)

    async with world.client(operator) as client:
        answer = await client.get("/v1/status")

    assert answer.json() == {"shards": [{"name": "shard-0", "lag": 0}]}
