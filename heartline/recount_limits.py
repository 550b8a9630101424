"""What a recount must leave open: what shards have yet to write, and what the store has let go of."""

import asyncio
import time

from domain.ports import Log
from domain.positions import SHARDS
from domain.units import DAY_MS
from heartline import wiring
from heartline.settings import Settings
from heartline.terminal import note

LOOK_S = 0.2
PATIENCE_S = 120.0  # for shards to commit what was appended before we began


async def until_committed(log: Log) -> None:
    """Wait until shards have committed what was in the log when we came."""
    generation = await log.generation()
    ends, until_s = await log.ends(generation), time.monotonic() + PATIENCE_S
    while True:
        committed = await log.committed(SHARDS, generation)
        if all(offset >= end for offset, end in zip(committed, ends, strict=True)):
            return
        if time.monotonic() > until_s:
            note("shards are behind; what they may or may not have written is left open")
            return
        await asyncio.sleep(LOOK_S)


def plays_since_ms(settings: Settings) -> int:
    """Tell from when on the store must have every play."""
    kept_ms = settings.plays_kept_days * DAY_MS
    return wiring.now_ms() - kept_ms + DAY_MS if kept_ms else 0
