"""The way from a process to a backend and back: slow, and not to be relied on.

A call is sent, has its effect at the backend, and is answered. In between the caller may be paused
or killed, which does not call the effect back.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from domain.errors import Unavailable
from tests.simulator.virtual_time import Process
from tests.simulator.world import LATEST_S, PATIENCE_S, Backend, Broken, Fault, World

Result = TypeVar("Result")
Effect = Callable[[], Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Message:
    """A call on its way: its effects at the backend, one after the other, and who waits for it."""

    what: str
    effects: Sequence[Effect]
    answer: "asyncio.Future[Any]"
    writes: bool
    boots: int


class Link:
    """The way from a process to a backend, and back."""

    def __init__(self, world: World, process: Process, backend: Backend) -> None:
        self.world, self.process, self.backend = world, process, backend
        self._breaks = process.name.startswith("shard")

    async def call(
        self, what: str, *effects: Effect, writes: bool = False, latest_s: float = LATEST_S
    ) -> Any:
        """Have the *effects* take place, one after the other; tells what the last one says."""
        await self.process.awake()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        delay = self.world.latency()
        if writes and self.world.strikes(Fault.LATE):
            self.world.happened(Fault.LATE)
            loop.call_later(PATIENCE_S, _fail, answer, Unavailable("no answer"))
            delay = self.world.dice.uniform(PATIENCE_S, latest_s)
        message = Message(what, effects, answer, writes, self.world.boots)
        loop.call_later(delay, self._arrive, message)
        try:
            result = await answer
        except Exception:
            await self.process.awake()
            raise
        await self.process.awake()
        return result

    def _arrive(self, message: Message) -> None:
        world, now_s = self.world, asyncio.get_running_loop().time()
        if message.boots != world.boots:
            self._answer(message, Unavailable("the machine was off"))
        elif now_s < self.backend.away_until:
            world.happened(self.backend.away)
            self._answer(message, Unavailable(f"the {self.backend.name} is away"))
        elif world.strikes(Fault.REFUSED):
            world.happened(Fault.REFUSED)
            self._answer(message, Unavailable(f"the {self.backend.name} does not want to"))
        elif self._breaks and world.strikes(Fault.BROKEN):
            world.happened(Fault.BROKEN)
            self._answer(message, Broken(message.what))
        else:
            self._take_effect(message, 0)

    def _take_effect(self, message: Message, place: int) -> None:
        world = self.world
        world.say(self.process.name, message.what)
        try:
            result = now(message.effects[place]())
        except Exception as error:
            self._answer(message, error)
            return
        if message.writes and self._breaks and world.strikes(Fault.KILLED):
            world.happened(Fault.KILLED)
            self.process.kill()
        if place + 1 < len(message.effects):
            self._go_on(message, place + 1)
        elif world.strikes(Fault.LOST):
            world.happened(Fault.LOST)
            self._answer(message, Unavailable("the answer was lost"))
        else:
            self._answer(message, result)

    def _go_on(self, message: Message, place: int) -> None:
        if self.world.strikes(Fault.HALF) or not self.process.alive:
            self.world.happened(Fault.HALF)
            self._answer(message, Unavailable("written by half"))
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(self.world.latency(), self._take_effect, message, place)

    def _answer(self, message: Message, result: Any) -> None:
        settle = _fail if isinstance(result, Exception) else _succeed
        loop = asyncio.get_running_loop()
        loop.call_later(self.world.latency(), settle, message.answer, result)


def now(call: Coroutine[Any, Any, Result]) -> Result:
    """Run what waits for nothing, at once."""
    try:
        call.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    raise AssertionError("it waits for something")


def _succeed(answer: "asyncio.Future[Any]", result: Any) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: "asyncio.Future[Any]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
