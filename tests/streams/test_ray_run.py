import asyncio
from collections.abc import Awaitable, Callable

import pytest

from streams import ray_run
from streams.ray_run import ENDED, InsistentRun

Ended = list[int]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Ended:
    """The statuses that the process would have ended with."""
    statuses = Ended()
    monkeypatch.setattr(ray_run, "AGAIN_S", 0.0)
    monkeypatch.setattr("os._exit", statuses.append)
    return statuses


async def fails() -> None:
    raise RuntimeError("the disk is gone")


async def returns() -> None:
    pass


@pytest.mark.parametrize(
    ("run", "told"),
    [pytest.param(fails, "RuntimeError('the disk is gone')"), pytest.param(returns, "it ended")],
    ids=["an-error", "a-return"],
)
async def test_whatever_ends_a_run_is_told_and_ends_its_process(
    ended: Ended, run: Callable[[], Awaitable[None]], told: str
) -> None:
    running = InsistentRun(lambda: run)
    await running.follow()

    assert (await running.trouble(), ended) == (told, [ENDED])


async def test_a_run_that_is_stopped_ends_nothing(ended: Ended) -> None:
    begun = asyncio.Event()

    async def waits() -> None:
        begun.set()
        await asyncio.Event().wait()

    running = InsistentRun(lambda: waits)
    following = asyncio.ensure_future(running.follow())
    await begun.wait()
    await running.stop()
    await following

    assert (await running.trouble(), ended) == ("", [])
