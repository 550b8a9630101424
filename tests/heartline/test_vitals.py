import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from heartline import processes
from heartline.vitals import one_gone

WAITS = "import sys; print('up', flush=True); sys.stdin.read()"
FORKS = f"import os; os.fork() or os.read(0, 1); {WAITS}"
VITAL = {"heart-of-it": "the heart", "brain-of-it": "the brain"}


@pytest.fixture
def started() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def start(stack: ExitStack, name: str, program: str = WAITS) -> subprocess.Popen[str]:
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-c", program, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    )
    stack.callback(process.kill)
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    return process


class Watch:
    """A watch over a family that may grow; it counts how often it was looked at."""

    def __init__(self, *pids: int) -> None:
        self.family, self._looked = set(pids), asyncio.Semaphore(0)
        self._task = asyncio.create_task(one_gone(self._look, vital=VITAL))

    def _look(self) -> set[int]:
        self._looked.release()
        return self.family

    async def looks(self, times: int) -> None:
        """Wait for that many looks from now on; those that went by do not count."""
        while not self._looked.locked():
            await self._looked.acquire()
        for _ in range(times):
            await self._looked.acquire()

    async def tells(self) -> str:
        async with asyncio.timeout(10):
            return await self._task


async def test_the_one_that_ends_is_named(started: ExitStack) -> None:
    heart, brain = start(started, "heart-of-it"), start(started, "brain-of-it")
    watch = Watch(heart.pid, brain.pid)
    await watch.looks(1)

    brain.kill()

    assert await watch.tells() == "the brain"


async def test_one_that_ends_while_others_are_still_to_come_is_missed(started: ExitStack) -> None:
    heart = start(started, "heart-of-it")
    watch = Watch(heart.pid, os.getpid())
    await watch.looks(1)

    heart.kill()  # nobody waits for it, so that it stays a zombie

    assert await watch.tells() == "the heart"


async def test_a_command_that_names_others_is_the_first_of_them(started: ExitStack) -> None:
    """A raylet's command has those of its agents."""
    watch = Watch(start(started, "heart-of-it", WAITS + "  # brain-of-it").pid)
    await watch.looks(1)

    brain = start(started, "brain-of-it")
    watch.family.add(brain.pid)
    await watch.looks(1)
    brain.kill()

    assert await watch.tells() == "the brain"


async def test_one_that_came_and_went_between_two_looks_is_missed() -> None:
    fallen = iter([[], ["python"], ["python", "raylet"]])

    async with asyncio.timeout(10):
        assert await one_gone(set, fallen=lambda: next(fallen), vital=VITAL) == "the raylet"


async def test_one_that_ends_while_it_is_looked_at_is_missed(
    started: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    heart, real = start(started, "heart-of-it"), processes.command
    watch = Watch(heart.pid)
    await watch.looks(1)

    def last_seen(pid: int) -> str:
        if pid == heart.pid:
            heart.kill()
            heart.wait()
        return real(pid)

    monkeypatch.setattr(processes, "command", last_seen)

    assert await watch.tells() == "the heart"


async def test_one_that_comes_later_is_watched_as_well(started: ExitStack) -> None:
    watch = Watch(start(started, "heart-of-it").pid)
    await watch.looks(2)

    brain = start(started, "brain-of-it")
    watch.family.add(brain.pid)
    await watch.looks(1)
    brain.kill()

    assert await watch.tells() == "the brain"


async def test_a_child_that_has_taken_a_command_of_its_own_may_end(
    started: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between fork and exec a child of the raylet looks like the raylet."""
    heart, child = start(started, "heart-of-it"), start(started, "nobody")
    commands, real = {child.pid: "brain-of-it"}, processes.command
    monkeypatch.setattr(processes, "command", lambda pid: commands.get(pid) or real(pid))
    watch = Watch(heart.pid, child.pid)
    await watch.looks(1)

    commands.clear()
    await watch.looks(2)
    child.kill()
    await watch.looks(2)
    heart.kill()

    assert await watch.tells() == "the heart"


async def test_a_child_that_has_begun_no_program_is_not_what_its_parent_is(
    started: ExitStack,
) -> None:
    """Such a child may become anything, and end soon."""
    heart, brain = start(started, "heart-of-it"), start(started, "forks-brain-of-it", FORKS)
    child = next(iter(processes.descendants(brain.pid)))
    assert processes.command(child) == processes.command(brain.pid)
    watch = Watch(heart.pid, child)
    await watch.looks(2)

    processes.kill([child])
    await watch.looks(2)
    heart.kill()

    assert await watch.tells() == "the heart"
