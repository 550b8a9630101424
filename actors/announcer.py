"""What a shard has to announce of presence, told to the board beside the applying.

A partition notes names and never waits. What is told of them is read when their turn has come, so
that one who is noted twice meanwhile is told once, as it is then. When the board is away, nothing is
kept for it: it is asked again, less and less often, and then told of everybody who is active.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice
from typing import Protocol

from actors.shard_metrics import ShardMetrics
from domain.errors import Unavailable
from domain.ports import Announcement, PresenceBoard

AT_ONCE = 500  # announcements told in one go; building them keeps a shard busy for 2 ms
MOST_WAITING = 100_000
FIRST_RETRY_S, LAST_RETRY_S, MOST_DOUBLINGS = 0.1, 5.0, 6

logger = logging.getLogger(__name__)


class Known(Protocol):
    """A partition, as far as asked here."""

    def active(self) -> list[str]:
        """Name everybody of whom the board might not know."""
        ...

    def announcements(self, listener_ids: Iterable[str]) -> list[Announcement]:
        """Say what is to be announced of listeners."""
        ...


class Announcer:
    """Tells a board what the partitions of a shard note; *jitter* draws from 0 to 1."""

    def __init__(
        self,
        board: PresenceBoard,
        *,
        jitter: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        metrics: ShardMetrics | None = None,
    ) -> None:
        self._board, self._jitter, self._sleep = board, jitter, sleep
        self._metrics = metrics or ShardMetrics()
        self._partitions: dict[int, Known] = {}
        self._waiting: dict[str, int] = {}  # listener: the partition that knows
        self._behind: set[int] = set()  # partitions of which everybody active must be told
        self._some = asyncio.Event()
        self.trouble = ""

    def add(self, number: int, partition: Known) -> None:
        """Take on a partition."""
        self._partitions[number] = partition

    def drop(self, number: int) -> None:
        """Let go of a partition: another shard announces its listeners."""
        self._partitions.pop(number, None)
        self._behind.discard(number)

    def note(self, number: int, listener_ids: Sequence[str]) -> None:
        """Note that there is news of listeners of a partition."""
        if len(self._waiting) + len(listener_ids) > MOST_WAITING:
            self._behind.add(number)
        else:
            self._waiting.update(dict.fromkeys(listener_ids, number))
        self._some.set()

    async def run(self) -> None:
        """Tell what is noted, for ever."""
        failed = 0
        while True:
            await self._some.wait()
            self._some.clear()
            if await self._told():
                failed = 0
                continue
            most_s = min(FIRST_RETRY_S * 2**failed, LAST_RETRY_S)
            await self._sleep(most_s * (1 + self._jitter()) / 2)
            failed = min(failed + 1, MOST_DOUBLINGS)

    async def tell(self) -> bool:
        """Tell what is noted by now; False if the board is away, and must be told later."""
        try:
            while self._waiting or self._behind:
                if not self._waiting:
                    number = self._behind.pop()
                    self._waiting = dict.fromkeys(self._partitions[number].active(), number)
                told = self._taken()
                await self._board.announce(told)
                self._metrics.announced(len(told), waiting=len(self._waiting))
        except Unavailable as error:
            self._lose(str(error))
            return False
        if self.trouble:
            logger.warning("presence is back")
        self.trouble = ""
        return True

    async def _told(self) -> bool:
        try:
            return await self.tell()
        except Exception:
            logger.exception("presence is not told")
            self._lose("a fault of ours, see the log")
            return False

    def _taken(self) -> list[Announcement]:
        """Take what is told in one go."""
        by_partition: dict[int, list[str]] = {}
        for name, number in list(islice(self._waiting.items(), AT_ONCE)):
            by_partition.setdefault(number, []).append(name)
            del self._waiting[name]
        told: list[Announcement] = []
        for number, names in by_partition.items():
            if number in self._partitions:
                told += self._partitions[number].announcements(names)
        return told

    def _lose(self, trouble: str) -> None:
        """Let go of what waits: the board may have forgotten more than that."""
        if not self.trouble:
            logger.warning("presence is away: %s", trouble)
        self.trouble = trouble
        self._metrics.presence_away()
        self._waiting.clear()
        self._behind.update(self._partitions)
        self._some.set()
