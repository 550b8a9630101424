"""Minutes read over HTTP: `GET /v1/me/listening/minutes`, 32 connections, one replica, one thread.

A thousand listeners with twenty hours in each of the last two weeks, read in turn through the real
`heartline up` (HAProxy, a replica of Ray Serve, SQLite). The peer is the very same application on
bare uvicorn, in the same run.

Predicted: 3 500 requests/s, for 195 µs of Serve's and 85 of ours a request. Seen at first, on a quiet
machine: 2 341, with 419 µs of CPU in the replica and 78 in HAProxy; bare uvicorn took 277. A profile of
the replica is flat Python: two thirds of all samples lie in the interpreter, 14 % in the kernel, 6 % in
NumPy, 5 % in SQLite. So what counts is how much different code a request runs.

What was won since, µs of CPU a request in the replica: 419 to 354 by summing only quarters that were
listened to, answering errors in the frame instead of in three layers, reading from one snapshot for
each turn of the event loop, and writing head and body at once (which halved HAProxy's part, too); to
250 by answering before Serve's account of the request (`heartline.shortcut`).

What would come next: the tally (18 µs, most of it making dictionaries of hours), both weeks in one sum
(6), the progress once for all requests of some milliseconds (3), and the headers of an answer: eleven.
"""

import argparse
import asyncio
from dataclasses import dataclass
from pathlib import Path
from random import Random

import httpx

from bench.report import Figure, Goal, report
from bench.rig.bare import bare
from bench.rig.cpu import cpu_s
from bench.rig.up import Up, scratch, up
from bench.rig.wrk import Load, write_requests, wrk
from domain.calendar import week_at, week_layout
from domain.rows import Rows, encode_week
from domain.units import QUARTER_MS, WEEK_MS, utc_week
from heartline import wiring
from stores.accounts import Account

PATH = "/v1/me/listening/minutes"
CONNECTIONS = 32
LISTENERS = 1_000
QUARTERS = 80  # of a week in which somebody listened: twenty hours
ZONES = ("Asia/Kolkata", "Europe/Berlin", "America/New_York", "UTC")
WARM_S = 3


async def listeners(data: Path) -> list[Account]:
    """Make accounts that listened in the last two weeks."""
    random, now_ms = Random(7), wiring.now_ms()  # noqa: S311
    async with wiring.store(wiring.settings(data), make=True) as tables:
        accounts = wiring.accounts(tables)
        made = await asyncio.gather(
            *[
                accounts.create(f"listener-{i}", password=None, time_zone=ZONES[i % len(ZONES)])
                for i in range(LISTENERS)
            ]
        )
        weeks = [
            (account.listener_id, week, encode_week(week, _quarters(random, account, now_ms)))
            for account in made
            for week in range(utc_week(now_ms - 2 * WEEK_MS), utc_week(now_ms) + 1)
        ]
        rows = wiring.listening(tables, wiring.settings(data))
        await rows.write(Rows(hours=[], weeks=weeks, plays=[]), 1)
    return made


def _quarters(random: Random, account: Account, now_ms: int) -> dict[int, int]:
    week = week_at(account.zones, now_ms)
    first = week_layout(account.zones, week.previous()).first_quarter
    last = week_layout(account.zones, week).last_quarter
    chosen = random.sample(range(first, last + 1), 2 * QUARTERS)
    return {quarter: random.randint(1, QUARTER_MS) for quarter in chosen}


def requests_of(data: Path, accounts: list[Account]) -> list[bytes]:
    """Write one request of each account."""
    tokens = wiring.tokens(data)
    return [
        f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {tokens.sign(account.listener_id, account.scopes)}\r\n\r\n".encode()
        for account in accounts
    ]


def check(url: str, data: Path, accounts: list[Account]) -> None:
    """See that what is measured is the right answer."""
    tokens = wiring.tokens(data)
    for account in accounts[:20]:
        token = tokens.sign(account.listener_id, account.scopes)
        headers = {"authorization": f"Bearer {token}"}
        told = httpx.get(url + PATH, headers=headers, trust_env=False).json()
        assert told["listener_id"] == account.listener_id
        assert told["minutes"] + told["previous"]["minutes"] > QUARTERS


@dataclass(frozen=True, slots=True)
class Seen:
    """What one run saw: the load, and what each part's processes took of a request, µs."""

    load: Load
    replica_us: float
    front_us: float


def measure_up(running: Up, requests: Path, seconds: int, repeats: int) -> list[Seen]:
    """Measure Heartline, and how the processor's time is shared."""
    (replica,), (front,) = running.named("ServeReplica:listening"), running.named("bin/haproxy")
    seen = []
    for _ in range(repeats):
        before = cpu_s(replica), cpu_s(front)
        (load,) = measure(running.url, requests, seconds, 1)
        each_us = 1e6 / (load.per_s * seconds)
        took = cpu_s(replica) - before[0], cpu_s(front) - before[1]
        seen.append(Seen(load, took[0] * each_us, took[1] * each_us))
    return seen


def measure(url: str, requests: Path, seconds: int, repeats: int) -> list[Load]:
    """Measure some times."""
    loads = [wrk(url, requests, connections=CONNECTIONS, seconds=seconds) for _ in range(repeats)]
    assert not any(load.failed for load in loads), loads
    return loads


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--seconds", type=int, default=8, help="of each run")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one short run, kept nowhere")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.seconds, arguments.repeats = 3, 1
    with scratch() as data:
        accounts = asyncio.run(listeners(data))
        requests = data / "requests"
        write_requests(requests, requests_of(data, accounts))
        with up(data) as running:
            check(running.url, data, accounts)
            wrk(running.url, requests, connections=CONNECTIONS, seconds=WARM_S)
            seen = measure_up(running, requests, arguments.seconds, arguments.repeats)
            with bare("listening", data) as url:
                check(url, data, accounts)
                wrk(url, requests, connections=CONNECTIONS, seconds=WARM_S)
                alone = measure(url, requests, arguments.seconds, arguments.repeats)
    served = [run.load for run in seen]
    ratios = [a.per_s / b.per_s for a, b in zip(served, alone, strict=True)]
    report(
        "read",
        [
            Goal.of_runs("requests/s", 3_500, [load.per_s for load in served]),
            Goal.of_runs("p99, ms", 20, [load.p99_ms for load in served], at_most=True),
            Goal.of_runs("times the same handler on bare uvicorn", 0.35, ratios),
        ],
        figures=[
            Figure.of_runs("requests/s on bare uvicorn", [load.per_s for load in alone]),
            Figure.of_runs("p99 on bare uvicorn", [load.p99_ms for load in alone], "ms"),
            Figure.of_runs("p50", [load.p50_ms for load in served], "ms"),
            Figure.of_runs("replica, CPU a request", [run.replica_us for run in seen], "µs"),
            Figure.of_runs("HAProxy, CPU a request", [run.front_us for run in seen], "µs"),
        ],
    )


if __name__ == "__main__":
    main()
