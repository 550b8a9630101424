"""Listener shards as Ray actors: a shell of one line a method around `ListenerShard`.

Whoever finds a shard imports this module, and shall not get its kernels with it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from resource import getpagesize
from typing import TYPE_CHECKING, Any, TypeAlias

import ray

from actors.shard_handles import NAMESPACE, RayShard, shard_name
from domain.ports import NowPlaying, Record

if TYPE_CHECKING:
    from actors.listener_shard import ListenerShard

CALLS_AT_ONCE = 1_000
Build: TypeAlias = "Callable[[], ListenerShard]"


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

    async def resident_bytes(self) -> int:
        return resident_bytes()

    async def release(self, partition: int) -> None:
        await self._shard.release(partition)

    async def close(self) -> None:
        await self._shard.close()


def resident_bytes() -> int:
    """Tell how much memory this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize()


def start_shard(build: Build, number: int, **options: Any) -> RayShard:
    """Start a shard; Ray restarts one that dies, and it goes on from what was committed.

    *options* are Ray's, and come before ours.
    """
    actor: Any = ray.remote(_Shard)  # its options lose the types of its methods
    ours = {
        "name": shard_name(number),
        "namespace": NAMESPACE,
        "num_cpus": 0,
        "max_restarts": -1,
        "max_concurrency": CALLS_AT_ONCE,
        "enable_task_events": False,
    }
    return RayShard(number, actor.options(**(ours | options)).remote(build))
