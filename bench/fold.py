"""The fold on one core: log records in, state of a million active listeners, dirty rows out.

Every listener plays one track after the other, a heartbeat each 30 s, in batches of 1 000 in random
order. Measured is what a shard does with a record but for the store: decode, find the listeners,
apply, and, once a window, collect. The peer is plain Python: records decoded into structs, and
dictionaries that do the hot path only, for some of the listeners.

Predicted: 5 M heartbeats/s, bound by cache misses; the prototype, without plays and rows, had 7.4 M.
What was seen stands in ``bench/results/fold.json``; the lookup's misses cost the most: a listener's
id, record and hash-table place are three lines of memory that nothing has touched for 30 s. To come:
prefetching the next rows' places, and ids and records in one line.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from statistics import median

import numpy as np
import pyarrow as pa

from bench.report import Goal, report
from domain.batches import SCHEMA, encode, heartbeats_of
from domain.columns import columns_of, decode, read
from domain.fold import Fold, Stored, Wanted
from domain.heartbeats import Kind
from domain.units import HOUR_MS, JOIN_MS, MINUTE_MS, QUARTER_MS

BEAT_MS = 30_000
START_MS = 1_795_000_000_000 // HOUR_MS * HOUR_MS + 5 * MINUTE_MS
BEATS_PER_TRACK = 7
TRACKS = 5_000
SAMPLE = 20_000


def ids_of(listeners: int) -> pa.Array:
    """Ids as accounts have them: 22 characters."""
    return pa.array([f"{number:022d}" for number in range(listeners)])


def batch_of(chosen: np.ndarray, step: int, ids: pa.Array) -> pa.RecordBatch:
    """The heartbeats of some listeners in one round; tracks change at different rounds."""
    song = (chosen + step) // BEATS_PER_TRACK
    rows = len(chosen)
    tracks = pa.array(
        [f"track{(a * 31 + b) % TRACKS:017d}" for a, b in zip(chosen, song, strict=True)]
    )
    plays = pa.array([f"play{a:010d}{b:08d}" for a, b in zip(chosen, song, strict=True)])
    columns = {
        "listener_id": ids.take(pa.array(chosen)),
        "track_id": tracks,
        "play_id": plays,
        "stretch": np.zeros(rows, "i4"),
        "kind": np.full(rows, int(Kind.BEAT), "i1"),
        "at": START_MS + step * BEAT_MS + chosen % 1_000,
        "position_ms": np.full(rows, -1),
        "device_id": ["phone"] * rows,
        "context": ["album:1"] * rows,
        "id": ids.take(pa.array(chosen)),
    }
    return pa.RecordBatch.from_arrays(
        [pa.array(columns[f.name], f.type) for f in SCHEMA], schema=SCHEMA
    )


def rounds(listeners: int, batch: int, steps: int) -> Iterator[list[bytes]]:
    """The records of each round: every listener once, in random order."""
    rng, ids = np.random.default_rng(7), ids_of(listeners)
    for step in range(steps):
        order = rng.permutation(listeners)
        yield [
            encode(batch_of(order[begin : begin + batch], step, ids))
            for begin in range(0, listeners, batch)
        ]


def nothing(wanted: Wanted) -> Stored:
    """What a store without these listeners answers."""
    return Stored(
        [False] * len(wanted.owners),
        [None] * len(wanted.hour_places),
        [None] * len(wanted.week_places),
        [None] * len(wanted.play_places),
    )


def apply_all(fold: Fold, records: list[bytes]) -> Counter[str]:
    """Apply a round; the ns that each part took."""
    spent: Counter[str] = Counter()
    clock = time.thread_time_ns
    for position, payload in enumerate(records, 1):
        began = clock()
        columns = columns_of([read(payload)], [position])
        decoded = clock()
        found, wanted = fold.plan(columns)
        planned = clock()
        if wanted:
            fold.install(wanted, nothing(wanted))
        installed = clock()
        fold.apply(columns, found)
        spent += Counter(
            decode=decoded - began,
            lookup=planned - decoded,
            install=installed - planned,
            apply=clock() - installed,
        )
    return spent


def plain_python(records: list[bytes]) -> float:
    """Heartbeats a second of dictionaries doing the hot path only: no rows, plays or late beats."""
    last: dict[tuple[str, str, str, int], int] = {}
    quarters: Counter[tuple[str, int]] = Counter()
    began, count = time.perf_counter(), 0
    for payload in records:
        for beat in heartbeats_of(decode(payload)):
            count += 1
            lane = beat.listener_id, beat.track_id, beat.play_id, beat.stretch
            before = last.get(lane)
            if before is not None and 0 <= beat.at - before <= JOIN_MS:
                quarters[beat.listener_id, beat.at // QUARTER_MS] += beat.at - before
            last[lane] = beat.at
    return count / (time.perf_counter() - began)


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--listeners", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=10, help="the first one is not counted")
    arguments = parser.parse_args()
    fold, seen, plain = Fold(), [], 0.0
    for number, records in enumerate(
        rounds(arguments.listeners, arguments.batch, arguments.rounds)
    ):
        spent = apply_all(fold, records)
        if number == 0:
            plain = plain_python(records[: SAMPLE // arguments.batch + 1])
            continue
        seen.append(spent)
        parts = ", ".join(f"{part} {ns / arguments.listeners:.0f}" for part, ns in spent.items())
        print(f"round {number}: {parts} ns a heartbeat")
    began = time.perf_counter()
    rows = fold.collect()
    print(f"collect: {len(rows):,} rows in {time.perf_counter() - began:.1f} s")
    rate = arguments.listeners / (median(sum(spent.values()) for spent in seen) / 1e9)
    size = fold.size_bytes / arguments.listeners
    report(
        "fold",
        [
            Goal("million heartbeats a second on one core", 3.0, rate / 1e6),
            Goal("times plain Python", 20.0, rate / plain),
            Goal("bytes in memory a listener", 1_000.0, size, at_most=True),
        ],
    )


if __name__ == "__main__":
    main()
