"""A data directory with a log, a store and a warehouse, and what fills them when a test wants it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from actors.listener_shard import ListenerShard
from domain.batches import batch_of
from domain.heartbeats import Heartbeat, Kind
from domain.log_records import records_of
from domain.payloads import encode_erase
from domain.ports import StampedRow, Table
from domain.positions import SHARDS
from domain.units import MINUTE_MS
from heartline import wiring
from heartline.settings import Settings
from heartline.warehouses import open_warehouse
from streams.archive import Archive
from tests.clock import MONDAY_MS


def listening(
    name: str, minutes: int, *, at_ms: int = MONDAY_MS, play: str | None = None
) -> list[Heartbeat]:
    """A heartbeat each half minute; a play of its own unless one is named."""
    return [
        Heartbeat(
            id=f"{name}-{at_ms}-{number}",
            listener_id=name,
            track_id="t1",
            play_id=f"p{at_ms}" if play is None else play,
            kind=Kind.BEAT,
            at=at_ms + number * MINUTE_MS // 2,
            device_id="phone",
        )
        for number in range(2 * minutes + 1)
    ]


class Machine:
    """Every method opens and closes what it needs, as processes of their own would."""

    def __init__(self, folder: Path, settings: Settings | None = None) -> None:
        self.settings = settings or Settings(folder)

    def append(self, beats: Sequence[Heartbeat]) -> None:
        asyncio.run(self._append(records_of([batch_of(beats)], self.settings.partitions)))

    def erase(self, name: str) -> None:
        asyncio.run(self._append([(0, encode_erase(name))]))

    async def _append(self, records: list[tuple[int, bytes]]) -> None:
        async with wiring.log_of(self.settings, make=True) as log:
            await log.append(records)

    def consume(self) -> None:
        """Have shards write what is in the log to the store, and commit it."""
        asyncio.run(self._consume())

    async def _consume(self) -> None:
        async with (
            wiring.store(self.settings, make=True) as tables,
            wiring.log_of(self.settings, make=True) as log,
        ):
            generation = await log.generation()
            shard = ListenerShard(
                generation,
                listening=wiring.listening(tables, self.settings),
                log=log,
                commit_window_ms=1_000,
                now_ms=wiring.now_ms,
            )
            for partition in range(generation.partitions):
                wanted = await shard.open(partition)
                records = await log.read(generation, partition, wanted, most_bytes=1 << 30)
                if records:
                    await shard.apply(partition, wanted, records)
            await shard.close()

    def archive(self) -> None:
        """Carry what is in the log to the warehouse."""
        asyncio.run(self._archive())

    async def _archive(self) -> None:
        async with wiring.log_of(self.settings, make=True) as log:
            await Archive(log, open_warehouse(self.settings, make=True)).write_all()

    def fill(self, beats: Sequence[Heartbeat]) -> None:
        """Append, archive and consume."""
        self.append(beats)
        self.archive()
        self.consume()

    def write(self, table: Table, row: StampedRow) -> None:
        """Write a row of the store."""
        asyncio.run(self._write(table, row))

    async def _write(self, table: Table, row: StampedRow) -> None:
        async with wiring.store(self.settings, make=True) as tables:
            await tables.write_stamped([(table, [row])])

    def rows(self, table: Table, name: str) -> list[StampedRow]:
        """Read a listener's rows."""
        return asyncio.run(self._rows(table, name))

    async def _rows(self, table: Table, name: str) -> list[StampedRow]:
        async with wiring.store(self.settings) as tables:
            return await tables.scan_stamped(table, (name,))

    def commit(self) -> None:
        """Say that shards wrote everything, which they did not."""
        asyncio.run(self._commit())

    async def _commit(self) -> None:
        async with wiring.log_of(self.settings) as log:
            generation = await log.generation()
            ends = dict(enumerate(await log.ends(generation)))
            await log.commit(SHARDS, generation, ends)
