"""Those who post: each request again and again, until every heartbeat is taken or refused."""

import asyncio
from collections.abc import Callable, Sequence

from domain.batches import batch_of
from domain.errors import Unavailable
from domain.hashing import partition_of
from domain.heartbeats import Heartbeat, late_or_early
from domain.payloads import encode
from heartline.wiring import eraser
from stores.listening import Listening
from tests.simulator.ledger import Ledger
from tests.simulator.life import SETTINGS, Life
from tests.simulator.linked_log import LinkedLog
from tests.simulator.linked_tables import LinkedTables
from tests.simulator.listeners import LATE_LIMIT_DAYS
from tests.simulator.world import Fault, World


class Clients:
    """Posts to the ingest of whatever life there is, and notes what was acknowledged."""

    def __init__(self, world: World, ledger: Ledger, life: Callable[[], Life]) -> None:
        self._world, self._ledger, self._life = world, ledger, life
        self._waiting: list[asyncio.Task[None]] = []

    def post(self, beats: Sequence[Heartbeat]) -> None:
        """Begin to post a request."""
        self._waiting.append(asyncio.create_task(self._until_acknowledged(beats)))

    async def done(self) -> None:
        """Wait until nobody posts any more."""
        while self._waiting:
            await self._waiting.pop()

    def erase(self, name: str) -> None:
        """Begin to erase a listener; who gets no answer does not ask again."""
        life = self._life()
        life.ingest.run(self._erase(life, name))

    async def _until_acknowledged(self, beats: Sequence[Heartbeat]) -> None:
        while beats := [beat for beat in beats if self._is_taken(beat)]:
            life = self._life()
            call = life.ingest.run(self._append(life, beats))
            await asyncio.wait([call])
            if not call.cancelled() and call.exception() is None:
                self._ledger.acknowledged.update(beat.id for beat in beats)
                return
            await asyncio.sleep(0.2 + self._world.dice.random())

    def _is_taken(self, beat: Heartbeat) -> bool:
        refused = late_or_early(
            beat.at, now_ms=self._world.now_ms(), late_limit_days=LATE_LIMIT_DAYS
        )
        if refused and refused.reason == "too_old":
            self._world.happened(Fault.TOO_OLD)
        return not refused

    async def _append(self, life: Life, beats: Sequence[Heartbeat]) -> None:
        if not life.shards:
            raise Unavailable("it starts")
        batches: dict[int, list[Heartbeat]] = {}
        for beat in beats:
            partition = partition_of(beat.listener_id, life.generation.partitions)
            batches.setdefault(partition, []).append(beat)
        records = [(partition, encode(batch_of(batch))) for partition, batch in batches.items()]
        await LinkedLog(self._world, life.ingest).append(records)

    async def _erase(self, life: Life, name: str) -> None:
        rows = Listening(LinkedTables(self._world, life.ingest), week_ttl_s=SETTINGS.week_ttl_s)
        await eraser(LinkedLog(self._world, life.ingest), rows, life.generation)(name)
        self._ledger.erased.add(name)
        self._world.happened(Fault.ERASE)
