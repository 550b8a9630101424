"""Seeds of the simulator: the real state machines under faults, in virtual time, against the oracle.

Each seed is a log, a store, shards and a tailer in one process, some hundred events long: crashes,
zombies, lost answers, flushes applied by half, new generations. Then rivals want the same names,
accounts and refresh tokens of a cluster, whose conditional writes are late, unfinished, or lose their
answers; each must have been told what came of it. Measured is how many seeds a machine
checks in a second; promised is that not one of them finds a difference.

Predicted: 20 seeds/s on a core. What was seen stands in ``bench/results/sim.json``; half of the time
is the event loop's, most of the rest goes into collecting rows, which costs the same for few as for
many. To come: nothing, a night is long enough.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.report import Figure, Goal, report
from tests.simulator.simulation import simulate

AT_ONCE = 20

Found = tuple[int, str]  # a seed, and what was wrong


def some(seeds: range) -> tuple[list[Found], Counter[str]]:
    """Run seeds: those that fail, and how often each kind of fault struck."""
    failed, occurred = [], Counter[str]()
    for seed in seeds:
        outcome = simulate(seed)
        occurred.update(outcome.occurred)
        if outcome.error:
            failed.append((seed, outcome.error))
    return failed, occurred


def all_of(seeds: range, processes: int) -> tuple[list[Found], Counter[str]]:
    """Run seeds on several processes, and show how far they are."""
    failed, occurred = list[Found](), Counter[str]()
    parts = [seeds[begin : begin + AT_ONCE] for begin in range(0, len(seeds), AT_ONCE)]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawn) as pool, bar() as progress:
        shown = progress.add_task("seeds", total=len(seeds))
        for part, (wrong, struck) in zip(parts, pool.map(some, parts), strict=True):
            for seed, error in wrong:
                progress.print(told(seed, error), markup=False)
            failed += wrong
            occurred += struck
            progress.advance(shown, len(part))
    return failed, occurred


def bar() -> Progress:
    """Make the progress bar."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    return Progress(*columns, TimeRemainingColumn())


def told(seed: int, error: str) -> str:
    """Say what a seed has found, and how to see it again."""
    return f"seed {seed}: {error}\n  replay it: python -m bench.sim --seed {seed} --trace"


def one(seed: int, *, trace: bool) -> int:
    """Run one seed; *trace*: and print its events."""
    outcome = simulate(seed)
    lines: Iterable[str] = outcome.trace if trace else ()
    for line in lines:
        print(line)
    print(told(seed, outcome.error) if outcome.error else f"seed {seed}: nothing is wrong")
    return 1 if outcome.error else 0


def main() -> int:
    """Run and report; the exit status is 1 if a seed fails."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=10_000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--trace", action="store_true", help="print the events of --seed")
    given = parser.parse_args()
    if given.seed is not None:
        return one(given.seed, trace=given.trace)
    began = time.perf_counter()
    failed, occurred = all_of(range(given.first, given.first + given.seeds), given.processes)
    rate = given.seeds / (time.perf_counter() - began)
    report(
        "sim",
        [Goal("seeds that find a difference", 0, len(failed), at_most=True)],
        figures=[
            Figure("seeds", given.seeds),
            Figure("seeds a second", rate, f"on {given.processes} processes"),
            *(Figure(kind, count) for kind, count in sorted(occurred.items())),
        ],
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
