"""Listeners whose minutes are read again and again: how stale they are."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from domain.units import SECOND_MS
from heartline import wiring
from stores.accounts import Account

POLL_S = 1.0
PATIENCE_S = 90.0


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
