"""What other processes hold of the shards; importing it brings no kernels along."""

from collections.abc import Sequence
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import GetTimeoutError, RayActorError

from domain.errors import Unavailable
from domain.ports import NowPlaying, Record

NAMESPACE = "heartline"


def shard_name(number: int) -> str:
    """The name under which a shard's actor is found."""
    return f"shard-{number}"


class RayShard:
    """A shard in another process; every method raises `Unavailable` while that process is away."""

    def __init__(self, number: int, handle: "ActorHandle[Any] | None" = None) -> None:
        self.number = number
        self._found = handle

    async def open(self, partition: int) -> int:
        """`ListenerShard.open`."""
        wanted: int = await self._answer("open", partition)
        return wanted

    async def apply(self, partition: int, offset: int, records: Sequence[Record]) -> int:
        """`ListenerShard.apply`."""
        wanted: int = await self._answer("apply", partition, offset, records)
        return wanted

    async def caught_up(self, partition: int, offset: int, at_ms: int) -> int:
        """`ListenerShard.caught_up`."""
        wanted: int = await self._answer("caught_up", partition, offset, at_ms)
        return wanted

    async def now_playing(self, listener_ids: Sequence[str]) -> list[NowPlaying | None]:
        """`ListenerShard.now_playing`."""
        playing: list[NowPlaying | None] = await self._answer("now_playing", listener_ids)
        return playing

    async def status(self) -> list[dict[str, Any]]:
        """`ListenerShard.status`."""
        told: list[dict[str, Any]] = await self._answer("status")
        return told

    async def resident_bytes(self) -> int:
        """Tell how much memory the shard's process has."""
        told: int = await self._answer("resident_bytes")
        return told

    async def release(self, partition: int) -> None:
        """`ListenerShard.release`."""
        await self._answer("release", partition)

    async def close(self) -> None:
        """`ListenerShard.close`."""
        await self._answer("close")

    @property
    def handle(self) -> "ActorHandle[Any]":
        """The actor, found by its name at the first need, and again after it was lost.

        Raises
        ------
        Unavailable
            There is none of that name.
        """
        if self._found is None:
            try:
                self._found = ray.get_actor(shard_name(self.number), NAMESPACE)
            except ValueError as error:
                raise Unavailable(f"there is no listener shard {self.number}") from error
        return self._found

    async def _answer(self, method: str, *given: Any) -> Any:
        handle: Any = self.handle
        try:
            return await getattr(handle, method).remote(*given)
        except (RayActorError, GetTimeoutError) as error:
            self._found = None  # another actor may have taken its name
            raise Unavailable("a listener shard is restarting") from error


class FoundShards:
    """The shards of the cluster, each looked for once."""

    def __init__(self) -> None:
        self._shards: dict[int, RayShard] = {}

    def __call__(self, number: int) -> RayShard:
        """Tell the shard of that number, whether it runs or not."""
        return self._shards.setdefault(number, RayShard(number))
