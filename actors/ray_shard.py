"""Listener shards as Ray actors: a shell of one line a method around `ListenerShard`."""

from collections.abc import Callable, Sequence
from typing import Any

import ray

from actors.listener_shard import ListenerShard
from actors.shard_handles import NAMESPACE, RayShard, shard_name
from domain.ports import NowPlaying, Record

CALLS_AT_ONCE = 1_000
Build = Callable[[], ListenerShard]


class _Shard:
    """What runs inside the actor's process."""

    def __init__(self, build: Build) -> None:
        self._shard = build()

    async def open(self, partition: int) -> int:
        return await self._shard.open(partition)

    async def apply(self, partition: int, offset: int, records: Sequence[Record]) -> int:
        return await self._shard.apply(partition, offset, records)

    async def caught_up(self, partition: int, offset: int, at_ms: int) -> int:
        return await self._shard.caught_up(partition, offset, at_ms)

    async def now_playing(self, listener_ids: Sequence[str]) -> list[NowPlaying | None]:
        return await self._shard.now_playing(listener_ids)

    async def status(self) -> list[dict[str, Any]]:
        return await self._shard.status()

    async def close(self) -> None:
        await self._shard.close()


def start_shards(build: Build, count: int) -> list["RayShard"]:
    """Start *count* shards; Ray restarts one that dies, and it goes on from what was committed."""
    actor: Any = ray.remote(_Shard)  # its options lose the types of its methods
    return [
        RayShard(
            actor.options(
                name=shard_name(number),
                namespace=NAMESPACE,
                num_cpus=0,
                max_restarts=-1,
                max_concurrency=CALLS_AT_ONCE,
                enable_task_events=False,
            ).remote(build)
        )
        for number in range(count)
    ]
