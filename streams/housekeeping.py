"""What time undoes: log records beyond their retention, rows whose TTL has passed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

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
    readers: tuple[str, ...] = ()  # groups that have to have begun before anything goes


class Trimmed(Protocol):
    """What is trimmed: a `domain.ports.Log`, or what has one."""

    async def trim(self, *, before_ms: int, keep_bytes: int) -> int:
        """See `domain.ports.Log`."""
        ...


async def trim(log: Trimmed, retention: Retention, now_ms: int) -> int:
    """Remove the records that have had their time; tells how many."""
    before_ms = now_ms - retention.days * DAY_MS
    return await log.trim(before_ms=before_ms, keep_bytes=retention.most_bytes)


async def tidy(log: Log, tables: Tables, retention: Retention, now_ms: int) -> tuple[int, int]:
    """Remove what has had its time; tells how many records and rows went."""
    begun = [await _has_begun(log, group) for group in retention.readers]
    records = await trim(log, retention, now_ms) if all(begun) else 0
    return records, await tables.sweep()


async def _has_begun(log: Log, group: str) -> bool:
    generations = await log.generations()
    return any([any(await log.committed(group, each)) for each in generations])


async def keep_house(
    log: Log, tables: Tables, retention: Retention, now_ms: Callable[[], int]
) -> None:
    """Tidy now and every ten minutes, until cancelled."""

    async def tidied() -> str:
        records, rows = await tidy(log, tables, retention, now_ms())
        return f"{records} records and {rows} rows"

    await _every_ten_minutes(tidied)


async def keep_trimmed(log: Trimmed, retention: Retention, now_ms: Callable[[], int]) -> None:
    """Trim now and every ten minutes, until cancelled."""

    async def trimmed() -> str:
        return f"{await trim(log, retention, now_ms())} records"

    await _every_ten_minutes(trimmed)


async def _every_ten_minutes(remove: Callable[[], Awaitable[str]]) -> None:
    while True:
        try:
            removed = await remove()
        except Unavailable as error:
            log_.warning("housekeeping waits: %s", error)
        except Exception:  # what runs beside it goes on
            log_.exception("housekeeping failed")
        else:
            log_.info("housekeeping removed %s", removed)
        await asyncio.sleep(EVERY_S)
