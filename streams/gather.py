"""Heartbeats of other producers go into the log: taken in bulk, judged, appended as batches.

    heartbeats_json ──take──▶ judge ──▶ log.append ──▶ commit
                                └─────▶ dead letters ─┘

What was taken is committed after the log and the dead letters have it, so each record arrives at least
once; twice is as good. Whatever goes wrong ends the membership, and another one begins at what was
committed.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from domain.errors import Unavailable
from domain.heartbeats import Refusal
from domain.log_records import records_of
from domain.positions import Generation
from stores.kafka_dead_letters import DeadLetter
from streams.single_records import Single, judge_records

GROUP_ROWS = 32_000
APPEND_S = 20.0
RETRY_S = 1.0

log_ = logging.getLogger(__name__)


class Singles(Protocol):
    """Single records, shared out among gatherers: `stores.kafka_singles.KafkaSingles`."""

    async def take(self, most: int) -> Sequence[Single]:
        """Take what comes in a moment, at most *most*, those of a partition in order."""
        ...

    async def commit(self) -> None:
        """Note that everything taken so far is dealt with."""
        ...


class LogEnd(Protocol):
    """What is needed of `domain.ports.Log`."""

    async def generation(self) -> Generation:
        """Tell the generation that is appended to."""
        ...

    async def append(self, records: Sequence[tuple[int, bytes]]) -> list[int]:
        """Append (partition, payload) pairs; durable on return."""
        ...


class DeadLetters(Protocol):
    """Where records go that are no heartbeats: `stores.kafka_dead_letters.KafkaDeadLetters`."""

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        """Keep *letters*; durable on return."""
        ...


@dataclass(slots=True)
class Tally:
    """What a gatherer has done since it began."""

    gathered: int = 0  # heartbeats that the log has
    refused: Counter[str] = field(default_factory=Counter)  # records, by reason
    trouble: int = 0  # times that it had to begin anew


class Gatherer:
    """Takes records as a member of the group, until something goes wrong."""

    def __init__(
        self,
        singles: Singles,
        log: LogEnd,
        dead_letters: DeadLetters,
        *,
        late_limit_days: int,
        tally: Tally,
    ) -> None:
        self._singles, self._log, self._dead_letters = singles, log, dead_letters
        self._late_limit_days, self._tally = late_limit_days, tally

    async def run(self) -> None:
        """Gather until cancelled.

        :raises Unavailable: if records could not be taken, appended or committed.
        """
        while True:
            taken = await self._singles.take(GROUP_ROWS)
            if taken:
                await self.pass_on(taken)

    async def pass_on(self, taken: Sequence[Single]) -> None:
        """Append what is right, keep aside what is not, then commit."""
        judged = judge_records(taken, self._late_limit_days)
        async with asyncio.timeout(APPEND_S):
            generation = await self._log.generation()
            await self._log.append(records_of([judged.rows], generation.partitions))
        await self._dead_letters.put([letter_of(*each) for each in judged.refused])
        await self._singles.commit()
        self._tally.gathered += len(judged.rows[0])
        self._tally.refused.update(refusal.reason for _, refusal in judged.refused)


def letter_of(record: Single, why: Refusal) -> DeadLetter:
    """Make a dead letter of a record."""
    return DeadLetter(
        record.key,
        record.value,
        {
            "reason": why.reason,
            "field": why.field,
            "message": why.message,
            "partition": str(record.partition),
            "offset": str(record.offset),
            "appended_ms": str(record.timestamp),
        },
    )


Membership = Callable[[], AbstractAsyncContextManager[Gatherer]]


async def keep_gathering(join: Membership, tally: Tally) -> None:
    """Gather until cancelled, beginning anew after whatever goes wrong."""
    while True:
        try:
            async with join() as gatherer:
                await gatherer.run()
        except (Unavailable, TimeoutError) as error:
            log_.warning("gathering begins anew: %s", error or "the log does not answer")
        except Exception:
            # The other members and everything else go on.
            log_.exception("gathering is stuck")
        tally.trouble += 1
        await asyncio.sleep(RETRY_S)
