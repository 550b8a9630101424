"""Recovery from `kill -9` of every part, under load: 200 rounds, and then every number is checked.

Victims are drawn so that each dies as often as any other, at random moments, some right after another
one. Posters send each request until it is answered; in the end the store must equal the log, and both
what was acknowledged, or the benchmark fails and names the seed that replays it.

Predicted: what Ray restarts by itself (shards, the tailer, replicas, HAProxy) within five seconds; what
takes the whole with it (raylet, GCS, agents, the driver) within detection, 0.1 s, plus a start, ten.
Seen: ``bench/results/chaos.json``: 200 rounds in 18 minutes, a million heartbeats acknowledged, no
difference, and no goal missed, the longest times included: a shard is back in 0.5 s, replicas in 1.1 to
2.2, HAProxy and its proxy in 3 to 4, what takes the whole with it in 5. Before workers were forked of a
process that has everything imported (`heartline.nursery`) a shard took 3.4 s and the whole 10 to 21: the
import of Ray and of what runs on it was 1.5 s of a core for each. HAProxy and its manager once were 23
and 46 s away: Ray looked every ten seconds and believed the third look.
To come: the read replicas, whose two seconds are Serve's turn of its controller and HAProxy's reload.
"""

import argparse
import os
import random
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bench.report import Figure, Goal, report
from tests.end_to_end.chaos.rounds import Chaos, Round, chaos

SAMPLE = 200


def play(battle: Chaos, count: int, console: Console) -> tuple[list[Round], list[float]]:
    """Play all rounds; with each the load of the machine."""
    rounds, loads = [], []
    with Progress(console=console) as progress:
        bar = progress.add_task("Rounds", total=count)
        for played in battle.rounds(count):
            rounds.append(played)
            loads.append(os.getloadavg()[0])
            progress.console.print(str(played), highlight=False)
            progress.advance(bar)
    return rounds, loads


def goals(rounds: Sequence[Round]) -> list[Goal]:
    """Hold the times of each victim, when it is struck alone, to its goal: the median and the longest."""
    times = defaultdict(list)
    for played in rounds:
        if played.before is None:
            times[played.victim].append(played.back_s)
    found = []
    for victim, runs in sorted(times.items(), key=lambda each: str(each[0])):
        what = f"s to all well: {victim}"
        found += [
            Goal.of_runs(f"{what}, median", victim.goal_s, runs, at_most=True),
            Goal(f"{what}, longest", victim.goal_s, max(runs), at_most=True),
        ]
    return found


def two_in_a_row(rounds: Sequence[Round]) -> list[Figure]:
    """Tell how it was where another victim died a moment earlier."""
    runs = [played.back_s for played in rounds if played.before]
    return [Figure.of_runs("s to all well after two in a row", runs)] if runs else []


def told(battle: Chaos, rounds: Sequence[Round], loads: Sequence[float]) -> list[Figure]:
    """Tell what else is to be known of a run."""
    ledger = battle.ledger
    return [
        *two_in_a_row(rounds),
        Figure("heartbeats acknowledged, each counted exactly once", ledger.taken),
        Figure("heartbeats refused, none counted", ledger.refused),
        Figure("requests sent again", ledger.retried),
        Figure.of_runs("load average of the machine meanwhile", loads),
    ]


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    arguments = parser.parse_args()
    console = Console()
    console.print(f"seed {arguments.seed}", highlight=False)
    with (
        tempfile.TemporaryDirectory(prefix="heartline-chaos-") as folder,
        chaos(Path(folder) / "data", seed=arguments.seed) as battle,
    ):
        rounds, loads = play(battle, arguments.rounds, console)
        console.print(battle.judge(SAMPLE), highlight=False)
        figures = told(battle, rounds, loads)
    report("chaos", goals(rounds), figures=figures)


if __name__ == "__main__":
    main()
