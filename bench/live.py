"""How many concurrent listeners one machine holds while their numbers stay fresh.

Each listener sends a heartbeat every 30 s. Gateways post them, 250 to a request, as they come, to the
real `heartline up`, whose shards fold and flush them; the load generator runs on the same cores.
Staleness is the time from a heartbeat until it is in the number that is read: some of the listeners
have accounts, and their minutes are read every second by HTTP. Printed apart: clients that post one
heartbeat a request, each with a token that has to be verified anew, as fast as they are answered.

Predicted: half a million on two cores: 17 000 heartbeats/s are 0.25 cores of ingest and reading the
log, and 50 000 rows/s of the store, three for a listener in each commit window, are the rest. Staleness
then is half a window in the median and a window and the time of its flush at p99, until the flushes of
all partitions take longer than a window. What was seen is below; what bounds it is the shards' writing.
A step in which the generator itself was behind tells of the machine, not of Heartline. What would come
next: a longer window under load, for which rows and bytes written fall in proportion, and one row a
listener instead of three.
"""

import argparse
import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import httpx

from bench.report import Figure, Goal, Plot, report
from bench.rig.cpu import cpu_s, resident_mib
from bench.rig.up import Up, scratch, up
from bench.rig.wrk import Load, write_requests, wrk
from domain.units import SECOND_MS
from heartline import wiring
from stores.accounts import Account, Scope

BEAT_S = 30.0
BATCH = 250
TICK_S = 0.1
IN_FLIGHT = 16
PROBES = 64
POLL_S = 1.0
WARM_S = 20.0  # of a step: listeners are new, their rows are looked for
SAMPLED_S = 30.0  # whose heartbeats are followed
PATIENCE_S = 90.0
BEATS_PER_TRACK = 7
SINGLES = 5_000  # accounts: more than tokens are remembered
PARTS = {
    "ingest": "ServeReplica:ingest",
    "shards": "_Shard",
    "tailer": "_Tailer",
    "HAProxy": "haproxy",
    "reads": "ServeReplica:listening",
}


@dataclass(slots=True)
class Probe:
    """A listener whose number is read: what was said and when, and when it was first read."""

    account: Account
    token: str
    first_ms: int = 0
    unread: deque[int] = field(default_factory=deque)  # instants of heartbeats
    stale_s: list[float] = field(default_factory=list)

    def said(self, at_ms: int) -> None:
        """Note a heartbeat."""
        self.first_ms = self.first_ms or at_ms
        self.unread.append(at_ms)

    def read(self, listened_ms: int, now_ms: int, sample: range) -> None:
        """Note what the number was; heartbeats of the *sample* are followed."""
        while self.unread and self.unread[0] <= self.first_ms + listened_ms:
            at_ms = self.unread.popleft()
            if at_ms in sample and at_ms != self.first_ms:
                self.stale_s.append((now_ms - at_ms) / SECOND_MS)


@dataclass(frozen=True, slots=True)
class Step:
    """What one number of listeners did to the machine."""

    listeners: int
    behind_s: float  # the generator itself, at worst
    refused: int
    stale_s: list[float]
    cores: dict[str, float]
    shards_mib: float

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


async def make_accounts(data: Path, count: int, name: str, scope: Scope) -> list[Account]:
    """Make accounts that have tokens."""
    async with wiring.store(data, make=True) as tables:
        accounts = wiring.accounts(tables)
        return await asyncio.gather(
            *[
                accounts.create(f"{name}-{i}", password=None, time_zone="UTC", scopes=[scope])
                for i in range(count)
            ]
        )


async def poll(client: httpx.AsyncClient, probes: Sequence[Probe], sample: range) -> None:
    """Read the probes' numbers again and again, until their sampled heartbeats are all in them."""
    while wiring.now_ms() < sample.stop or any(_waits(probe, sample) for probe in probes):
        if wiring.now_ms() > sample.stop + PATIENCE_S * SECOND_MS:
            break
        begun = time.monotonic()
        for probe in probes:
            headers = {"authorization": f"Bearer {probe.token}"}
            answer = await client.get("/v1/me/listening/minutes", headers=headers)
            if answer.status_code == 200:
                told = answer.json()
                probe.read(told["listened_ms"], wiring.now_ms(), sample)
        await asyncio.sleep(max(0.0, POLL_S - (time.monotonic() - begun)))
    for probe in probes:  # what never came is as stale as we waited
        late = [at_ms for at_ms in probe.unread if at_ms in sample]
        probe.stale_s += [(wiring.now_ms() - at_ms) / SECOND_MS for at_ms in late]


def _waits(probe: Probe, sample: range) -> bool:
    return bool(probe.unread) and probe.unread[0] < sample.stop


async def step(running: Up, probes: Sequence[Probe], gateway: str, count: int) -> Step:
    """Hold *count* listeners for as long as it takes to follow a sample of their heartbeats."""
    headers = {"authorization": f"Bearer {gateway}", "content-type": "application/json"}
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
        before, begun = _cpu(running), time.monotonic()
        await poll(reading, probes, range(begin_ms, begin_ms + round(SAMPLED_S * SECOND_MS)))
        spent_s = time.monotonic() - begun
        cores = {part: (s - before[part]) / spent_s for part, s in _cpu(running).items()}
        load.cancel()
        with suppress(asyncio.CancelledError):
            await load
    mib = sum(resident_mib(pid) for pid in running.named(PARTS["shards"]))
    stale_s = [each for probe in probes for each in probe.stale_s]
    return Step(count, crowd.behind_s, crowd.refused, stale_s, cores, mib)


def _cpu(running: Up) -> dict[str, float]:
    return {part: sum(cpu_s(pid) for pid in running.named(title)) for part, title in PARTS.items()}


async def hold(data: Path, listeners: Sequence[int]) -> list[Step]:
    """Hold more and more listeners, each time anew, until their numbers are too stale."""
    steps: list[Step] = []
    gateway, *_ = await make_accounts(data, 1, "gateway", Scope.INGEST)
    tokens = wiring.tokens(data)
    for count in listeners:
        accounts = await make_accounts(data, PROBES, f"probe-{count}", Scope.LISTENER)
        probes = [
            Probe(account, tokens.sign(account.listener_id, account.scopes)) for account in accounts
        ]
        with up(data) as running:
            token = tokens.sign(gateway.listener_id, gateway.scopes)
            steps.append(await step(running, probes, token, count))
        last = steps[-1]
        cores = ", ".join(f"{part} {used:.2f}" for part, used in last.cores.items())
        print(
            f"{count:>9,} listeners: stale p50 {last.stale(50):.0f} s, p99 {last.stale(99):.0f} s; "
            f"{last.refused} refused, generator {last.behind_s:.1f} s behind; cores: {cores}; "
            f"shards {last.shards_mib:,.0f} MiB",
            flush=True,
        )
        if last.stale(99) > PATIENCE_S:
            break
    return steps


def single_posts(data: Path, seconds: int) -> tuple[Load, float]:
    """Post one heartbeat a request, as fast as it goes; tells also what the replica took of it, µs."""
    accounts = asyncio.run(make_accounts(data, SINGLES, "single", Scope.LISTENER))
    tokens, now_ms = wiring.tokens(data), wiring.now_ms()
    requests = []
    for index, account in enumerate(accounts):
        body = (
            f'{{"heartbeats":[{{"id":"{index:022d}","kind":"beat","at":{now_ms},'
            f'"track_id":"track{index:017d}","play_id":"play{index:018d}"}}]}}'
        )
        token = tokens.sign(account.listener_id, account.scopes)
        requests.append(
            f"POST /v1/heartbeats HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
    path = data / "requests"
    write_requests(path, requests)
    with up(data) as running:
        wrk(running.url, path, connections=64, seconds=3)
        (replica,) = running.named(PARTS["ingest"])
        before = cpu_s(replica)
        load = wrk(running.url, path, connections=64, seconds=seconds)
        took_us = (cpu_s(replica) - before) / (load.per_s * seconds) * 1e6
    assert not load.failed, load
    return load, took_us


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--listeners", type=int, nargs="+", default=[250_000, 500_000, 750_000])
    parser.add_argument("--quick", action="store_true", help="one step of 100 000")
    arguments = parser.parse_args()
    with scratch() as data:
        load, took_us = single_posts(data, 3 if arguments.quick else 8)
    with scratch() as data:
        steps = asyncio.run(hold(data, [100_000] if arguments.quick else arguments.listeners))
    held = [each.listeners for each in steps if each.stale(99) < 60 and not each.refused]
    figures = [
        Figure("single posts, requests/s", load.per_s),
        Figure("single posts, listeners held at one in 30 s", load.per_s * BEAT_S),
        Figure("single posts, p99", load.p99_ms, "ms"),
        Figure("single posts, replica's CPU a request", took_us, "µs"),
    ]
    for each in steps:
        name = f"{each.listeners:,} listeners"
        figures += [
            Figure(f"{name}, stale p50", each.stale(50), "s"),
            Figure(f"{name}, stale p99", each.stale(99), "s"),
            Figure(f"{name}, cores of all parts", sum(each.cores.values())),
            Figure(f"{name}, memory of the shards", each.shards_mib, "MiB"),
        ]
    fresh = Plot(
        "Staleness by listeners",
        "thousand listeners",
        "s",
        {
            f"p{percent}": [(each.listeners / 1_000, each.stale(percent)) for each in steps]
            for percent in (50, 99)
        },
        60,
    )
    cores = Plot(
        "Processor time by listeners",
        "thousand listeners",
        "cores",
        {part: [(each.listeners / 1_000, each.cores[part]) for each in steps] for part in PARTS},
        2,
    )
    report(
        "live",
        [Goal("listeners held, stale at p99 under 60 s", 500_000, max(held, default=0))],
        figures=figures,
        plots=[fresh, cores],
    )


if __name__ == "__main__":
    main()
