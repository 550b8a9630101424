"""Presence on Redis: what a heartbeat costs the shard and Redis more, and how fast friends are read.

Listeners are told to a real Redis, 500 at once, as a shard tells them: all of them for the first
time, which is published, then with each beat that goes on. The peer writes the same values with
redis-py alone, a pipeline of SET with a time to live, without versions and without telling anybody.
A list of friends is read as readers do; the peer asks for one friend after another.

Predicted: 4 µs of a shard's processor time for telling, as much as the pipeline takes, since one
script with a thousand arguments is one command; 2 µs for finding out what is to be told.
Seen at first: 3.5 and 8; the latter was NumPy's records read field by field, and frozen dataclasses.
By columns, and with msgspec's structs, it is 2. What is left is Python's strings: a kernel that writes
values next to the names would take most of it away.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from redis.asyncio import Redis as Client

from actors.announcer import AT_ONCE
from bench.fold import START_MS, nothing, rounds
from bench.report import Figure, Goal, report
from bench.rig.cpu import cpu_s
from domain.columns import columns_of
from domain.fold import Fold
from domain.payloads import open_payload
from domain.ports import Announcement
from domain.units import PRESENCE_MS, SECOND_MS
from stores.redis_presence import RedisPresence, encode
from tests.servers.fleet import PROGRAMS
from tests.servers.redis import Redis
from tests.servers.running import Running, launch, stop, wait_until_ready

FRIENDS = 100
READS = 300
RUNS = 3
BATCH = 1_000
US, MS = 1e6, 1e3


@contextmanager
def redis() -> Iterator[Running]:
    """A Redis of our own."""
    Redis().install(PROGRAMS)
    with tempfile.TemporaryDirectory() as home:
        running = launch(Redis(), Path(home), PROGRAMS, usual_ports=False, with_us=True)
        wait_until_ready(running)
        try:
            yield running
        finally:
            stop(running)


def announced(listeners: int) -> tuple[list[list[Announcement]], dict[str, float]]:
    """Fold three rounds of heartbeats; what each has to announce, and µs a heartbeat of its parts."""
    fold, clock = Fold(), time.thread_time
    told, spent = list[list[Announcement]](), {"noticing": 0.0, "finding": 0.0}
    for step, records in enumerate(rounds(listeners, BATCH, RUNS)):
        now_ms = START_MS + step * 30 * SECOND_MS + SECOND_MS
        told.append([])
        for payload in records:
            columns, _ = columns_of([open_payload(payload)], [step + 1])
            found, wanted = fold.plan(columns)
            fold.install(wanted, nothing(wanted))
            begun = clock()
            before = fold.seen(found)
            looked = clock()
            fold.apply(columns, found)
            applied = clock()
            names = fold.news(before, now_ms)
            noticed = clock()
            for begin in range(0, len(names), AT_ONCE):
                told[-1] += fold.announcements(names[begin : begin + AT_ONCE], now_ms, step + 1)
            spent["noticing"] += looked - begun + noticed - applied
            spent["finding"] += clock() - noticed
    return told, {part: seconds / listeners / RUNS * US for part, seconds in spent.items()}


async def timed(
    write: Callable[[Sequence[Announcement]], Awaitable[None]], told: Sequence[Announcement]
) -> float:
    """Write everything, some at once; µs of this process's time for each."""
    begun = time.thread_time()
    for begin in range(0, len(told), AT_ONCE):
        await write(told[begin : begin + AT_ONCE])
    return (time.thread_time() - begun) / len(told) * US


async def read_ms(read: Callable[[int], Awaitable[None]]) -> list[float]:
    """How many ms each of some reads took."""
    taken = []
    for number in range(READS):
        begun = time.perf_counter()
        await read(number)
        taken.append((time.perf_counter() - begun) * MS)
    return taken


@dataclass(frozen=True, slots=True)
class Seen:
    """What was measured: µs a listener but for reads, which are ms each."""

    parts: dict[str, float]  # of finding out what is to be told
    ours: list[float]
    peers: list[float]
    server_us: float
    reads: list[float]
    peer_reads: list[float]


async def measure(listeners: int, server: Running) -> Seen:
    """Tell what is told, read it, and do both as the peer does."""
    told, parts = announced(listeners)
    url = server.settings["HEARTLINE_PRESENCE"]
    presence = RedisPresence(url, now_ms=lambda: START_MS, jitter=lambda: 0.0)
    names = [each.listener_id for each in told[-1]]
    async with Client.from_url(url) as client:

        async def piped(some: Sequence[Announcement]) -> None:
            pipeline = client.pipeline(transaction=False)
            for each in some:
                pipeline.set(f"peer:{each.listener_id}", encode(each), px=PRESENCE_MS)
            await pipeline.execute()

        async def friends(number: int) -> None:
            await presence.now_playing(names[number : number + FRIENDS])

        async def one_by_one(number: int) -> None:
            for name in names[number : number + FRIENDS]:
                await client.get(f"peer:{name}")

        before = cpu_s(server.pid)
        ours = [await timed(presence.announce, each) for each in told]
        server_us = (cpu_s(server.pid) - before) / sum(map(len, told)) * US
        peers = [await timed(piped, each) for each in told]
        seen = Seen(
            parts, ours, peers, server_us, await read_ms(friends), await read_ms(one_by_one)
        )
    await presence.close()
    return seen


def hand_in(seen: Seen) -> None:
    """Say what was seen."""
    shard_us = sum(seen.parts.values()) + median(seen.ours)
    p99_ms = quantiles(seen.reads, n=100)[98]
    at_once = median(seen.peer_reads) / median(seen.reads)
    telling = median(seen.peers) / median(seen.ours)
    goals = [
        Goal(f"p99 of reading {FRIENDS} friends, ms", 5.0, p99_ms, at_most=True),
        Goal("times as fast as asking for one after another", 20.0, at_once),
        Goal("times as fast as a pipeline of SET, telling", 1.0, telling),
        Goal("µs of the shard a heartbeat, all in all", 8.0, shard_us, at_most=True),
    ]
    figures = [
        Figure("noticing whom to tell of, a heartbeat", seen.parts["noticing"], "µs"),
        Figure("finding what to tell, a listener", seen.parts["finding"], "µs"),
        Figure.of_runs("telling it, a listener", seen.ours, "µs"),
        Figure.of_runs("a pipeline of SET, a listener", seen.peers, "µs"),
        Figure("Redis's own time, a listener", seen.server_us, "µs"),
        Figure(f"median of reading {FRIENDS} friends", median(seen.reads), "ms"),
    ]
    report("presence", goals, figures=figures)


def main() -> None:
    """Measure, and hand in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, default=50_000)
    listeners = parser.parse_args().listeners
    with redis() as server:
        hand_in(asyncio.run(measure(listeners, server)))


if __name__ == "__main__":
    main()
