"""Which generation of the log is written to: begun when the one before is consumed to its end."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from actors.listener_shard import ListenerShard
from actors.partition import GROUP
from domain.errors import LogBehindStore
from domain.ports import Log
from domain.positions import Generation
from heartline.settings import Settings
from heartline.terminal import note
from stores.listening import Listening
from streams.tailer import Tailer

LOOK_S = 0.1
DRAIN_WINDOW_MS = 500


async def settle(
    log: Log, listening: Listening, settings: Settings, *, now_ms: Callable[[], int]
) -> Generation:
    """Tell the generation to go on with; begin the next one if the settings ask for another.

    Nothing else may append to the log meanwhile.

    Raises
    ------
    LogBehindStore
        The log ends before what was committed, and the settings do not say to begin anew.
    """
    newest = await log.generation()
    try:
        await check_ends(log, listening, newest)
    except LogBehindStore:
        if not settings.new_generation:
            raise
        note("the log ends before what was committed; a new generation begins")
        return await log.begin_generation(settings.partitions)
    if newest.partitions == settings.partitions:
        return newest
    note(f"from {newest.partitions} partitions to {settings.partitions}: consuming what is left")
    await drain(log, listening, newest, now_ms=now_ms)
    return await log.begin_generation(settings.partitions)


async def check_ends(log: Log, listening: Listening, generation: Generation) -> None:
    """See that stamps would not be used again.

    Raises
    ------
    LogBehindStore
        A partition ends before what was committed or written from it.
    """
    ends, committed = await log.ends(generation), await log.committed(GROUP, generation)
    for partition, (end, offset) in enumerate(zip(ends, committed, strict=True)):
        written = await listening.progress(generation.number, partition)
        if end < max(offset, written.next_offset):
            raise LogBehindStore(partition, end, max(offset, written.next_offset))


async def drain(
    log: Log, listening: Listening, generation: Generation, *, now_ms: Callable[[], int]
) -> None:
    """Consume a generation to its end, and commit it, within this process."""
    shard = ListenerShard(
        generation,
        listening=listening,
        log=log,
        commit_window_ms=DRAIN_WINDOW_MS,
        now_ms=now_ms,
    )
    following = asyncio.create_task(Tailer(log, generation, lambda _: shard).run())
    try:
        while not following.done() and await behind(log, generation):
            await asyncio.wait([following], timeout=LOOK_S)
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        await shard.close()


async def behind(log: Log, generation: Generation) -> int:
    """Tell how many records of a generation are not committed yet."""
    ends, committed = await log.ends(generation), await log.committed(GROUP, generation)
    return sum(ends) - sum(committed)
