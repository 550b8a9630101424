import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from domain.errors import Unavailable
from streams import gather
from streams.gather import Gatherer, Tally, keep_gathering
from tests.serve.bodies import LATE_LIMIT_DAYS, NOW_MS
from tests.serve.recording_log import RecordingLog
from tests.streams.single import Box, Record, Topic, written

MANY = 10


class World:
    """A gatherer, and what it gathers from and into."""

    def __init__(self, *values: bytes | None) -> None:
        self.topic = Topic([Record(value, offset) for offset, value in enumerate(values)])
        self.log, self.box, self.tally = RecordingLog(), Box(), Tally()

    @asynccontextmanager
    async def join(self) -> AsyncIterator[Gatherer]:
        self.topic.join()
        yield Gatherer(
            self.topic, self.log, self.box, late_limit_days=LATE_LIMIT_DAYS, tally=self.tally
        )

    async def run_until_committed(self) -> None:
        """Gather until everything is committed."""
        async with asyncio.timeout(10):
            task = asyncio.create_task(keep_gathering(self.join, self.tally))
            await self.topic.all_committed.wait()
            task.cancel()
            await asyncio.wait([task])

    @property
    def ids(self) -> list[str]:
        return [beat.id for beat in self.log.heartbeats()]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "RETRY_S", 0)


def numbered(count: int = MANY) -> list[bytes]:
    return [written(id=str(n), listener_id=f"l{n}") for n in range(count)]


async def test_single_records_become_batches_of_their_partitions() -> None:
    world = World(*numbered())

    await world.run_until_committed()

    assert sorted(world.ids) == sorted(str(n) for n in range(MANY))
    assert [len(records) for records in world.log.appends] == [4]
    assert (world.tally.gathered, world.tally.trouble) == (MANY, 0)


async def test_what_is_refused_is_kept_aside_with_the_reason() -> None:
    world = World(written(), b"?", written(at=0))

    await world.run_until_committed()

    assert [letter.value for letter in world.box.letters] == [b"?", written(at=0)]
    assert world.box.letters[1].key == b"ann"
    assert world.box.letters[1].headers == {
        "reason": "too_old",
        "field": "at",
        "message": "at is more than 30 days ago",
        "partition": "0",
        "offset": "2",
        "appended_ms": str(NOW_MS),
    }
    assert world.tally.refused == {"invalid": 1, "too_old": 1}


async def test_nothing_but_refused_records_is_committed_too() -> None:
    world = World(b"?", None)

    await world.run_until_committed()

    assert world.ids == []
    assert len(world.box.letters) == 2


@pytest.mark.parametrize(
    "error", [Unavailable("away"), TimeoutError(), ValueError("no such partition"), OSError("gone")]
)
async def test_what_the_log_did_not_take_is_not_committed_and_taken_again(
    error: Exception,
) -> None:
    world = World(*numbered())
    world.log.failures = [error, error]

    await world.run_until_committed()

    assert sorted(world.ids) == sorted(str(n) for n in range(MANY))
    assert world.tally.trouble == 2


async def test_records_wait_for_their_dead_letters() -> None:
    world = World(written(id="good"), b"?")
    world.box.failures = [Unavailable("away")]

    await world.run_until_committed()

    assert world.ids == ["good", "good"]
    assert [letter.value for letter in world.box.letters] == [b"?"]


async def test_what_was_appended_and_not_committed_is_appended_again() -> None:
    world = World(*numbered())
    world.topic.failures = [Unavailable("away")]

    await world.run_until_committed()

    assert sorted(world.ids) == sorted([str(n) for n in range(MANY)] * 2)


async def test_a_log_that_hangs_is_given_up_and_nothing_is_committed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gather, "APPEND_S", 0.01)
    world = World(*numbered())
    world.log.open.clear()

    task = asyncio.create_task(keep_gathering(world.join, world.tally))
    async with asyncio.timeout(10):
        await world.topic.joined_again.wait()
    assert world.topic.committed == 0
    world.log.open.set()
    task.cancel()
    await asyncio.wait([task])
