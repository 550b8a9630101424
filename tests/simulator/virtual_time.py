"""An event loop whose time passes only when nobody has anything left to do: hours in milliseconds.

Nothing else decides what comes first, so that two runs of the same program are the same run.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

LOOK_S = 0.5  # how soon what is paused notices that it may go on

Result = TypeVar("Result")


class Standstill(AssertionError):
    """Raised when everybody waits for somebody else."""


class _Ahead(selectors.SelectSelector):
    """Waits for nothing: the next timer is due at once."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Standstill("everybody waits for somebody else")
        self.now_s += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop of its own time; a task that is made in a process belongs to it."""

    def __init__(self) -> None:
        self._ahead = _Ahead()
        super().__init__(self._ahead)
        made: Any = _made  # what else a loop gives it differs from version to version
        self.set_task_factory(made)

    def time(self) -> float:
        return self._ahead.now_s


class Process:
    """Tasks that are paused and killed together: what stands for a process of the machine."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.when_killed: Callable[[], None] | None = None
        self._paused_until = 0.0
        self._tasks: dict[asyncio.Task[Any], None] = {}  # in the order in which they were made

    def run(self, call: Coroutine[Any, Any, Result]) -> "asyncio.Task[Result]":
        """Run something inside; it is cancelled when the process is killed."""
        context = copy_context()
        context.run(_OF.set, self)
        task = asyncio.get_running_loop().create_task(call, context=context)
        task.add_done_callback(_look_at)
        if not self.alive:
            task.cancel()
        return task

    def adopt(self, task: "asyncio.Task[Any]") -> None:
        """Remember a task that was made inside."""
        self._tasks[task] = None
        task.add_done_callback(self._forget)

    def pause(self, seconds: float) -> None:
        """Let it do nothing that anybody could see, for a while."""
        self._paused_until = asyncio.get_running_loop().time() + seconds

    @property
    def paused(self) -> bool:
        """Whether it stands still now."""
        return asyncio.get_running_loop().time() < self._paused_until

    def kill(self) -> None:
        """Stop everything inside, where it stands."""
        if self.alive and self.when_killed:
            self.when_killed()
        self.alive = False
        for task in list(self._tasks):
            task.cancel()

    async def awake(self) -> None:
        """Go on when the process does; never, if it was killed."""
        while self.alive and self.paused:
            left_s = self._paused_until - asyncio.get_running_loop().time()
            await asyncio.sleep(min(left_s, LOOK_S))
        if not self.alive:
            raise asyncio.CancelledError

    def _forget(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.pop(task, None)


def run(main: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run *main* to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


_OF: ContextVar[Process | None] = ContextVar("process", default=None)


def _made(
    loop: asyncio.AbstractEventLoop, call: Coroutine[Any, Any, Any], **given: Any
) -> "asyncio.Task[Any]":
    task = asyncio.Task(call, loop=loop, **given)
    context = given.get("context")
    process = context.get(_OF) if context else _OF.get()
    if process:
        process.adopt(task)
    return task


def _look_at(task: "asyncio.Task[Any]") -> None:
    """See what became of a task, so that nothing warns that nobody did."""
    if not task.cancelled():
        task.exception()
