"""Moving partitions from shard to shard under load, one after the other."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from actors.assignment import Assignment, Move, moves
from actors.ray_assignment import put_assignment
from actors.routed_shards import RELEASE_S
from actors.shard_handles import RayShard
from domain.errors import Unavailable
from heartline.status import ask

LOOK_S = 0.05
LINGER_S = 2.0  # a shard that still holds what another has taken on was not told: its consumer died
LIMIT_S = RELEASE_S + 20.0


@dataclass(frozen=True, slots=True)
class Moved:
    """A move that was made: for at most *seconds* nobody applied the partition's records."""

    move: Move
    seconds: float
    taken: bool


class Mover:
    """Changes the assignment step by step, and sees each step done before the next."""

    def __init__(
        self,
        assignment: Assignment,
        find: Callable[[int], RayShard],
        put: Callable[[Assignment], None] = put_assignment,
    ) -> None:
        self.assignment, self._find, self._put = assignment, find, put

    async def settle_on(self, shards: Sequence[int], tell: Callable[[Moved], None]) -> list[Moved]:
        """Have *shards*, and nobody else, own nearly equal numbers of partitions."""
        made = []
        for move in list(moves(self.assignment, shards)):
            made.append(await self._make(move))
            tell(made[-1])
        return made

    async def _make(self, move: Move) -> Moved:
        held = (await self._held(move.before)).get(move.partition, {})
        least = int(held.get("durable", 0))
        begun_s = time.monotonic()
        self.assignment = self.assignment.after(move)
        self._put(self.assignment)
        taken = await self._taken(move, least, begun_s)
        seconds = time.monotonic() - begun_s
        if taken:
            await self._left(move)
        return Moved(move, seconds, taken)

    async def _taken(self, move: Move, least: int, begun_s: float) -> bool:
        """Wait until the new shard is where the old one was."""
        while time.monotonic() < begun_s + LIMIT_S:
            held = (await self._held(move.after)).get(move.partition)
            if held and int(held["next"]) >= least:
                return True
            await asyncio.sleep(LOOK_S)
        return False

    async def _left(self, move: Move) -> None:
        """Wait until the old shard has let go; tell it to, if no consumer does."""
        end_s = time.monotonic() + LINGER_S
        while move.partition in await self._held(move.before):
            if time.monotonic() > end_s:
                break
            await asyncio.sleep(LOOK_S)
        else:
            return
        # Whatever it writes later loses against what the new one wrote.
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(RELEASE_S):
                await self._find(move.before).release(move.partition)

    async def _held(self, shard: int) -> dict[int, dict[str, Any]]:
        told = (await ask({shard: self._find(shard)}))[shard]
        return {each["partition"]: each for each in told or ()}
