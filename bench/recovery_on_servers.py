"""Recovery of a shard, a consumer and a broker that are killed with -9 under a live load, to lag zero.

Kafka, Cassandra and Redis are on the same machine, and so is the crowd: a heartbeat each 30 s from each
listener, by HTTP, at about half of what the machine holds. The time runs from the kill until another is
there and everything that is in the log has been applied; the broker is started again at once.

Predicted: a shard 1.5 s for its process, then some rows of each listener of a window, 16 000 reads/s. A
consumer the same second and a half; its place in the group is its own (static membership), so nobody
waits for its session to end. A broker 3 s for its start and up to 9 s until it lets itself be written to.
Seen at load 11 of two cores, the crowd's and the servers' own: 10, 10 and 17 s. A shard's rows are read from
Cassandra while that writes those of the others, and a consumer has to be let into its group again.
To come: the same on three machines, where a broker is not alone.
"""

import argparse
import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from statistics import median

from bench.recovery import LIMIT_S, LOOK_S, Watch, tokens
from bench.report import Figure, Goal, report
from bench.rig.crowd import BEAT_S, Crowd
from bench.rig.servers import on_servers
from bench.rig.up import Up, scratch, up
from tests.end_to_end.chaos.backends import Backends

GOAL_S = 30.0
LISTENERS = 75_000


def kill_process(running: Up, title: str) -> Callable[[], bool]:
    """Kill one of the processes of that title; tells how to see that another is there."""
    before = running.named(title)
    os.kill(before[0], signal.SIGKILL)
    return lambda: bool(set(running.named(title)) - set(before))


def kill_broker(servers: Backends) -> Callable[[], bool]:
    """Kill Kafka and start it again; tells how to see that it answers."""
    servers.kill("kafka")
    return lambda: servers.answers("kafka")


def recovery_s(kill: Callable[[], Callable[[], bool]], watch: Watch) -> float:
    """Kill, and wait until all is well; the seconds that it took."""
    began_s = time.monotonic()
    there = kill()
    while not there():
        assert time.monotonic() - began_s < LIMIT_S, "it never came back"
        time.sleep(LOOK_S)
    watch.until_applied()
    return time.monotonic() - began_s


def goals(took: dict[str, Sequence[float]]) -> list[Goal]:
    """Hold each to its goal."""
    return [
        Goal.of_runs(f"s from kill -9 of a {name} to lag zero", GOAL_S, runs, at_most=True)
        for name, runs in took.items()
    ]


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--listeners", type=int, default=LISTENERS)
    parser.add_argument("--kills", type=int, default=3)
    arguments = parser.parse_args()
    took: dict[str, list[float]] = {"shard": [], "consumer": [], "broker": []}
    with on_servers() as servers, scratch() as data, up(data) as running:
        gateway, operator = asyncio.run(tokens(data))
        watch = Watch(running.url, operator)
        kills = {
            "shard": lambda: kill_process(running, "ray::_Shard"),
            "consumer": lambda: kill_process(running, "ray::_Consumer"),
            "broker": lambda: kill_broker(servers),
        }
        with Crowd(running.url, gateway, arguments.listeners) as crowd:
            while crowd.rounds < 1:
                time.sleep(LOOK_S)
            for _ in range(arguments.kills):
                for name, kill in kills.items():
                    time.sleep(BEAT_S / 3)
                    took[name].append(recovery_s(kill, watch))
                    print(f"{name}: {took[name][-1]:.1f} s", flush=True)
    report(
        "recovery_on_servers",
        goals(took),
        figures=[
            *(
                Figure(f"s to lag zero, {name}, median", median(runs))
                for name, runs in took.items()
            ),
            Figure("listeners", arguments.listeners),
            Figure("load average of the machine", os.getloadavg()[1]),
        ],
    )


if __name__ == "__main__":
    main()
