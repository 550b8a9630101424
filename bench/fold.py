"""How many heartbeats one core folds: decode, find the listeners, apply, plays and dirty marks.

Every listener plays tracks of 3.5 minutes and sends a heartbeat each 30 s, in batches of 1 000 in
random order; ids are random, as accounts and clients make them. Measured is the processor time of
what a shard does with records but for the store: decode, find the listeners and what must be read,
apply, and, once a window, count plays and collect rows. Records are folded a mebibyte at a time, as
the tailer hands them over when there is much to do; one by one, printed apart, each pays for Python.
Not counted are the first round of each run, in which every listener is new, and the second, in which
nearly every play reaches its 30 s at once. Peers: polars, which does the sessionization of the same
heartbeats in one go (sort, difference, group, sum; on one thread); the oracle, which is the rule in
plain Python and makes the same quarters and plays; and Python dictionaries that do the hot path only.

Predicted: 5 M heartbeats/s, bound by cache misses; the prototype, without plays and rows, had 7.4 M.
Seen at first: 0.68 M. Profiled part by part: a third was Arrow's objects and checks for each record,
a third the listener's lines of memory, each waited for in turn (a wrong first guess in the hash table
cost more than all compute), the rest the two heartbeats of a play that touch rows. So each pass asks
for the memory of the next, the second heartbeat of a play touches the play alone, and plays are named
once a window: 1.7 M. Then zstd was the largest part: ids do not compress, so records are packed by
column (decode 221 -> 78 ns), applying asks ahead, too (142 -> 63), and planning takes so few rows at a
time that what it asked for is still there (200 -> 118). What is left is spread evenly: letters are
unpacked (30 ns) and hashed (30), a listener's and a play's lines are fetched although asked for (100),
a seventh of the heartbeats begins a play (0.4 µs each), Python takes 0.06 ms a call. With five times
the listeners the hash table, too, is beyond all caches.
"""

import argparse
import importlib
import os
import time
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from rich.progress import track

from bench.report import Figure, Goal, report
from domain.batches import SCHEMA, heartbeats_of
from domain.columns import columns_of, decode
from domain.fold import Fold
from domain.heartbeats import Heartbeat, Kind
from domain.payloads import encode, open_payload
from domain.recount import plays, quarters
from domain.units import HOUR_MS, JOIN_MS, MINUTE_MS, QUARTER_MS
from domain.wanted import Stored, Wanted
from streams.tailer import MOST_BYTES

BEAT_MS = 30_000
START_MS = 1_795_000_000_000 // HOUR_MS * HOUR_MS + 5 * MINUTE_MS
BEATS_PER_TRACK = 7
TRACKS = 100_000
SAMPLE = 20_000
PEER_ROUNDS = 3
UNCOUNTED = 2  # rounds, until a run is as it goes on
LARGER = 5  # times as many listeners, and how much of the rate must be left with them
ALPHABET = np.frombuffer(
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", np.uint8
)
MIXED = np.uint64(0x9E3779B97F4A7C15)

Numbers = npt.NDArray[Any]


def names_of(numbers: Numbers, size: int = 22) -> pa.Array:
    """An id of random letters and digits for each number, the same for the same."""
    left, right = numbers.astype(np.uint64) * MIXED, (numbers.astype(np.uint64) + MIXED) * MIXED
    letters = np.empty((len(numbers), size), np.uint8)
    for place in range(size):
        left, right = (left ^ (left >> np.uint64(29))) * MIXED, left + right
        letters[:, place] = ALPHABET[(left >> np.uint64(40)) % np.uint64(len(ALPHABET))]
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * size
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets), pa.py_buffer(letters))


def batch_of(chosen: Numbers, step: int) -> pa.RecordBatch:
    """The heartbeats of some listeners in one round; tracks change at different rounds."""
    song = (chosen + step) // BEATS_PER_TRACK
    rows = len(chosen)
    columns = {
        "listener_id": names_of(chosen),
        "track_id": names_of((chosen * 31 + song) % TRACKS),
        "play_id": names_of(chosen * 1_000_003 + song),
        "stretch": np.zeros(rows, "i4"),
        "kind": np.full(rows, int(Kind.BEAT), "i1"),
        "at": START_MS + step * BEAT_MS + chosen % 1_000,
        "position_ms": np.full(rows, -1),
        "device_id": ["phone"] * rows,
        "context": ["album:1"] * rows,
        "id": names_of(chosen * 97 + step, 8),
    }
    arrays = [pa.array(columns[f.name], f.type) for f in SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def rounds(listeners: int, batch: int, steps: int) -> Iterator[list[bytes]]:
    """The records of each round: every listener once, in random order."""
    rng = np.random.default_rng(7)
    for step in range(steps):
        order = rng.permutation(listeners)
        yield [
            encode(batch_of(order[begin : begin + batch], step))
            for begin in range(0, listeners, batch)
        ]


def nothing(wanted: Wanted) -> Stored:
    """What a store without these listeners answers."""
    return Stored(
        erased=[False] * len(wanted.owners),
        hours=[None] * len(wanted.hour_places),
        weeks=[None] * len(wanted.week_places),
        plays=[None] * len(wanted.play_places),
    )


def handed_over(records: list[bytes], most_bytes: int) -> Iterator[list[bytes]]:
    """The records of each call: as many as there are in *most_bytes*, but one at least."""
    begin = 0
    while begin < len(records):
        each = max(1, most_bytes // len(records[begin]))
        yield records[begin : begin + each]
        begin += each


def apply_all(fold: Fold, records: list[bytes], most_bytes: int = MOST_BYTES) -> Counter[str]:
    """Apply a round; the ns of processor time that each part took."""
    spent: Counter[str] = Counter()
    clock = time.thread_time_ns
    for some in handed_over(records, most_bytes):
        began = clock()
        columns, _ = columns_of(
            [open_payload(payload) for payload in some], range(1, 1 + len(some))
        )
        decoded = clock()
        found, wanted = fold.plan(columns)
        planned = clock()
        fold.install(wanted, nothing(wanted))
        installed = clock()
        fold.apply(columns, found)
        spent["decode"] += decoded - began
        spent["find"] += planned - decoded
        spent["install"] += installed - planned
        spent["apply"] += clock() - installed
    return spent


class Run:
    """A fold over some rounds: what each part took a heartbeat, in ns, in the median of rounds."""

    def __init__(self, listeners: int, batch: int, steps: int) -> None:
        self.fold, self.listeners = Fold(), listeners
        self.kept: list[list[bytes]] = []
        seen = []
        self.one_by_one = 0.0
        for number, records in enumerate(
            track(rounds(listeners, batch, steps), f"{listeners:,} listeners", steps)
        ):
            if number == steps - 1:
                spent = apply_all(self.fold, records, 0)
                self.one_by_one = 1e3 * listeners / sum(spent.values())
                continue
            spent = apply_all(self.fold, records)
            if number >= UNCOUNTED:
                seen.append(spent)
            if number < PEER_ROUNDS:
                self.kept.append(records)
        self.runs = [sum(spent.values()) / listeners for spent in seen]
        self.parts = {
            part: median(spent[part] / listeners for spent in seen)
            for part in ("decode", "find", "install", "apply")
        }

    @property
    def rates(self) -> list[float]:
        """Million heartbeats a second, of each round."""
        return [1e3 / ns for ns in self.runs]


def of_polars(kept: list[list[bytes]]) -> float:
    """Heartbeats a second of polars, on one thread, all heartbeats at once; decoding not counted."""
    os.environ["POLARS_MAX_THREADS"] = "1"  # read when it is imported
    pl: Any = importlib.import_module("polars")
    table = pa.Table.from_batches([decode(payload) for records in kept for payload in records])
    frame = pl.from_arrow(table.select(["listener_id", "track_id", "play_id", "stretch", "at"]))
    lane = ["listener_id", "track_id", "play_id", "stretch"]
    began = time.perf_counter()
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in lane)
    listened = (
        frame.lazy()
        .sort([*lane, "at"])
        .with_columns(ms=pl.col("at").diff(), same=same)
        .filter(pl.col("same") & (pl.col("ms") <= JOIN_MS))
        .group_by("listener_id", pl.col("at") // QUARTER_MS)
        .agg(pl.col("ms").sum())
        .collect()
    )
    assert len(listened)
    return len(frame) / (time.perf_counter() - began)


def of_dictionaries(beats: list[Heartbeat]) -> float:
    """Heartbeats a second of dictionaries doing the hot path only: no rows, plays or late beats."""
    last: dict[tuple[str, str, str, int], int] = {}
    listened: Counter[tuple[str, int]] = Counter()
    began = time.thread_time()
    for beat in beats:
        lane = beat.listener_id, beat.track_id, beat.play_id, beat.stretch
        before = last.get(lane)
        if before is not None and 0 <= beat.at - before <= JOIN_MS:
            listened[beat.listener_id, beat.at // QUARTER_MS] += beat.at - before
        last[lane] = beat.at
    return len(beats) / (time.thread_time() - began)


def of_the_oracle(beats: list[Heartbeat]) -> float:
    """Heartbeats a second of plain Python that makes the same quarters and plays, not incremental."""
    began = time.thread_time()
    own: dict[str, list[Heartbeat]] = {}
    for beat in beats:
        own.setdefault(beat.listener_id, []).append(beat)
    assert all(quarters(each) and plays(each) for each in own.values())
    return len(beats) / (time.thread_time() - began)


def windows(run: Run) -> list[Figure]:
    """What a window costs at its end, counted plays and rows, for all that was folded."""
    clock = time.thread_time_ns
    began = clock()
    counted = run.fold.take_counted()
    between = clock()
    rows = run.fold.collect()
    counts, each = max(1, len(counted.of)), max(1, len(rows))
    return [
        Figure("count plays, a play", (between - began) / counts, "ns"),
        Figure("collect, a row", (clock() - between) / each, "ns"),
    ]


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--listeners", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument(
        "--rounds",
        type=int,
        default=8,
        help="the first two are not counted, the last is one by one",
    )
    arguments = parser.parse_args()
    run = Run(arguments.listeners, arguments.batch, arguments.rounds)
    rate = median(run.rates)
    size = run.fold.size_bytes / run.listeners
    polars = of_polars(run.kept)
    records = chain.from_iterable(rounds(SAMPLE, arguments.batch, PEER_ROUNDS))
    beats = [beat for payload in records for beat in heartbeats_of(decode(payload))]
    oracle, hot = of_the_oracle(beats), of_dictionaries(beats)
    figures = [Figure(f"{part}, a heartbeat", ns, "ns") for part, ns in run.parts.items()]
    figures += [
        Figure("records one by one", run.one_by_one, "million/s"),
        Figure("polars", polars, "heartbeats/s"),
        Figure("the oracle", oracle, "heartbeats/s"),
    ]
    figures += [Figure("dictionaries, hot path only and decoded before", hot, "heartbeats/s")]
    figures += windows(run)
    del run.fold, run.kept
    larger = Run(LARGER * arguments.listeners, arguments.batch, UNCOUNTED + PEER_ROUNDS + 1)
    report(
        "fold",
        [
            Goal.of_runs("million heartbeats a second on one core", 3.0, run.rates),
            Goal(f"of that, with {LARGER} times the listeners", 0.6, median(larger.rates) / rate),
            Goal("times polars", 2.0, rate * 1e6 / polars),
            Goal("times plain Python", 20.0, rate * 1e6 / oracle),
            Goal("bytes in memory a listener", 1_000.0, size, at_most=True),
        ],
        figures=figures,
    )


if __name__ == "__main__":
    main()
