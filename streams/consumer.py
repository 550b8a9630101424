"""One consumer of the log on Kafka: a Faust app, and a following for each partition that it is given.

Faust's group says who has which partition, and brings the records. What is durable the shards say by
their own commit, which stays the authority; a record is acknowledged to Faust only then, in the order of
offsets. So the group's position is never beyond that of the shards, whatever Faust makes of
acknowledgements (docs/decisions: Faust acknowledges what the shards have committed).
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import faust
from faust.contrib.asgi import faust_app_running
from faust.types import TP, EventT

from domain.errors import LogBehindStore, Unavailable
from domain.ports import Log, Record
from domain.positions import Generation
from streams.faust_app import faust_app
from streams.following import Following, Seen
from streams.membership import Membership
from streams.stall import Stall
from streams.tailer import Shard, insist

LOOK_S = 1.0
NOT_LOOKED_S = 5.0  # the process was stopped or the brokers were away: nothing is said of Faust
STALLED_S = 30.0
STOP_S = 20.0
MOST_UNACKNOWLEDGED = 100_000  # some 500 bytes each
MS = 1_000

log_ = logging.getLogger(__name__)


@dataclass(slots=True)
class _Followed:
    following: Following
    task: "asyncio.Task[None]"


class Consumer:
    """A member of the consumer group; crash-only: *end* ends its process and does not return."""

    def __init__(
        self,
        log: Log,
        generation: Generation,
        shard_of: Callable[[int], Shard],
        *,
        membership: Membership,
        durable_group: str,
        end: Callable[[str], NoReturn],
        stalled_s: float = STALLED_S,
    ) -> None:
        self._log, self._generation, self._shard_of = log, generation, shard_of
        self._membership, self._durable_group, self._end = membership, durable_group, end
        self._followed: dict[int, _Followed] = {}
        self._stall, self._looked_s = Stall(stalled_s), 0.0
        self._room = asyncio.Condition()
        self._tasks = asyncio.TaskGroup()

    async def run(self) -> None:
        """Consume until cancelled.

        Raises
        ------
        LogBehindStore
            In a group; the log ends before what the store was written from.
        """
        try:
            await self._consume()
        except* LogBehindStore:
            raise
        except* Exception as group:
            log_.exception("the consumer failed")
            self._end(f"{group.exceptions[0]!r}")

    async def _consume(self) -> None:
        await self._until_it_answers()
        app = faust_app(self._membership, self._take)
        app.on_partitions_assigned.connect(self._assigned)
        app.on_partitions_revoked.connect(self._revoked)
        async with self._tasks, faust_app_running(app, stop_timeout=STOP_S):
            while True:
                if app.crashed:
                    self._end(f"Faust crashed: {app.crash_reason!r}")
                await self._look(app)
                await asyncio.sleep(LOOK_S)

    async def _until_it_answers(self) -> None:
        """Wait for the brokers: without them Faust would only crash."""
        while True:
            try:
                await self._log.ends(self._generation)
            except Unavailable as error:
                log_.warning("not begun yet: %s", error)
                await asyncio.sleep(LOOK_S)
            else:
                return

    # --- what Faust says -------------------------------------------------------------------------

    async def _take(self, event: "EventT[Any]") -> None:
        """Give a record to its partition; waits while too much is not acknowledged."""
        async with self._room:
            await self._room.wait_for(self._has_room)
        message = event.message
        if held := self._followed.get(message.partition):
            # What is kept until it is acknowledged is the message without its bytes.
            payload, message.value = message.value, None
            record = Record(message.offset, round(message.timestamp * MS), payload or b"")
            held.following.arrive(record, partial(message.ack, event.app.consumer))

    async def _assigned(self, *given: Any, **_more: Any) -> None:
        for partition in sorted(_partitions(*given) - self._followed.keys()):
            following = Following(
                self._log,
                self._generation,
                partition,
                self._shard_of(partition),
                group=self._membership.group,
            )
            task = self._tasks.create_task(insist(partition, following.hand_over))
            self._followed[partition] = _Followed(following, task)
        log_.info("has partitions %s", sorted(self._followed))

    async def _revoked(self, *given: Any, **_more: Any) -> None:
        for partition in _partitions(*given):
            if held := self._followed.pop(partition, None):
                held.task.cancel()
                self._stall.forget(partition)

    # --- what the log says -----------------------------------------------------------------------

    async def _look(self, app: faust.App) -> None:
        """Acknowledge what is durable, tell where partitions end, see that all moves."""
        try:
            at_ms = await self._log.now_ms()
            ends = await self._log.ends(self._generation)
            durable = await self._log.committed(self._durable_group, self._generation)
        except Unavailable as error:
            log_.warning("nothing is acknowledged: %s", error)
            return
        for partition, held in self._followed.items():
            held.following.see(Seen(ends[partition], at_ms))
            held.following.arrivals.acknowledge(durable[partition])
        async with self._room:
            self._room.notify_all()
        self._watch(app, ends)

    def _watch(self, app: faust.App, ends: Sequence[int]) -> None:
        """End the process if Faust does not bring what the log has, and it is not we who hold it up."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._looked_s > NOT_LOOKED_S:
            self._stall.forget_all()
        self._looked_s = now_s
        if self._stall.stands("group", behind=app.rebalancing, mark=0, now_s=now_s):
            self._end("Faust has been rebalancing for too long")
        for partition, held in self._followed.items():
            behind = held.following.is_behind(ends[partition]) and self._has_room()
            mark = held.following.arrivals.end or 0
            if self._stall.stands(partition, behind=behind, mark=mark, now_s=now_s):
                self._end(f"partition {partition} has stood at {mark} for too long")

    def _has_room(self) -> bool:
        held = (each.following.arrivals.unacknowledged for each in self._followed.values())
        return sum(held) < MOST_UNACKNOWLEDGED


def _partitions(_app: object, partitions: set[TP]) -> set[int]:
    return {each.partition for each in partitions}
