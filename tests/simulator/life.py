"""One start of everything that consumes the log: the real parts, in simulated processes.

What `heartline.driver` and `heartline.cluster` do with Ray is done here with tasks.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from actors.listener_shard import ListenerShard
from domain.errors import Unavailable
from domain.ports import Record
from domain.positions import Generation
from heartline.consuming import align
from heartline.generations import settle
from heartline.settings import Settings
from stores.listening import Listening
from streams.housekeeping import Retention, keep_house
from streams.tailer import Shard, Tailer
from tests.simulator.group import KAFKA, Group
from tests.simulator.linked_log import LinkedLog
from tests.simulator.linked_tables import LinkedTables
from tests.simulator.virtual_time import Process
from tests.simulator.world import Fault, World

RESTART_S = 0.3  # a shard is back after this, at least
STOP_S = 15.0
SETTINGS = Settings(Path())


@dataclass(slots=True)
class Running:
    """A shard and the process in which it runs."""

    shard: ListenerShard
    process: Process


class Life:
    """The shards and the tailer of one start, over one generation of the log."""

    def __init__(self, world: World, number: int) -> None:
        self._world, self._number = world, number
        self._settings = replace(
            SETTINGS,
            shards=world.shards,
            partitions=world.partitions,
            commit_window_ms=world.conditions.commit_window_ms,
        )
        self._started = 0
        self.driver = self._process("driver")
        self.ingest = self._process("ingest")
        self.generation = Generation(0, 0)
        self._group: Group | None = None
        self.shards: list[Running] = []
        self.tailers: list[Process] = []
        self.zombies: list[Process] = []
        self.following: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Settle which generation is written to, then start the shards and the tailer."""
        self.generation = await settle(
            LinkedLog(self._world, self.driver),
            self._listening(self.driver),
            self._settings,
            now_ms=self._world.now_ms,
        )
        if self._world.consumers:
            await align(LinkedLog(self._world, self.driver), replace(self._settings, log=KAFKA))
            self._group = Group(self._world, self.generation)
        self._world.say("driver", f"{self.generation} on {self._settings.shards} shards")
        self.shards = [self._started_shard(number) for number in range(self._settings.shards)]
        for _ in range(max(1, self._world.consumers)):
            self.start_tailer()

    @property
    def processes(self) -> list[Process]:
        """Everything that runs, zombies included."""
        shards = [running.process for running in self.shards]
        return [self.driver, self.ingest, *self.tailers, *shards, *self.zombies]

    @property
    def failed(self) -> bool:
        """Whether the tailer ended, which ends the driver."""
        return self.following is not None and self.following.done()

    # --- shards ----------------------------------------------------------------------------------

    def leave_zombie(self, number: int, seconds: float) -> None:
        """Start a shard once more, while the one before is only paused, and read to by a tailer."""
        reader = self._process("tailer")
        reader.run(self._follow(reader, [*self.shards]))
        for zombie in (self.shards[number].process, reader):
            self._make_zombie(zombie, seconds)
        self.shards[number] = self._started_shard(number)

    def _restart_shard_soon(self, number: int) -> None:
        delay = RESTART_S + self._world.dice.random()
        asyncio.get_running_loop().call_later(delay, self._restart_shard, number)

    def _restart_shard(self, number: int) -> None:
        zombie = self.driver in self.zombies
        if self.driver.alive and not zombie and not self.shards[number].process.alive:
            self.shards[number] = self._started_shard(number)

    def _started_shard(self, number: int) -> Running:
        process = self._process(f"shard-{number}")
        process.when_killed = partial(self._restart_shard_soon, number)
        shard = ListenerShard(
            self.generation,
            listening=self._listening(process),
            log=LinkedLog(self._world, process),
            commit_window_ms=self._settings.commit_window_ms,
            now_ms=self._world.now_ms,
        )
        return Running(shard, process)

    # --- the tailer, or the consumers that stand in its place -------------------------------------

    def start_tailer(self) -> None:
        """Start a tailer, or one more consumer; those that run already go on."""
        process = self._process("tailer")
        self.tailers.append(process)
        self.following = process.run(self._consume(process))

    def crash_tailer(self) -> None:
        """Kill the tailers, and start one."""
        for process in self.tailers:
            process.kill()
        self.tailers.clear()
        self.start_tailer()

    async def _consume(self, process: Process) -> None:
        if self._group is None:
            await self._follow(process, self.shards)
        else:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(
                    self._group.consume(process, self._shard_of(process, self.shards))
                )
                tasks.create_task(self._keep_house(process))

    async def _follow(self, process: Process, shards: Sequence[Running]) -> None:
        log = LinkedLog(self._world, process)
        tailer = Tailer(log, self.generation, self._shard_of(process, shards))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(tailer.run())
            tasks.create_task(self._keep_house(process))

    async def _keep_house(self, process: Process) -> None:
        log, tables = LinkedLog(self._world, process), LinkedTables(self._world, process)
        retention = Retention(self._settings.log_retention_days, self._world.conditions.log_bytes)
        await keep_house(log, tables, retention, self._world.now_ms)

    def _shard_of(self, process: Process, shards: Sequence[Running]) -> Callable[[int], Shard]:
        handles = [Handle(self._world, shards, each, process) for each in range(len(shards))]
        return lambda part: handles[part % len(handles)]

    # --- the end ---------------------------------------------------------------------------------

    async def stop(self) -> None:
        """End in the order in which nothing is lost; what takes too long is cut off."""
        for process in [self.ingest, *self.tailers]:
            process.kill()
        closing = [each.process.run(each.shard.close()) for each in self.shards]
        await asyncio.wait(closing, timeout=STOP_S)
        self.kill()

    def kill(self) -> None:
        """End everything but zombies at once."""
        for process in self.processes:
            if process not in self.zombies:
                process.kill()

    def split(self) -> None:
        """Become zombies, all of it: paused for different times, then going on."""
        self.ingest.kill()
        for process in self.processes:
            if process not in self.zombies:
                self._make_zombie(process, self._world.dice.choice((0.0, 5.0, 60.0, 180.0)))

    def _make_zombie(self, process: Process, seconds: float) -> None:
        """Pause a process, let it go on for some commit windows, and end it then."""
        process.pause(seconds)
        self.zombies.append(process)
        more_s = self._world.dice.choice((2, 5, 20)) * self._settings.commit_window_ms / 1_000
        asyncio.get_running_loop().call_later(seconds + more_s + 1.0, process.kill)

    def _process(self, role: str) -> Process:
        self._started += 1
        return Process(f"{role}.{self._number}.{self._started}")

    def _listening(self, process: Process) -> Listening:
        tables = LinkedTables(self._world, process)
        return Listening(tables, week_ttl_s=self._settings.week_ttl_s)


class Handle:
    """What a tailer holds of a shard; like `actors.shard_handles.RayShard`, it finds a new one by itself."""

    def __init__(
        self, world: World, shards: Sequence[Running], number: int, caller: Process
    ) -> None:
        self._world, self._shards, self._number, self._caller = world, shards, number, caller

    async def open(self, partition: int) -> int:
        """`ListenerShard.open`."""
        wanted: int = await self._call("open", partition)
        return wanted

    async def apply(self, partition: int, offset: int, records: Sequence[Record]) -> int:
        """`ListenerShard.apply`; now and then again, later, or what follows before it."""
        if self._world.strikes(Fault.AGAIN):
            delay = self._world.dice.uniform(0.0, 20.0)
            self._aside(Fault.AGAIN, delay, partition, offset, records)
        if len(records) > 1 and self._world.strikes(Fault.EARLY):
            later = records[self._world.dice.randrange(1, len(records)) :]
            self._aside(Fault.EARLY, 0.0, partition, later[0].offset, later)
        wanted: int = await self._call("apply", partition, offset, records)
        return wanted

    async def caught_up(self, partition: int, offset: int, at_ms: int) -> int:
        """`ListenerShard.caught_up`."""
        wanted: int = await self._call("caught_up", partition, offset, at_ms)
        return wanted

    async def _call(self, name: str, *given: Any) -> Any:
        await self._caller.awake()
        await asyncio.sleep(self._world.latency())
        running = self._shards[self._number]
        if not running.process.alive:
            raise Unavailable("a listener shard is restarting")
        call = running.process.run(_awake(running, name, given))
        await asyncio.wait([call])
        await self._caller.awake()
        if call.cancelled():
            raise Unavailable("a listener shard is restarting")
        if self._world.strikes(Fault.LOST):
            self._world.happened(Fault.LOST)
            raise Unavailable("the answer was lost")
        return call.result()

    def _aside(
        self, fault: Fault, delay: float, partition: int, offset: int, records: Sequence[Record]
    ) -> None:
        async def deliver() -> None:
            await asyncio.sleep(delay)
            self._world.happened(fault)
            with suppress(Exception):
                await self._call("apply", partition, offset, records)

        self._caller.run(deliver())


async def _awake(running: Running, name: str, given: Sequence[Any]) -> Any:
    await running.process.awake()
    return await getattr(running.shard, name)(*given)
