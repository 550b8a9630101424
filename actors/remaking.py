"""Rows that cannot be read, made anew from the log: what they hold is a function of its records.

Whole, as far as the log reaches back; what it no longer holds of them is lost with them.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from domain.columns import columns_of, decode
from domain.errors import UnreadableRecord
from domain.fold import Fold
from domain.hashing import partition_of
from domain.payloads import encode, open_payload
from domain.ports import Log
from domain.positions import position
from domain.wanted import Stored, Wanted

MOST_BYTES = 1 << 20  # of the log, read in one go

logger = logging.getLogger(__name__)


class RowKeys(Protocol):
    """Rows by listener id and key."""

    @property
    def hours(self) -> list[tuple[str, int]]:
        """By UTC hour."""
        ...

    @property
    def weeks(self) -> list[tuple[str, int]]:
        """By UTC week."""
        ...

    @property
    def plays(self) -> list[tuple[str, int]]:
        """By key as stores keep it."""
        ...


async def remade(log: Log, damaged: RowKeys, *, before: int) -> Stored:
    """Make *damaged* rows of what was appended to the log before the position *before*."""
    keys = damaged.hours + damaged.weeks + damaged.plays
    logger.error("rows are unreadable, and made anew from the log: %s", keys)
    names = sorted({name for name, _ in keys})
    fold = Fold()
    async for at, batch in _records(log, names, before):
        columns, _ = columns_of([open_payload(encode(batch))], [at])
        found, wanted = fold.plan(columns)
        fold.install(wanted, _nothing(wanted))
        fold.apply(columns, found)
    rows = fold.collect()
    return Stored(
        erased=[],
        hours=_chosen(damaged.hours, rows.hours),
        weeks=_chosen(damaged.weeks, rows.weeks),
        plays=_chosen(damaged.plays, rows.plays),
    )


async def _records(
    log: Log, names: Sequence[str], before: int
) -> AsyncIterator[tuple[int, pa.RecordBatch]]:
    """Read what the log has of some listeners, each record at its position."""
    wanted = pa.array(names, pa.utf8())
    for generation in await log.generations():
        for partition in sorted({partition_of(name, generation.partitions) for name in names}):
            offset = 0
            while records := await log.read(generation, partition, offset, most_bytes=MOST_BYTES):
                for record in records:
                    at = position(generation.number, record.offset)
                    batch = _of(record.payload, wanted)
                    if at < before and batch is not None:
                        yield at, batch
                offset = records[-1].offset + 1


def _of(payload: bytes, names: pa.Array) -> pa.RecordBatch | None:
    try:
        batch = decode(payload)
    except UnreadableRecord:
        return None
    mask = pc.is_in(batch.column("listener_id"), names)
    return batch.filter(mask) if np.any(mask) else None


def _nothing(wanted: Wanted) -> Stored:
    return Stored(
        erased=[False] * len(wanted.listeners),
        hours=[None] * len(wanted.hours),
        weeks=[None] * len(wanted.weeks),
        plays=[None] * len(wanted.plays),
    )


def _chosen(
    keys: Sequence[tuple[str, int]], rows: Sequence[tuple[str, int, bytes]]
) -> list[bytes | None]:
    states = {(name, key): state for name, key, state in rows}
    return [states.get(key) for key in keys]
