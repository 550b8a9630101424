"""The ways from a process to the log and to the store: slow, and not to be relied on.

A call is sent, has its effect at the backend, and is answered. In between the caller may be paused
or killed, which does not call the effect back.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from domain.errors import Unavailable
from domain.ports import Key, Record, StampedRow, Table
from domain.positions import MOST_PARTITIONS, Generation
from stores.tables import PROGRESS
from tests.simulator.comparison import Wrong
from tests.simulator.virtual_time import Process
from tests.simulator.world import LATEST_S, PATIENCE_S, Backend, Broken, Fault, World

Result = TypeVar("Result")
Effect = Callable[[], Coroutine[Any, Any, Any]]

Writes = Sequence[tuple[Table, Sequence[StampedRow]]]


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

    async def call(self, what: str, *effects: Effect, writes: bool = False) -> Any:
        """Have the *effects* take place, one after the other; tells what the last one says."""
        await self.process.awake()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        delay = self.world.latency()
        if writes and self.world.strikes(Fault.LATE):
            self.world.happened(Fault.LATE)
            loop.call_later(PATIENCE_S, _fail, answer, Unavailable("no answer"))
            delay = self.world.dice.uniform(PATIENCE_S, LATEST_S)
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


class LinkedTables:
    """`domain.ports.Tables` at the other end of a link; a write of several rows may be torn."""

    def __init__(self, world: World, process: Process) -> None:
        self._link, self._tables = Link(world, process, world.store_backend), world.tables
        # nothing that is simulated uses versioned tables
        self.read, self.scan = self._tables.read, self._tables.scan
        self.write_if, self.delete_if = self._tables.write_if, self._tables.delete_if
        self.close = self._tables.close

    async def read_stamped(self, table: Table, keys: Sequence[Key]) -> list[StampedRow | None]:
        found: list[StampedRow | None] = await self._link.call(
            f"read {len(keys)} of {table.name}", lambda: self._tables.read_stamped(table, keys)
        )
        return found

    async def scan_stamped(
        self,
        table: Table,
        partition: Key,
        *,
        first: Any = None,
        last: Any = None,
        descending: bool = False,
        limit: int | None = None,
    ) -> list[StampedRow]:
        found: list[StampedRow] = await self._link.call(
            f"scan {table.name}",
            lambda: self._tables.scan_stamped(
                table, partition, first=first, last=last, descending=descending, limit=limit
            ),
        )
        return found

    async def write_stamped(self, writes: Writes) -> None:
        parts = self._torn(writes)
        what = ", ".join(f"{len(rows)} of {table.name}" for table, rows in writes if rows)
        await self._link.call(
            f"write {what} at {max((row.stamp for _, rows in writes for row in rows), default=0)}",
            *(lambda part=part: self._write(part) for part in parts),
            writes=any(rows for table, rows in writes if table is not PROGRESS),
        )

    async def erase_stamped(self, table: Table, partition: Key, *, stamp: int) -> None:
        await self._link.call(
            f"erase {partition[0]!s} of {table.name}",
            lambda: self._tables.erase_stamped(table, partition, stamp=stamp),
            writes=True,
        )

    async def sweep(self) -> int:
        swept: int = await self._link.call("sweep", self._tables.sweep)
        return swept

    async def _write(self, writes: Writes) -> None:
        await self._tables.write_stamped(writes)
        for table, rows in writes:
            if table is PROGRESS:
                self._check_progress(rows)

    def _check_progress(self, rows: Sequence[StampedRow]) -> None:
        """See that no record was appended before what is said to be complete, and is not in."""
        for row in rows:
            complete_ms, next_offset = map(int, row.state.split())
            part = divmod(int(str(row.key[0])), MOST_PARTITIONS)
            # who comes late finds nothing to read where others have committed and trimmed
            there = max(next_offset, self._link.world.promised[part])
            records = self._link.world.log.records[part][there:]
            left_out = [each for each in records if each.appended_ms < complete_ms]
            if left_out:
                wrong = Wrong(f"complete to {complete_ms}, but not {left_out[0].offset}")
                self._link.world.unexpected.append(wrong)

    def _torn(self, writes: Writes) -> list[Writes]:
        flat = [(table, [row]) for table, rows in writes for row in rows]
        if len(flat) < 2 or self._link.world.dice.random() < 0.5:
            return [writes]
        cut = self._link.world.dice.randrange(1, len(flat))
        return [flat[:cut], flat[cut:]]


class LinkedLog:
    """`domain.ports.Log` at the other end of a link, as one process opened it."""

    def __init__(self, world: World, process: Process) -> None:
        self._link, self._log = Link(world, process, world.log_backend), world.log.another()
        self._world, self._process = world, process
        self.close = self._log.close

    async def generation(self) -> Generation:
        newest: Generation = await self._link.call("newest generation", self._log.generation)
        return newest

    async def generations(self) -> list[Generation]:
        every: list[Generation] = await self._link.call("generations", self._log.generations)
        return every

    async def begin_generation(self, partitions: int) -> Generation:
        begun: Generation = await self._link.call(
            f"begin a generation of {partitions}", lambda: self._log.begin_generation(partitions)
        )
        return begun

    async def append(self, records: Sequence[tuple[int, bytes]]) -> list[int]:
        newest = await self._log.generation()

        async def append() -> list[int]:
            # a transaction in the caller's process: it ends with it
            if not self._process.alive or newest != await self._log.generation():
                raise Unavailable("nobody is there to append")
            return await self._log.append(records)

        offsets: list[int] = await self._link.call(f"append {len(records)} records", append)
        return offsets

    async def read(
        self, generation: Generation, partition: int, offset: int, *, most_bytes: int
    ) -> list[Record]:
        found: list[Record] = await self._link.call(
            f"read partition {partition} from {offset}",
            lambda: self._log.read(generation, partition, offset, most_bytes=most_bytes),
        )
        return found

    async def ends(self, generation: Generation) -> list[int]:
        ends: list[int] = await self._link.call("ends", lambda: self._log.ends(generation))
        return ends

    async def now_ms(self) -> int:
        told: int = await self._link.call("log's clock", self._log.now_ms)
        return told

    async def wait(self, timeout_s: float) -> None:
        await self._process.awake()
        await self._log.wait(timeout_s)
        await self._process.awake()

    async def commit(self, group: str, generation: Generation, offsets: Mapping[int, int]) -> None:
        async def commit() -> None:
            await self._log.commit(group, generation, offsets)
            for partition in offsets:
                self._go_back((group, generation.number, partition))

        what = f"commit {dict(offsets)} of generation {generation.number}"
        await self._link.call(what, commit, writes=True)

    async def committed(self, group: str, generation: Generation) -> list[int]:
        offsets: list[int] = await self._link.call(
            "committed", lambda: self._log.committed(group, generation)
        )
        return offsets

    async def trim(self, *, before_ms: int, keep_bytes: int) -> int:
        trimmed: int = await self._link.call(
            "trim", lambda: self._log.trim(before_ms=before_ms, keep_bytes=keep_bytes)
        )
        return trimmed

    async def trimmed_ms(self) -> int:
        at_ms: int = await self._link.call("trimmed", self._log.trimmed_ms)
        return at_ms

    def _go_back(self, key: tuple[str, int, int]) -> None:
        """Forget what was committed last, as a log does that keeps the last commit, not the largest."""
        committed = self._log.commits[key]
        self._world.promised[key[1:]] = max(self._world.promised[key[1:]], committed)
        if committed and self._world.strikes(Fault.BACK):
            self._log.commits[key] = self._world.dice.randrange(committed)
            self._world.happened(Fault.BACK)


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
