"""What a process knows of the assignment: the newest it saw, whatever Ray says now."""

import pytest
from ray.exceptions import RayError

from actors.assignment import Assignment, Move
from actors.ray_assignment import RayAssignment
from domain.errors import Unavailable

FIRST = Assignment.dealt(2, [0])
SECOND = FIRST.after(Move(0, 0, 1))


class Told:
    """What Ray tells, one answer after the other."""

    def __init__(self, *answers: Assignment | Exception | None) -> None:
        self.answers = list(answers)

    def take(self) -> Assignment | None:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def seen(*answers: Assignment | Exception | None) -> list[Assignment]:
    told = Told(*answers)
    assignment = RayAssignment(told.take)
    found = []
    while told.answers:
        assignment._due_s = 0.0
        found.append(await assignment.current())
    return found


async def test_the_newest_version_wins() -> None:
    assert await seen(FIRST, SECOND, FIRST) == [FIRST, SECOND, SECOND]


async def test_the_last_one_holds_while_ray_does_not_answer() -> None:
    assert await seen(FIRST, RayError(), None) == [FIRST, FIRST, FIRST]


async def test_it_is_not_looked_up_at_each_call() -> None:
    told = Told(FIRST, SECOND)
    assignment = RayAssignment(told.take)

    assert [await assignment.current() for _ in range(9)] == [FIRST] * 9
    assert told.answers == [SECOND]


async def test_where_nothing_was_started_it_says_so() -> None:
    with pytest.raises(Unavailable, match="nothing says yet"):
        await seen(None)
