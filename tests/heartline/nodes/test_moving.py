"""Partitions move one after the other, and each move is seen done before the next begins."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from actors.assignment import Assignment
from actors.shard_handles import RayShard
from domain.errors import Unavailable
from heartline.nodes import moving
from heartline.nodes.moving import Moved, Mover


class Shards:
    """Shards that hold what a consumer hands them: at once, late, or never."""

    def __init__(self, assignment: Assignment, *, told: bool = True) -> None:
        self.assignment, self.held = assignment, dict(enumerate(assignment.owners))
        self.left_behind: dict[int, int] = {}
        self.released: list[tuple[int, int]] = []
        self._told = told

    def put(self, assignment: Assignment) -> None:
        """Follow the assignment, as consumers do; those that are not *told* forget the shard before."""
        for partition, (before, after) in enumerate(
            zip(self.assignment.owners, assignment.owners, strict=True)
        ):
            if before != after:
                self.held[partition] = after
                if not self._told:
                    self.left_behind[partition] = before
        self.assignment = assignment

    def __call__(self, number: int) -> RayShard:
        return cast(RayShard, Held(self, number))


class Held:
    """One of the shards."""

    def __init__(self, shards: Shards, number: int) -> None:
        self._shards, self._number = shards, number

    async def status(self) -> list[dict[str, Any]]:
        """Tell what it holds."""
        holders = [*self._shards.held.items(), *self._shards.left_behind.items()]
        mine = [partition for partition, number in holders if number == self._number]
        return [{"partition": partition, "next": 5, "durable": 5} for partition in mine]

    async def release(self, partition: int) -> None:
        """Let go."""
        self._shards.left_behind.pop(partition, None)
        self._shards.released.append((self._number, partition))


async def moved(shards: Shards, *numbers: int) -> list[Moved]:
    told: list[Moved] = []
    made = await Mover(shards.assignment, shards, shards.put).settle_on(numbers, told.append)
    assert told == made
    return made


async def test_a_new_shard_gets_its_share() -> None:
    shards = Shards(Assignment.dealt(8, [0, 1]))

    made = await moved(shards, 0, 1, 2)

    assert len(made) == 2
    assert [each.taken for each in made] == [True, True]
    assert sorted(shards.held.values()).count(2) == 2
    assert shards.assignment.version == 3
    assert shards.released == []


async def test_a_shard_that_was_not_told_to_let_go_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "LINGER_S", 0.0)
    shards = Shards(Assignment.dealt(4, [0, 1]), told=False)

    await moved(shards, 1)

    assert shards.left_behind == {}
    assert set(shards.released) == {(0, 0), (0, 2)}


async def test_a_shard_that_does_not_answer_holds_nothing_up() -> None:
    shards = Shards(Assignment.dealt(2, [0, 1]))
    away = Away(shards, 0)

    made = await Mover(shards.assignment, away, shards.put).settle_on([1], lambda _: None)

    assert [each.taken for each in made] == [True]


async def test_what_nobody_takes_on_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "LIMIT_S", 0.0)
    shards = Shards(Assignment.dealt(2, [0, 1]))
    nobody: Callable[[Assignment], None] = lambda _: None  # noqa: E731

    made = await Mover(shards.assignment, shards, nobody).settle_on([1], lambda _: None)

    assert [each.taken for each in made] == [False]


class Away:
    """The shards, one of which does not answer."""

    def __init__(self, shards: Shards, number: int) -> None:
        self._shards, self._number = shards, number

    def __call__(self, number: int) -> RayShard:
        return cast(RayShard, self) if number == self._number else self._shards(number)

    async def status(self) -> list[dict[str, Any]]:
        """Do not answer."""
        raise Unavailable("a listener shard is restarting")
