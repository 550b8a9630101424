"""Group commit: what requests bring within a few milliseconds is appended to the log at once.

    append(rows) ──▶ waiting ──linger──▶ one group ──▶ a record or more per partition ──▶ log.append

Every request waits for the group that carries its rows, and hears what became of it. The work is a
task of its own: a client that goes away takes nothing with it. Within a record the order is that of
arrival, though nothing depends on it: what is counted is a function of the set.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

import pyarrow as pa

from domain.errors import Unavailable
from domain.log_records import Rows, records_of
from domain.positions import Generation
from serve.held_bodies import Overloaded
from serve.ingest_metrics import IngestMetrics

GROUP_ROWS = 32_000  # a group that large does not linger
MOST_WAITING_ROWS = 200_000
MOST_WAITING_BYTES = 64 << 20
THREAD_ROWS = 2_000  # a group that large is encoded beside the event loop


class LogEnd(Protocol):
    """What is needed of `domain.ports.Log`."""

    async def generation(self) -> Generation:
        """Tell the generation that is appended to."""
        ...

    async def append(self, records: Sequence[tuple[int, bytes]]) -> list[int]:
        """Append (partition, payload) pairs, all or none; durable on return."""
        ...


@dataclass(slots=True)
class _Share:
    rows: Rows
    count: int
    size_bytes: int
    arrived_s: float
    done: asyncio.Future[None]


class Appender:
    """Appends rows to the log in groups; to be used from one event loop."""

    def __init__(
        self,
        log: LogEnd,
        *,
        linger_ms: float = 4.0,
        timeout_s: float = 20.0,
        metrics: IngestMetrics | None = None,
    ) -> None:
        self._log, self._metrics = log, metrics or IngestMetrics()
        self._linger_s = linger_ms / 1_000
        self._timeout_s = timeout_s
        self._waiting: deque[_Share] = deque()
        self._held_rows = self._held_bytes = 0  # waiting, or on their way to the log
        self._enough = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    def check_room(self, rows: int = 1, size_bytes: int = 0) -> None:
        """Refuse what would have to wait too long; anything may come when nothing waits.

        :raises Overloaded: if there is no room for *rows* more.
        """
        full = (
            self._held_rows + rows > MOST_WAITING_ROWS
            or self._held_bytes + size_bytes > MOST_WAITING_BYTES
        )
        if full and self._held_rows:
            raise Overloaded("too many heartbeats wait for the log")

    async def append(self, rows: Rows, size_bytes: int) -> None:
        """Append *rows*; on return they are durable in the log. *size_bytes*: what they occupy.

        :raises Unavailable: if the log did not take them, or is not known to have; try again.
        """
        count = rows.num_rows if isinstance(rows, pa.RecordBatch) else len(rows[0])
        self.check_room(count, size_bytes)
        loop = asyncio.get_running_loop()
        share = _Share(rows, count, size_bytes, loop.time(), loop.create_future())
        self._hold(share, 1)
        self._waiting.append(share)
        if self._held_rows >= GROUP_ROWS:
            self._enough.set()
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work(), name="appender")
        await share.done

    async def close(self) -> None:
        """Wait until everything that was brought has been appended, or refused."""
        if self._worker is not None:
            await asyncio.wait([self._worker])

    def _hold(self, share: _Share, sign: int) -> None:
        self._held_rows += sign * share.count
        self._held_bytes += sign * share.size_bytes

    async def _work(self) -> None:
        while self._waiting:
            await self._linger()
            group = self._take_group()
            (error,) = await asyncio.gather(self._append_group(group), return_exceptions=True)
            for share in group:
                self._hold(share, -1)
                _tell(share.done, error)

    async def _linger(self) -> None:
        due_s = self._waiting[0].arrived_s + self._linger_s
        with suppress(TimeoutError):
            async with asyncio.timeout_at(due_s):
                await self._enough.wait()

    def _take_group(self) -> list[_Share]:
        self._enough.clear()
        group: list[_Share] = []
        rows = 0
        while self._waiting and (not group or rows + self._waiting[0].count <= GROUP_ROWS):
            share = self._waiting.popleft()
            rows += share.count
            group.append(share)
        if self._waiting:
            self._enough.set()
        return group

    async def _append_group(self, group: Sequence[_Share]) -> None:
        rows, count = [share.rows for share in group], sum(share.count for share in group)
        begun_s = perf_counter()
        try:
            async with asyncio.timeout(self._timeout_s):
                generation = await self._log.generation()
                if count < THREAD_ROWS:
                    records = records_of(rows, generation.partitions)
                else:
                    records = await asyncio.to_thread(records_of, rows, generation.partitions)
                await self._log.append(records)
        except TimeoutError as error:
            message = f"the log did not answer within {self._timeout_s:g} s"
            raise Unavailable(message) from error
        self._metrics.appended(count, seconds=perf_counter() - begun_s)


def _tell(done: asyncio.Future[None], error: BaseException | None) -> None:
    if done.done():
        return  # its request was cancelled
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
