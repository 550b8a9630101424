"""Single records as tests make them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from stores.kafka_dead_letters import DeadLetter
from tests.serve.bodies import NOW_MS, beat


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the topic of single heartbeats."""

    value: bytes | None
    offset: int = 0
    key: bytes | None = b"ann"
    timestamp: int = NOW_MS
    partition: int = 0


def written(**changes: Any) -> bytes:
    """A heartbeat of ann's as another producer writes it."""
    return msgspec.json.encode(beat(listener_id="ann") | changes)


class Topic:
    """Singles in memory, of one member; what was taken and not committed is taken again by the next."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = list(records)
        self.committed = self._taken = 0
        self.failures: list[Exception] = []  # what the next commits raise
        self.all_committed, self.joined_again = asyncio.Event(), asyncio.Event()

    def join(self) -> None:
        """Begin where the last member committed."""
        if self._taken:
            self.joined_again.set()
        self._taken = self.committed

    async def take(self, most: int) -> list[Record]:
        taken = self.records[self._taken : self._taken + most]
        self._taken += len(taken)
        await asyncio.sleep(0)
        return taken

    async def commit(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.committed = self._taken
        if self.committed == len(self.records):
            self.all_committed.set()


class Box:
    """Dead letters in memory."""

    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []
        self.failures: list[Exception] = []

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.letters += letters
