"""What was promised to whom, and whether it was kept."""

from collections.abc import Iterator

from domain.batches import heartbeats_of
from domain.columns import decode
from domain.heartbeats import Heartbeat
from domain.positions import Generation
from stores.listening import Listening, Progress
from tests.memory_log import Part
from tests.simulator.comparison import Bounds, Wrong, compare
from tests.simulator.world import World


class Ledger:
    """Keeps what clients were told, and compares the store with the log and with that."""

    def __init__(self, world: World, listening: Listening) -> None:
        self._world, self._listening = world, listening
        self._said: dict[Part, list[list[Heartbeat]]] = {}
        self.acknowledged: set[str] = set()
        self.erased: set[str] = set()

    async def look(self) -> None:
        """See that what was promised is in the rows, and nothing that nobody said.

        Raises
        ------
        Wrong
            Something is missing, or too much.
        """
        least: list[Heartbeat] = []
        counted: list[Heartbeat] = []
        most: list[Heartbeat] = []
        for generation, partition, said in await self._parts():
            promised = self._world.promised[generation.number, partition]
            progress = await self._progress(generation, partition)
            promised = max(promised, progress.next_offset)
            complete = self._complete(generation, partition, progress)
            most += _flat(said)
            counted += _flat(said[:promised])
            least += _flat(said[: max(promised, complete)])
        await compare(self._listening, Bounds(least, counted, most), self._world.now_ms())
        await self._check_erased()

    async def settle(self) -> None:
        """See, at the end, that everything is in: all records, all acknowledged, right progress.

        Raises
        ------
        Wrong
            Something is missing, or too much.
        """
        parts = await self._parts()
        every = [beat for _, _, said in parts for beat in _flat(said)]
        if lost := self.acknowledged - {beat.id for beat in every}:
            raise Wrong(f"acknowledged and not in the log: {sorted(lost)}")
        await compare(self._listening, Bounds(every, every, every), self._world.now_ms())
        await self._check_erased()
        if behind := await self.behind():
            raise Wrong(f"behind: {behind}")

    async def behind(self) -> list[str]:
        """Tell which partitions are not committed, or not said to be complete, up to their ends."""
        found = []
        for generation, partition, said in await self._parts():
            progress = await self._progress(generation, partition)
            promised = self._world.promised[generation.number, partition]
            appended_ms = self._appended_ms(generation, partition)
            if promised < len(said) or progress.complete_ms < appended_ms:
                found.append(f"partition {partition} of {generation}: {promised}, {progress}")
        return found

    async def _parts(self) -> list[tuple[Generation, int, list[list[Heartbeat]]]]:
        return [
            (generation, partition, self._decoded((generation.number, partition)))
            for generation in await self._world.log.generations()
            for partition in range(generation.partitions)
        ]

    def _decoded(self, part: Part) -> list[list[Heartbeat]]:
        known, records = self._said.setdefault(part, []), self._world.log.records[part]
        known += [heartbeats_of(decode(record.payload)) for record in records[len(known) :]]
        return known

    def _appended_ms(self, generation: Generation, partition: int) -> int:
        records = self._world.log.records[generation.number, partition]
        return records[-1].appended_ms if records else 0

    async def _progress(self, generation: Generation, partition: int) -> Progress:
        progress = await self._listening.progress(generation.number, partition)
        if progress.complete_ms > await self._world.log.now_ms():
            raise Wrong(f"{progress} is ahead of the log's clock")
        return progress

    def _complete(self, generation: Generation, partition: int, progress: Progress) -> int:
        """How many records were appended before what progress says is complete."""
        records = self._world.log.records[generation.number, partition]
        return sum(record.appended_ms < progress.complete_ms for record in records)

    async def _check_erased(self) -> None:
        for name in sorted(self.erased):
            if await self._listening.plays_before(name, None, 1):
                raise Wrong(f"{name} was told that everything is erased, and has plays")


def _flat(said: list[list[Heartbeat]]) -> Iterator[Heartbeat]:
    return (beat for record in said for beat in record)
