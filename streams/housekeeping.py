"""What time undoes: log records beyond their retention, rows whose TTL has passed."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from domain.errors import Unavailable
from domain.ports import Log, Tables
from domain.units import DAY_MS

EVERY_S = 600.0

log_ = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the log keeps its records; the archive has the rest."""

    days: int
    most_bytes: int


async def tidy(log: Log, tables: Tables, retention: Retention, now_ms: int) -> tuple[int, int]:
    """Remove what has had its time; tells how many records and rows went."""
    before_ms = now_ms - retention.days * DAY_MS
    records = await log.trim(before_ms=before_ms, keep_bytes=retention.most_bytes)
    return records, await tables.sweep()


async def keep_house(
    log: Log, tables: Tables, retention: Retention, now_ms: Callable[[], int]
) -> None:
    """Tidy now and every ten minutes, until cancelled."""
    while True:
        try:
            records, rows = await tidy(log, tables, retention, now_ms())
        except Unavailable as error:
            log_.warning("housekeeping waits: %s", error)
        else:
            log_.info("housekeeping removed %d records and %d rows", records, rows)
        await asyncio.sleep(EVERY_S)
