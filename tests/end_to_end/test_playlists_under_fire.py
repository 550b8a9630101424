"""Fifty edit one playlist while the replica that serves it is killed: what was acknowledged is there."""

import asyncio
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random

import httpx
import pytest

from tests.end_to_end.running import Up, ended, start

pytestmark = [pytest.mark.end_to_end, pytest.mark.cluster, pytest.mark.timeout(300)]

WRITERS, EDITS = 50, 12  # each of them
KILLED_AT = (100, 250, 400)  # acknowledged edits
REPLICA = "ray::ServeReplica:main:"
SEED = 11


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    started = start(tmp_path_factory.mktemp("up") / "data")
    yield started
    ended(started)


@dataclass
class Ledger:
    """What was acknowledged."""

    up: Up
    random: Random = field(default_factory=lambda: Random(SEED))
    numbers: "count[int]" = field(default_factory=count)
    added: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    edits: int = 0
    killed: int = 0

    def note(self) -> None:
        """Count an edit, and kill the replica after some of them."""
        self.edits += 1
        if self.edits in KILLED_AT:
            for pid in self.up.find(REPLICA):
                os.kill(pid, signal.SIGKILL)
                self.killed += 1


async def insist(client: httpx.AsyncClient, method: str, url: str, **how: object) -> httpx.Response:
    """Send a request until it is answered, always with the same key."""
    while True:
        try:
            answer = await client.request(method, url, **how)  # type: ignore[arg-type]
        except httpx.HTTPError:
            await asyncio.sleep(0.05)
            continue
        if answer.status_code < 500:
            assert answer.status_code < 300, answer.text
            return answer
        await asyncio.sleep(0.05)


async def write(ledger: Ledger, client: httpx.AsyncClient, url: str) -> None:
    """Add tracks, remove some of one's own and move whatever was seen."""
    own: list[str] = []
    for _ in range(EDITS):
        number = next(ledger.numbers)
        headers = {"Idempotency-Key": str(number)}
        seen = (await insist(client, "GET", f"{url}?fields=snapshot_id,tracks.total")).json()
        length, snapshot = seen["tracks"]["total"], seen["snapshot_id"]
        match ledger.random.randrange(4):
            case 0 if own:
                track = own.pop()
                body: object = {"items": [{"uri": f"heartline:track:{track}"}]}
                await insist(client, "DELETE", f"{url}/items", json=body, headers=headers)
                ledger.removed.add(track)
            case 1 if length:
                start, before = (ledger.random.randrange(length) for _ in range(2))
                body = {"range_start": start, "insert_before": before, "snapshot_id": snapshot}
                await insist(client, "PUT", f"{url}/items", json=body, headers=headers)
            case _:
                track = f"t{number}"
                body = {"uris": [f"heartline:track:{track}"]}
                await insist(client, "POST", f"{url}/items", json=body, headers=headers)
                own.append(track)
                ledger.added.add(track)
        ledger.note()


async def tracks(client: httpx.AsyncClient, url: str) -> list[str]:
    """Read all items."""
    found: list[str] = []
    following: str | None = f"{url}/items"
    while following:
        page = (await insist(client, "GET", following)).json()
        found += [item["track"]["id"] for item in page["items"]]
        following = page["next"]
    return found


def test_what_was_acknowledged_is_in_the_playlist(up: Up) -> None:
    up.listener("ann")
    bearer = {"Authorization": f"Bearer {up.command('token', 'ann')}"}
    ledger = Ledger(up)

    async def run() -> list[str]:
        async with httpx.AsyncClient(base_url=up.url, headers=bearer, timeout=10) as client:
            made = await insist(client, "POST", "/v1/me/playlists", json={"name": "Mix"})
            url = f"/v1/playlists/{made.json()['id']}"
            await asyncio.gather(*(write(ledger, client, url) for _ in range(WRITERS)))
            return await tracks(client, url)

    found = asyncio.run(run())

    assert ledger.killed >= len(KILLED_AT)
    assert ledger.edits == WRITERS * EDITS
    assert len(found) == len(set(found))
    assert set(found) == ledger.added - ledger.removed
