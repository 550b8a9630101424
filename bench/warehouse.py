"""The warehouse: the log carried to it, and a week of everybody counted again from it.

A log of 5 000 listeners who listen five minutes a day for a week is carried to a table in files, by
the archive as it runs, and consumed by a shard. Then the week is counted again and compared with the
store: from the warehouse by columns, and from the log by the oracle, the peer, in the same run.
Everything in one process, on one core but for what the libraries take by themselves.

Predicted: a heartbeat may cost 10 µs in all; the archive is off the path on which anybody waits, and
may take 3 of them, most of them for Parquet. Seen at first: 5.1, of which taking records apart one by one was 1.5, Parquet 1.4, sorting by
listener 0.7, and looking for erased listeners among none 0.4. Records are taken apart together now,
ids of heartbeats have no dictionary, and only who erased somebody looks for them: 2.2.
Making one file of sixteen is not in it: 1.3 µs more by the clock. What would come next: sorting numbers
in place of listener ids, which are compared letter by letter.
"""

import argparse
import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from actors.listener_shard import ListenerShard
from bench.fold import names_of
from bench.report import Figure, Goal, report
from bench.rig.up import scratch
from domain.batches import SCHEMA
from domain.calendar import IsoWeek
from domain.heartbeats import Kind
from domain.log_records import records_of
from domain.units import DAY_MS, HOUR_MS
from domain.warm import warm
from heartline import wiring
from heartline.archiving import opened
from heartline.cli import main as heartline
from heartline.settings import Settings

LISTENERS = 5_000
DAYS, BEATS = 7, 11  # of each day: five minutes
BEAT_MS = 30_000
WEEK = IsoWeek(2026, 47)
MONDAY_MS = 1_794_787_200_000
RECORD = 2_000  # heartbeats that ingest gathers


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock and of processor time."""

    wall_s: float
    cpu_s: float


def batches(listeners: int) -> Iterator[pa.RecordBatch]:
    """What listeners say, in the order of time."""
    everybody = np.arange(listeners)
    for day in range(DAYS):
        for beat in range(BEATS):
            for begin in range(0, listeners, RECORD):
                yield _batch(everybody[begin : begin + RECORD], day, beat)


def _batch(chosen: np.ndarray, day: int, beat: int) -> pa.RecordBatch:
    rows = len(chosen)
    columns = {
        "listener_id": names_of(chosen),
        "track_id": names_of(chosen * 31 % 100_000),
        "play_id": names_of(chosen * 1_000_003 + day),
        "stretch": np.zeros(rows, "i4"),
        "kind": np.full(rows, int(Kind.BEAT), "i1"),
        "at": MONDAY_MS + day * DAY_MS + HOUR_MS + beat * BEAT_MS + chosen % 1_000,
        "position_ms": np.full(rows, -1),
        "device_id": ["phone"] * rows,
        "context": ["album:1"] * rows,
        "id": names_of(chosen * 97 + day * BEATS + beat, 8),
    }
    arrays = [pa.array(columns[each.name], each.type) for each in SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


async def fill(settings: Settings, listeners: int) -> int:
    """Append everything to the log; tells how many heartbeats."""
    heartbeats = 0
    async with wiring.log_of(settings, make=True) as log:
        for batch in batches(listeners):
            await log.append(records_of([batch], settings.partitions))
            heartbeats += batch.num_rows
    return heartbeats


async def consume(settings: Settings) -> None:
    """Have a shard write everything to the store."""
    async with (
        wiring.store(settings, make=True) as tables,
        wiring.log_of(settings) as log,
    ):
        generation = await log.generation()
        shard = ListenerShard(
            generation,
            listening=wiring.listening(tables, settings),
            log=log,
            commit_window_ms=5_000,
            now_ms=wiring.now_ms,
        )
        for partition in range(generation.partitions):
            wanted = await shard.open(partition)
            while records := await log.read(generation, partition, wanted, most_bytes=1 << 20):
                wanted = await shard.apply(partition, wanted, records)
        await shard.close()


async def archive(settings: Settings) -> None:
    """Carry everything to the warehouse, and tidy it."""
    async with opened(settings) as archive:
        await archive.write_all()
        await archive.tidy()


def timed(begun: tuple[float, float]) -> Spent:
    """How long it has been since `now`."""
    wall, cpu = now()
    return Spent(wall - begun[0], cpu - begun[1])


def now() -> tuple[float, float]:
    """The clock and the processor time of this process."""
    return time.perf_counter(), time.process_time()


def recount(settings: Settings, source: str) -> Spent:
    """Count the week again and compare it."""
    begun = now()
    of = ["--from", source, "--week", str(WEEK), "--data", str(settings.data), "--json"]
    if heartline(["recount", *of]):
        raise SystemExit(f"the recount from the {source} found differences")
    return timed(begun)


def main() -> None:
    """Fill a data directory, then measure."""
    options = argparse.ArgumentParser()
    options.add_argument("--listeners", type=int, default=LISTENERS)
    listeners = options.parse_args().listeners
    with scratch() as folder:
        settings = Settings(Path(folder))
        heartbeats = asyncio.run(fill(settings, listeners))
        warm()
        begun = now()
        asyncio.run(archive(settings))
        carried = timed(begun)
        files = list((settings.data / "warehouse").rglob("*.parquet"))
        size = sum(file.stat().st_size for file in files)
        asyncio.run(consume(settings))
        by_columns, by_oracle = (recount(settings, source) for source in ("warehouse", "log"))
    archived_us = 1e6 * carried.cpu_s / heartbeats
    week = "heartbeats a second, a week recounted from the warehouse"
    report(
        "warehouse",
        [Goal("µs of processor time for a heartbeat, archived", 3.0, archived_us, at_most=True)],
        figures=[
            Figure("heartbeats", heartbeats),
            Figure("heartbeats archived a second", heartbeats / carried.wall_s),
            Figure("bytes of the warehouse for a heartbeat", size / heartbeats),
            Figure(week, heartbeats / by_columns.wall_s),
            Figure("the same from the log by the oracle", heartbeats / by_oracle.wall_s),
            Figure("ratio of the two", by_oracle.wall_s / by_columns.wall_s),
        ],
    )


if __name__ == "__main__":
    main()
