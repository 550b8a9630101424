"""What other processes hold of the shards; importing it brings no kernels along."""

from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

import ray
from ray.actor import ActorHandle
from ray.exceptions import GetTimeoutError, RayActorError

from domain.errors import Unavailable
from domain.hashing import partition_of
from domain.ports import NowPlaying, Record

NAMESPACE = "heartline"
Result = TypeVar("Result")


def shard_name(number: int) -> str:
    """The name under which a shard's actor is found."""
    return f"shard-{number}"


def find_shards(count: int) -> list["RayShard"]:
    """Find the running shards from another process of the cluster."""
    return [RayShard(ray.get_actor(shard_name(number), NAMESPACE)) for number in range(count)]


class RayShard:
    """A shard in another process; every method raises `Unavailable` while that process is away."""

    def __init__(self, handle: "ActorHandle[Any]") -> None:
        self.handle = handle

    async def open(self, partition: int) -> int:
        """`ListenerShard.open`."""
        return await _answer(self.handle.open.remote(partition))

    async def apply(self, partition: int, offset: int, records: Sequence[Record]) -> int:
        """`ListenerShard.apply`."""
        return await _answer(self.handle.apply.remote(partition, offset, records))

    async def caught_up(self, partition: int, offset: int, at_ms: int) -> int:
        """`ListenerShard.caught_up`."""
        return await _answer(self.handle.caught_up.remote(partition, offset, at_ms))

    async def now_playing(self, listener_ids: Sequence[str]) -> list[NowPlaying | None]:
        """`ListenerShard.now_playing`."""
        return await _answer(self.handle.now_playing.remote(listener_ids))

    async def status(self) -> list[dict[str, Any]]:
        """`ListenerShard.status`."""
        return await _answer(self.handle.status.remote())

    async def close(self) -> None:
        """`ListenerShard.close`."""
        await _answer(self.handle.close.remote())


async def _answer(call: Awaitable[Result]) -> Result:
    try:
        return await call
    except (RayActorError, GetTimeoutError) as error:
        raise Unavailable("a listener shard is restarting") from error


class RayPresence:
    """Who plays what now, asked of the shards that hold the listeners."""

    def __init__(self, shards: Sequence[RayShard], partitions: int) -> None:
        self._shards, self._partitions = shards, partitions

    async def now_playing(self, listener_ids: Sequence[str]) -> list[NowPlaying | None]:
        """Tell what each of *listener_ids* plays now, in their order."""
        by_shard: dict[int, list[str]] = {}
        for listener_id in listener_ids:
            partition = partition_of(listener_id, self._partitions)
            by_shard.setdefault(partition % len(self._shards), []).append(listener_id)
        found: dict[str, NowPlaying | None] = {}
        for number, names in by_shard.items():
            found.update(zip(names, await self._shards[number].now_playing(names), strict=True))
        return [found[listener_id] for listener_id in listener_ids]
