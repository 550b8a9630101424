"""All shards as one: each call goes to the shard that owns the partition now.

When a partition has moved, the shard before is told to write it out and let it go, and the next
call goes to the shard after. If the one before does not answer, the other begins all the same, at
what was committed: it then reads some records again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

from actors.assignment import Assignment
from domain.errors import Unavailable
from domain.ports import Record

RELEASE_S = 10.0  # longer than a flush takes, shorter than readers would notice

log_ = logging.getLogger(__name__)


class Shard(Protocol):
    """A listener shard, as far as called here."""

    async def open(self, partition: int) -> int:
        """Take a partition on; tells the next offset wanted."""
        ...

    async def apply(self, partition: int, offset: int, records: Sequence[Record]) -> int:
        """Apply records that begin at *offset*; tells the next offset wanted."""
        ...

    async def caught_up(self, partition: int, offset: int, at_ms: int) -> int:
        """Note that nothing had been appended from *offset* on; tells the next offset wanted."""
        ...

    async def release(self, partition: int) -> None:
        """Write a partition out and let it go."""
        ...


AnyShard = TypeVar("AnyShard", bound=Shard)


class RoutedShards(Generic[AnyShard]):
    """What a consumer hands records to. One call at a time for each partition."""

    def __init__(
        self, current: Callable[[], Awaitable[Assignment]], find: Callable[[int], AnyShard]
    ) -> None:
        self._current, self._find = current, find
        self._last: dict[int, int] = {}  # the shard that each partition's last call went to

    async def open(self, partition: int) -> int:
        """`ListenerShard.open`."""
        return await (await self._owner(partition)).open(partition)

    async def apply(self, partition: int, offset: int, records: Sequence[Record]) -> int:
        """`ListenerShard.apply`."""
        return await (await self._owner(partition)).apply(partition, offset, records)

    async def caught_up(self, partition: int, offset: int, at_ms: int) -> int:
        """`ListenerShard.caught_up`."""
        return await (await self._owner(partition)).caught_up(partition, offset, at_ms)

    async def _owner(self, partition: int) -> AnyShard:
        owner = (await self._current()).owners[partition]
        before = self._last.get(partition, owner)
        if before != owner:
            await self._let_go(partition, before)
        self._last[partition] = owner
        return self._find(owner)

    async def _let_go(self, partition: int, shard: int) -> None:
        try:
            async with asyncio.timeout(RELEASE_S):
                await self._find(shard).release(partition)
        except (Unavailable, TimeoutError) as error:
            log_.warning("partition %d leaves shard %d without it: %s", partition, shard, error)
