"""Calls follow a partition from shard to shard, and nothing that was applied is lost on the way."""

from collections.abc import Sequence

from actors.assignment import Assignment, Move
from actors.routed_shards import RoutedShards
from domain.errors import Unavailable
from domain.ports import Record


class Noting:
    """A shard that notes what is asked of it."""

    def __init__(self, *, away: bool = False) -> None:
        self.asked: list[str] = []
        self._away = away

    async def open(self, partition: int) -> int:
        return self._note(f"open {partition}")

    async def apply(self, partition: int, offset: int, records: Sequence[Record]) -> int:
        return self._note(f"apply {partition} {offset}") + offset + len(records)

    async def caught_up(self, partition: int, offset: int, at_ms: int) -> int:
        return self._note(f"caught up {partition}") + offset

    async def release(self, partition: int) -> None:
        self._note(f"release {partition}")

    def _note(self, what: str) -> int:
        self.asked.append(what)
        if self._away:
            raise Unavailable("a listener shard is restarting")
        return 0


class Cluster:
    """Two shards, and who owns what."""

    def __init__(self, *, first_away: bool = False) -> None:
        self.shards = [Noting(away=first_away), Noting()]
        self.assignment = Assignment.dealt(2, [0])
        self.routed = RoutedShards(self.current, self.shards.__getitem__)

    async def current(self) -> Assignment:
        return self.assignment

    def move(self, partition: int, before: int, after: int) -> None:
        self.assignment = self.assignment.after(Move(partition, before, after))


async def test_a_call_goes_to_the_owner() -> None:
    cluster = Cluster()
    cluster.move(1, 0, 1)

    await cluster.routed.open(0)
    await cluster.routed.open(1)
    assert await cluster.routed.apply(1, 7, []) == 7

    assert cluster.shards[0].asked == ["open 0"]
    assert cluster.shards[1].asked == ["open 1", "apply 1 7"]


async def test_the_shard_before_lets_go_once_before_the_shard_after_begins() -> None:
    cluster = Cluster()
    await cluster.routed.open(0)
    cluster.move(0, 0, 1)

    await cluster.routed.caught_up(0, 3, at_ms=0)
    await cluster.routed.apply(0, 3, [])

    assert cluster.shards[0].asked == ["open 0", "release 0"]
    assert cluster.shards[1].asked == ["caught up 0", "apply 0 3"]


async def test_a_shard_that_does_not_answer_is_left_behind() -> None:
    cluster = Cluster()
    cluster.move(0, 0, 1)
    await cluster.routed.open(0)
    cluster.shards[1]._away = True
    cluster.move(0, 1, 0)

    assert await cluster.routed.apply(0, 5, []) == 5

    assert cluster.shards[1].asked[-1] == "release 0"
    assert cluster.shards[0].asked == ["apply 0 5"]
