"""Ingest over HTTP: `POST /v1/heartbeats` through the real `heartline up`, fsynced before the 202.

A gateway posts for 200 000 listeners: JSON, 100 heartbeats a request, over 32 connections, and Arrow
streams of 2 000 over 8. The log's reader and the shards run beside it, on the same cores, and fold
what comes in; so does the load generator. The peers are bare uvicorn that reads the same bodies and
says 202, and the disk's own fsyncs.

Predicted: 150 000 JSON heartbeats/s, as the prototype had without consumers; less with them. Seen at
first: 97 000, at 8.4 µs of the replica's CPU a heartbeat, and 347 000 of Arrow's at 2.3. A profile had a
third of the time in Starlette, uvicorn and Serve, a fifth in decoding, a seventh in finding the account,
a seventh in making records, a twelfth in SQLite. Ids are random, and cost 16 bytes each: with 50 rows a
record has 89 bytes a heartbeat, with 1 000 it has 80, with 4 000 64.

What was won: the log's reader gathers for 0.1 s before it calls a shard, which took 7.6 µs a heartbeat
in the shards and 3.5 in the reader, for 50 rows a call, and now takes a third. Of ingest itself:
listener ids of a body are checked as one text, partitions are counted and sorted as small numbers,
Arrow's texts are looked over without writing anything, records are packed by column, and requests are
answered before Serve's account of them. What would come next for Arrow, which has 1.8 µs a heartbeat
in the replica: packing ids with vector instructions (0.15 of it), and a second ingest replica where
there are more cores.
"""

import argparse
import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import httpx

from bench.report import Figure, Goal, report
from bench.rig.bare import bare
from bench.rig.bodies import ARROW, JSON, Crowd, arrow_body, json_body
from bench.rig.cpu import cpu_s
from bench.rig.machine import fsyncs_per_s
from bench.rig.up import Up, scratch, up
from bench.rig.wrk import Load, write_requests, wrk
from domain.columns import decode
from domain.positions import Generation
from heartline import wiring
from stores.accounts import Scope

LISTENERS = 200_000
PATH = "/v1/heartbeats"
WARM_S = 4  # every listener is met: its rows are looked for once


@dataclass(frozen=True, slots=True)
class Kind:
    """How heartbeats are posted."""

    name: str
    media_type: str
    rows: int  # of a request
    bodies: int  # different ones
    connections: int


KINDS = (Kind("JSON", JSON, 100, 2_000, 32), Kind("Arrow", ARROW, 2_000, 200, 8))


def gateway_token(data: Path) -> str:
    """Make the account of a gateway, and a token of it."""

    async def made() -> str:
        async with wiring.store(wiring.settings(data), make=True) as tables:
            account = await wiring.accounts(tables).create(
                "gateway", password=None, time_zone="UTC", scopes=[Scope.INGEST]
            )
        return wiring.tokens(data).sign(account.listener_id, account.scopes)

    return asyncio.run(made())


def requests_of(kind: Kind, crowd: Crowd, token: str) -> list[bytes]:
    """Write requests with the heartbeats of the last half minute."""
    now_ms = wiring.now_ms()
    encode = json_body if kind.media_type == JSON else arrow_body
    requests = []
    for number in range(kind.bodies):
        chosen = range(number * kind.rows, (number + 1) * kind.rows)
        body = encode(crowd.beats([index % LISTENERS for index in chosen], now_ms))
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: {kind.media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    return requests


def check(url: str, kind: Kind, request: bytes) -> None:
    """See that a request is taken whole."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line.partition(": ") for line in head.decode().split("\r\n")[1:]]
    headers = {name: value for name, _, value in lines}
    answer = httpx.post(url + PATH, content=body, headers=headers, trust_env=False)
    assert answer.status_code == 202, answer.text
    assert answer.json() == {"accepted": kind.rows, "rejected": []}, answer.text


async def log_size(data: Path) -> tuple[int, int]:
    """Count the heartbeats in the log, and their bytes there."""
    rows = size_bytes = 0
    async with wiring.log_of(wiring.settings(data)) as log:
        generation: Generation = await log.generation()
        for partition in range(generation.partitions):
            offset = 0
            while records := await log.read(generation, partition, offset, most_bytes=1 << 24):
                rows += sum(decode(record.payload).num_rows for record in records)
                size_bytes += sum(len(record.payload) for record in records)
                offset = records[-1].offset + 1
    return rows, size_bytes


@dataclass(slots=True)
class Seen:
    """What runs of one kind saw."""

    loads: list[Load]
    replica_us: list[float]  # of CPU time, a heartbeat
    peers: list[Load]

    def per_s(self, kind: Kind) -> list[float]:
        """Heartbeats a second of each run."""
        return [load.per_s * kind.rows for load in self.loads]


def measure(
    running: Up,
    peer: str,
    kind: Kind,
    fresh: Callable[[], list[bytes]],
    options: argparse.Namespace,
) -> Seen:
    """Post *fresh* requests of one kind some times, to Heartline and to the peer in turns."""
    path, seen = running.data / f"requests-{kind.name}", Seen([], [], [])
    (replica,) = running.named("ServeReplica:ingest")
    write_requests(path, fresh())
    wrk(running.url, path, connections=kind.connections, seconds=WARM_S)
    for _ in range(options.repeats):
        time.sleep(options.rest)
        requests = fresh()
        write_requests(path, requests)
        check(running.url, kind, requests[0])
        before = cpu_s(replica)
        load = wrk(running.url, path, connections=kind.connections, seconds=options.seconds)
        rows = load.per_s * options.seconds * kind.rows
        seen.loads.append(load)
        seen.replica_us.append((cpu_s(replica) - before) / rows * 1e6)
        check(running.url, kind, requests[0])
        time.sleep(options.rest)
        seen.peers.append(wrk(peer, path, connections=kind.connections, seconds=3))
    assert not any(load.failed for load in seen.loads), seen.loads
    return seen


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--seconds", type=int, default=8, help="of each run")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rest", type=float, default=3, help="seconds between runs")
    parser.add_argument("--quick", action="store_true", help="one short run")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.seconds, arguments.repeats = 3, 1
    crowd = Crowd(LISTENERS)
    with scratch() as data:
        token = gateway_token(data)
        with up(data) as running, bare("drain", data) as peer:
            seen = {
                kind.name: measure(
                    running, peer, kind, partial(requests_of, kind, crowd, token), arguments
                )
                for kind in KINDS
            }
        rows, size_bytes = asyncio.run(log_size(data))
        disk = fsyncs_per_s(data)
    _report(seen, size_bytes / rows, disk)


def _report(seen: dict[str, Seen], bytes_each: float, disk: float) -> None:
    goals, figures = [], []
    for kind, goal in zip(KINDS, (100_000, 500_000), strict=True):
        runs = seen[kind.name]
        per_s = runs.per_s(kind)
        peer = [load.per_s * kind.rows for load in runs.peers]
        ratios = [a / b for a, b in zip(per_s, peer, strict=True)]
        goals.append(Goal.of_runs(f"{kind.name} heartbeats/s", goal, per_s))
        figures += [
            Figure.of_runs(f"{kind.name} p50", [load.p50_ms for load in runs.loads], "ms"),
            Figure.of_runs(f"{kind.name} heartbeats/s read by bare uvicorn", peer),
            Figure.of_runs(f"{kind.name} times bare uvicorn", ratios),
            Figure.of_runs(f"{kind.name} replica, CPU a heartbeat", runs.replica_us, "µs"),
        ]
    p99 = {name: [load.p99_ms for load in runs.loads] for name, runs in seen.items()}
    goals.insert(1, Goal.of_runs("JSON p99, ms", 100, p99["JSON"], at_most=True))
    figures.append(Figure.of_runs("Arrow p99", p99["Arrow"], "ms"))
    per_fsync = median(seen["JSON"].per_s(KINDS[0])) / disk
    figures += [
        Figure("fsyncs/s of the disk", disk),
        Figure("JSON heartbeats/s for each fsync/s of the disk", per_fsync),
    ]
    goals.append(Goal("bytes a heartbeat in the log", 80, bytes_each, at_most=True))
    report("ingest", goals, figures=figures)


if __name__ == "__main__":
    main()
