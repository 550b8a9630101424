"""The start of `heartline up`: on an empty directory, and on one with ten million heartbeats in its log.

The ten million are of 100 000 listeners, were appended to the log in records of a thousand, and have
been consumed by an `up` before; it was stopped, or killed whole, in which case its last window is
consumed again. The time runs from the command to the line that says that it is ready.

Predicted at first: bound by 15 s of a core that sixteen processes spend importing, so eight seconds on
two; nothing of it grows with the log, whose ends are looked up in an index.
Seen then: 12.7 and 14.5 s, for 15.5 to 22 s of a core. Since workers are forked of a process that has
imported all (`heartline.nursery`), a start takes 5.5 to 8 s of a core and 5 to 6 s:
``bench/results/start.json``. Ray's dashboard server, log monitor and autoscaler are not started
(`heartline.ray_node`), and workers start side by side, not one after another.
To come: Ray's two agents, 1.5 s of a core, without which the raylet waits for ports that nobody tells it.
"""

import argparse
import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.report import Figure, Goal, report
from bench.rig.up import Up, scratch, up
from domain.batches import SCHEMA
from domain.hashing import partition_of
from domain.heartbeats import Kind
from domain.payloads import encode
from domain.positions import SHARDS
from heartline import processes, wiring
from heartline.settings import Settings

EMPTY_S, FULL_S = 15.0, 20.0
LISTENERS = 100_000
RECORD = 1_000
APPENDED_AT_ONCE = 100  # records in a transaction
BEAT_MS = 30_000
BEATS_PER_TRACK = 7
LIMIT_S = 1_200.0
LOOK_S = 0.2


def records(heartbeats: int, partitions: int, now_ms: int) -> Iterator[tuple[int, bytes]]:
    """Make the log's records: every listener in turn, a heartbeat each 30 s, up to now."""
    names = [f"{number:022d}" for number in range(LISTENERS)]
    of = np.array([partition_of(name, partitions) for name in names])
    rounds = heartbeats // LISTENERS
    for step in range(rounds):
        at = now_ms - (rounds - step) * BEAT_MS
        for partition in range(partitions):
            listeners = np.flatnonzero(of == partition)
            for begin in range(0, len(listeners), RECORD):
                some = [names[place] for place in listeners[begin : begin + RECORD]]
                yield partition, encode(_batch(some, step, at))


def _batch(names: list[str], step: int, at: int) -> pa.RecordBatch:
    song, rows = step // BEATS_PER_TRACK, len(names)
    columns = {
        "listener_id": names,
        "track_id": [f"track{song:017d}"] * rows,
        "play_id": [f"{name}{song:08d}" for name in names],
        "stretch": np.zeros(rows, "i4"),
        "kind": np.full(rows, int(Kind.BEAT), "i1"),
        "at": np.full(rows, at),
        "position_ms": np.full(rows, -1),
        "device_id": ["phone"] * rows,
        "context": ["album:1"] * rows,
        "id": [f"{name}{step:06d}" for name in names],
    }
    return pa.RecordBatch.from_arrays(
        [pa.array(columns[each.name], each.type) for each in SCHEMA], schema=SCHEMA
    )


async def fill(data: Path, heartbeats: int) -> None:
    """Append *heartbeats* to the log of a new data directory."""
    partitions = Settings(data).partitions
    async with wiring.log_of(Settings(data), make=True) as log:
        waiting: list[tuple[int, bytes]] = []
        for record in records(heartbeats, partitions, wiring.now_ms()):
            waiting.append(record)
            if len(waiting) == APPENDED_AT_ONCE:
                await log.append(waiting)
                waiting.clear()
        await log.append(waiting)


async def until_committed(data: Path) -> None:
    """Wait until everything that is in the log is in rows, and committed."""
    end_s = time.monotonic() + LIMIT_S
    async with wiring.log_of(Settings(data)) as log:
        generation = await log.generation()
        while await log.committed(SHARDS, generation) != await log.ends(generation):
            if time.monotonic() > end_s:
                raise SystemExit("the log was never consumed")
            await asyncio.sleep(LOOK_S)


def start_s(data: Path, *, killed: bool = False) -> float:
    """Start on *data*, and end it; the seconds until it was ready."""
    began_s = time.monotonic()
    with up(data) as running:
        took_s = time.monotonic() - began_s
        if killed:
            kill_everything(running)
    print(f"ready after {took_s:.1f} s")
    return took_s


def kill_everything(running: Up) -> None:
    """Kill the whole tree of processes at once."""
    processes.kill(running.pids())
    running.process.wait()


def empty_s() -> float:
    """Start on a new directory."""
    with scratch() as data:
        return start_s(data)


def full_s(heartbeats: int, runs: int) -> tuple[list[float], list[float]]:
    """Start on a log of *heartbeats*, after a clean stop, and after a kill of everything."""
    with scratch() as data:
        print(f"appending {heartbeats} heartbeats ...")
        asyncio.run(fill(data, heartbeats))
        print("consuming them ...")
        with up(data):
            asyncio.run(until_committed(data))
        stopped = [start_s(data) for _ in range(runs)]
        start_s(data, killed=True)
        return stopped, [start_s(data, killed=True) for _ in range(runs)]


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--heartbeats", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    empty = [empty_s() for _ in range(arguments.runs)]
    stopped, killed = full_s(arguments.heartbeats, arguments.runs)
    said = f"{arguments.heartbeats / 1e6:g} million heartbeats"
    report(
        "start",
        [
            Goal.of_runs("s to ready on an empty directory", EMPTY_S, empty, at_most=True),
            Goal.of_runs(f"s to ready on {said}", FULL_S, stopped, at_most=True),
        ],
        figures=[Figure.of_runs(f"s to ready on {said}, after kill -9 of everything", killed)],
    )


if __name__ == "__main__":
    main()
