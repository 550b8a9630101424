"""How many concurrent listeners one machine holds while their numbers stay fresh.

Each listener sends a heartbeat every 30 s. Gateways post them, 250 to a request, as they come, to the
real `heartline up`, whose shards fold and flush them; the load generator runs on the same cores.
Staleness is the time from a heartbeat until it is in the number that is read: some of the listeners
have accounts, and their minutes are read every second by HTTP. Printed apart: clients that post one
heartbeat a request, each with a token that has to be verified anew, as fast as they are answered.

Predicted: half a million on two cores: 17 000 heartbeats/s are 0.25 cores of ingest and reading the
log, and 50 000 rows/s of the store, three for a listener in each commit window, are the rest. Staleness
then is half a window in the median and a window and the time of its flush at p99, until the flushes of
all partitions take longer than a window. Seen: half a million take 0.6 cores, a million 1.1; the shards
have 0.65 of it, for writing rows mostly, and ingest 0.25. The p99 is a window and 2 to 5 s, as predicted.
What bounds it here is the generator, which takes the rest of both cores for a million.
A step in which the generator itself was behind tells of the machine, not of Heartline. What would come
next: a longer window under load, for which rows and bytes written fall in proportion, and one row a
listener instead of three.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import httpx

from bench.report import Figure, Goal, Plot, report
from bench.rig.accounts import make_accounts
from bench.rig.cpu import cpu_s, resident_mib
from bench.rig.probes import Probe, poll
from bench.rig.servers import cores_of, perhaps_on_servers
from bench.rig.singles import REPLICA, single_posts
from bench.rig.up import Up, scratch, up
from domain.units import SECOND_MS
from heartline import wiring
from stores.accounts import Scope
from tests.end_to_end.chaos.backends import Backends

BEAT_S = 30.0
BATCH = 250
STALE_S = 60.0  # at most, at p99, or too many listen
TICK_S = 0.1
IN_FLIGHT = 16
PROBES = 64
WARM_S = 20.0  # of a step: listeners are new, their rows are looked for
SAMPLED_S = 30.0  # whose heartbeats are followed
BEATS_PER_TRACK = 7
PARTS = {
    "ingest": REPLICA,
    "shards": "_Shard",
    "reader": "ray::_Tailer",
    "consumer": "ray::_Consumer",
    "HAProxy": "haproxy",
    "reads": "ServeReplica:listening",
}


@dataclass(frozen=True, slots=True)
class Step:
    """What one number of listeners did to the machine."""

    listeners: int
    behind_s: float  # the generator itself, at worst
    refused: int
    stale_s: list[float]
    cores: dict[str, float]
    shards_mib: float
    rows_per_s: float  # written to the store

    def stale(self, percent: int) -> float:
        """Tell a percentile of the staleness, in seconds."""
        return quantiles(self.stale_s, n=100)[percent - 1]


class Crowd:
    """Posts the heartbeats of *count* listeners as they come, from *begin* on."""

    def __init__(self, client: httpx.AsyncClient, probes: Sequence[Probe], count: int) -> None:
        self._client, self._count = client, count
        self._every = max(count // len(probes), 1)
        self._probes = {place * self._every: probe for place, probe in enumerate(probes)}
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self.behind_s, self.refused = 0.0, 0

    async def run(self) -> None:
        """Post until cancelled."""
        begun, sent = time.monotonic(), 0
        async with asyncio.TaskGroup() as posts:
            while True:
                due = int((time.monotonic() - begun) / BEAT_S * self._count)
                while due - sent >= BATCH:
                    await self._slots.acquire()
                    posts.create_task(self._post(range(sent, sent + BATCH)))
                    sent += BATCH
                late_s = (time.monotonic() - begun) - sent / self._count * BEAT_S
                self.behind_s = max(self.behind_s, late_s)
                await asyncio.sleep(TICK_S)

    async def _post(self, places: range) -> None:
        try:
            now_ms = wiring.now_ms()
            body = '{"heartbeats":[' + ",".join(self._beat(at, now_ms) for at in places) + "]}"
            answer = await self._client.post("/v1/heartbeats", content=body)
            taken = answer.status_code == 202
            self.refused += len(answer.json()["rejected"]) if taken else len(places)
        except httpx.HTTPError as error:
            print(f"  not posted: {error!r}", flush=True)
            self.refused += len(places)
        finally:
            self._slots.release()

    def _beat(self, place: int, now_ms: int) -> str:
        number, index = divmod(place, self._count)
        play = number // BEATS_PER_TRACK
        listener_id = f"listener{index:014d}"
        if index in self._probes:
            probe = self._probes[index]
            probe.said(now_ms)
            listener_id, play = probe.account.listener_id, 0
        return (
            f'{{"id":"{place:022d}","listener_id":"{listener_id}","kind":"beat","at":{now_ms},'
            f'"track_id":"track{(index * 31 + play) % 50_000:017d}",'
            f'"play_id":"play{index:010d}{play:08d}","device_id":"phone","context":"album:1"}}'
        )


@dataclass(frozen=True, slots=True)
class Tokens:
    """What lets the load in, and whoever looks at it."""

    gateway: str
    metrics: str


async def step(
    running: Up, servers: Backends | None, probes: Sequence[Probe], tokens: Tokens, count: int
) -> Step:
    """Hold *count* listeners for as long as it takes to follow a sample of their heartbeats."""
    headers = {"authorization": f"Bearer {tokens.gateway}", "content-type": "application/json"}
    limits = httpx.Limits(max_connections=IN_FLIGHT)
    async with (
        httpx.AsyncClient(
            base_url=running.url, headers=headers, limits=limits, timeout=30, trust_env=False
        ) as posting,
        httpx.AsyncClient(base_url=running.url, timeout=30, trust_env=False) as reading,
    ):
        crowd = Crowd(posting, probes, count)
        load = asyncio.create_task(crowd.run())
        begin_ms = wiring.now_ms() + round(WARM_S * SECOND_MS)
        await asyncio.sleep(WARM_S)
        before, begun = _cpu(running, servers), time.monotonic()
        rows = await _rows_written(reading, tokens.metrics)
        await poll(reading, probes, range(begin_ms, begin_ms + round(SAMPLED_S * SECOND_MS)))
        spent_s = time.monotonic() - begun
        cores = {part: (s - before[part]) / spent_s for part, s in _cpu(running, servers).items()}
        rows_per_s = (await _rows_written(reading, tokens.metrics) - rows) / spent_s
        load.cancel()
        with suppress(asyncio.CancelledError):
            await load
    mib = sum(resident_mib(pid) for pid in running.named(PARTS["shards"]))
    stale_s = [each for probe in probes for each in probe.stale_s]
    return Step(count, crowd.behind_s, crowd.refused, stale_s, cores, mib, rows_per_s)


def _cpu(running: Up, servers: Backends | None) -> dict[str, float]:
    ours = {part: sum(cpu_s(pid) for pid in running.named(title)) for part, title in PARTS.items()}
    return ours | cores_of(servers)


async def _rows_written(client: httpx.AsyncClient, token: str) -> float:
    answer = await client.get("/metrics", headers={"authorization": f"Bearer {token}"})
    lines = answer.raise_for_status().text.splitlines()
    sums = [line for line in lines if line.startswith("heartline_flush_rows_sum")]
    return sum(float(line.rpartition(" ")[2]) for line in sums)


async def hold(data: Path, servers: Backends | None, listeners: Sequence[int]) -> list[Step]:
    """Hold more and more listeners, each time anew, until their numbers are too stale."""
    steps: list[Step] = []
    gateway, *_ = await make_accounts(data, 1, "gateway", Scope.INGEST)
    onlooker, *_ = await make_accounts(data, 1, "onlooker", Scope.METRICS)
    tokens = wiring.tokens(data)
    for count in listeners:
        accounts = await make_accounts(data, PROBES, f"probe-{count}", Scope.LISTENER)
        probes = [
            Probe(account, tokens.sign(account.listener_id, account.scopes)) for account in accounts
        ]
        with up(data) as running:
            given = Tokens(
                tokens.sign(gateway.listener_id, gateway.scopes),
                tokens.sign(onlooker.listener_id, onlooker.scopes),
            )
            steps.append(await step(running, servers, probes, given, count))
        last = steps[-1]
        cores = ", ".join(f"{part} {used:.2f}" for part, used in last.cores.items())
        print(
            f"{count:>9,} listeners: stale p50 {last.stale(50):.0f} s, p99 {last.stale(99):.0f} s; "
            f"{last.refused} refused, generator {last.behind_s:.1f} s behind; cores: {cores}; "
            f"shards {last.shards_mib:,.0f} MiB; {last.rows_per_s:,.0f} rows/s",
            flush=True,
        )
        if last.stale(99) > STALE_S:
            break
    return steps


def figures(steps: Sequence[Step]) -> list[Figure]:
    """Tell of each step how stale its numbers were, and what it took."""
    told = []
    for each in steps:
        name = f"{each.listeners:,} listeners"
        told += [
            Figure(f"{name}, stale p50", each.stale(50), "s"),
            Figure(f"{name}, stale p99", each.stale(99), "s"),
            Figure(f"{name}, cores of all parts", sum(each.cores.values())),
            Figure(f"{name}, memory of the shards", each.shards_mib, "MiB"),
            Figure(f"{name}, rows/s written to the store", each.rows_per_s),
        ]
    return told


def by_the_million(step: Step) -> list[Figure]:
    """Tell what a million listeners would take of each part, at the rate of *step*."""
    share = 1_000_000 / step.listeners
    cores = [
        Figure(f"cores a million listeners, {part}", used * share)
        for part, used in step.cores.items()
    ]
    return [*cores, Figure("rows/s a million listeners", step.rows_per_s * share)]


def plots(steps: Sequence[Step]) -> list[Plot]:
    """Draw staleness and processor time by listeners."""
    stale = {
        f"p{percent}": [(each.listeners / 1_000, each.stale(percent)) for each in steps]
        for percent in (50, 99)
    }
    cores = {
        part: [(each.listeners / 1_000, each.cores[part]) for each in steps]
        for part in steps[0].cores
    }
    return [
        Plot("Staleness by listeners", "thousand listeners", "s", stale, 60),
        Plot("Processor time by listeners", "thousand listeners", "cores", cores, 2),
    ]


def measure(
    name: str, note: str, *, listeners: Sequence[int], quick: int, goal: int, servers: bool = False
) -> None:
    """Run and report as the benchmark *name*."""
    parser = argparse.ArgumentParser(description=note.split("\n", maxsplit=1)[0])
    parser.add_argument("--listeners", type=int, nargs="+", default=listeners)
    parser.add_argument("--quick", action="store_true", help=f"one step of {quick:,}")
    arguments = parser.parse_args()
    counts = [quick] if arguments.quick else arguments.listeners
    with perhaps_on_servers(servers) as below:
        with scratch() as data:
            load, took_us = single_posts(data, 3 if arguments.quick else 8)
        with scratch() as data:
            steps = asyncio.run(hold(data, below, counts))
    singles = [
        Figure("single posts, requests/s", load.per_s),
        Figure("single posts, listeners held at one in 30 s", load.per_s * BEAT_S),
        Figure("single posts, p99", load.p99_ms, "ms"),
        Figure("single posts, replica's CPU a request", took_us, "µs"),
    ]
    held = [each for each in steps if each.stale(99) < STALE_S and not each.refused]
    most = max((each.listeners for each in held), default=0)
    report(
        name,
        [Goal("listeners held, stale at p99 under 60 s", goal, most)],
        figures=singles + figures(steps) + by_the_million(held[-1] if held else steps[-1]),
        plots=plots(steps),
    )


def main() -> None:
    """Run and report."""
    measure(
        "live",
        __doc__ or "",
        listeners=(250_000, 500_000, 750_000, 1_000_000),
        quick=100_000,
        goal=500_000,
    )


if __name__ == "__main__":
    main()
