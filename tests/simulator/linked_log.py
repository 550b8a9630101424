"""The log as a process of the simulation has it: at the other end of a link."""

from collections.abc import Mapping, Sequence

from domain.errors import Unavailable
from domain.ports import Record
from domain.positions import Generation
from tests.simulator.links import Link
from tests.simulator.virtual_time import Process
from tests.simulator.world import Fault, World


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
