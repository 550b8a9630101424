"""Clients that post one heartbeat a request, each with a token that has to be verified anew."""

import asyncio
from pathlib import Path

from bench.rig.accounts import make_accounts
from bench.rig.cpu import cpu_s
from bench.rig.up import up
from bench.rig.wrk import Load, write_requests, wrk
from heartline import wiring
from stores.accounts import Scope

SINGLES = 5_000  # accounts: more than tokens are remembered
REPLICA = "ServeReplica:ingest"


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
        (replica,) = running.named(REPLICA)
        before = cpu_s(replica)
        load = wrk(running.url, path, connections=64, seconds=seconds)
        took_us = (cpu_s(replica) - before) / (load.per_s * seconds) * 1e6
    assert not load.failed, load
    return load, took_us
