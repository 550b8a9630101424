"""Presence asked of the shards that hold the listeners."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Protocol

from actors.assignment import Assignment
from domain.errors import Unavailable
from domain.hashing import partition_of
from domain.ports import NowPlaying, PresenceChange
from domain.watched import Watched

LOOK_S = 1.0


class TellsPresence(Protocol):
    """A shard, as far as asked here."""

    async def now_playing(self, listener_ids: Sequence[str]) -> list[NowPlaying | None]:
        """Tell what listeners of the shard play now."""
        ...


class ShardPresence:
    """Who plays what now, as the shards know; nobody of a shard that is restarting."""

    def __init__(
        self,
        current: Callable[[], Awaitable[Assignment]],
        find: Callable[[int], TellsPresence],
        partitions: int,
        *,
        look_s: float = LOOK_S,
    ) -> None:
        self._current, self._find, self._partitions = current, find, partitions
        self._look_s = look_s

    async def now_playing(self, listener_ids: Sequence[str]) -> list[NowPlaying | None]:
        """`Presence.now_playing`."""
        owners = (await self._current()).owners
        by_shard: dict[int, list[str]] = {}
        for listener_id in listener_ids:
            owner = owners[partition_of(listener_id, self._partitions)]
            by_shard.setdefault(owner, []).append(listener_id)
        found: dict[str, NowPlaying | None] = {}
        for number, names in by_shard.items():
            found.update(zip(names, await self._asked(number, names), strict=True))
        return [found[listener_id] for listener_id in listener_ids]

    async def watch(self, listener_ids: Sequence[str]) -> AsyncGenerator[PresenceChange, None]:
        """`Presence.watch`; the shards are asked every *look_s*."""
        watched = Watched(listener_ids)
        names = watched.listener_ids
        while True:
            for name, playing in zip(names, await self.now_playing(names), strict=True):
                watched.know(name, playing)
            for change in watched.take():
                yield change
            await asyncio.sleep(self._look_s)

    async def _asked(self, number: int, names: Sequence[str]) -> list[NowPlaying | None]:
        try:
            return await self._find(number).now_playing(names)
        except Unavailable:
            return [None] * len(names)
