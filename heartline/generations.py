"""Which generation of the log is written to: begun when the one before is consumed to its end."""

from collections.abc import Callable, Iterable

from domain.errors import LogBehindStore, StoreBehindLog
from domain.ports import DeadLetters, Log
from domain.positions import SHARDS, Generation
from heartline.settings import Settings
from heartline.terminal import note
from stores.listening import Listening
from streams.tailer import MOST_BYTES


async def settle(
    log: Log,
    listening: Listening,
    settings: Settings,
    *,
    now_ms: Callable[[], int],
    dead_letters: DeadLetters | None = None,
) -> Generation:
    """Tell the generation to go on with; begin the next one if the settings ask for another.

    Nothing else may append to the log meanwhile.

    Raises
    ------
    LogBehindStore, StoreBehindLog
        The log ends before what was committed, or has trimmed what the store lacks, and the settings
        do not say to begin anew.
    """
    newest = await log.generation()
    lost = await cut_off(log, listening, newest)
    wrong = next(iter(lost.values()), None) or await left_behind(log, listening)
    if wrong and not settings.new_generation:
        raise wrong
    if wrong:
        note(f"{wrong}; a new generation begins")
    elif newest.partitions == settings.partitions:
        return newest
    else:
        note(
            f"from {newest.partitions} partitions to {settings.partitions}: consuming what is left"
        )
    whole = [number for number in range(newest.partitions) if number not in lost]
    await drain(log, listening, newest, whole, now_ms=now_ms, dead_letters=dead_letters)
    return await log.begin_generation(settings.partitions)


async def cut_off(
    log: Log, listening: Listening, generation: Generation
) -> dict[int, LogBehindStore]:
    """Find the partitions that end before what was committed or written: stamps would be used again."""
    ends, committed = await log.ends(generation), await log.committed(SHARDS, generation)
    written = await listening.progress_of(generation.number, range(len(ends)))
    return {
        partition: LogBehindStore(partition, end, max(offset, rows.next_offset))
        for partition, (end, offset, rows) in enumerate(zip(ends, committed, written, strict=True))
        if end < max(offset, rows.next_offset)
    }


async def left_behind(log: Log, listening: Listening) -> StoreBehindLog | None:
    """See whether the store lacks records that were trimmed: it is an older backup.

    Only what was committed is trimmed, and before a commit its partition's progress is written.
    """
    trimmed_ms = await log.trimmed_ms()  # first: progress can only be farther by then
    progress = [
        progress
        for generation in await log.generations()
        for progress in await listening.progress_of(generation.number, range(generation.partitions))
    ]
    complete_ms = max(each.complete_ms for each in progress)
    return StoreBehindLog() if complete_ms < trimmed_ms else None


async def drain(
    log: Log,
    listening: Listening,
    generation: Generation,
    partitions: Iterable[int],
    *,
    now_ms: Callable[[], int],
    dead_letters: DeadLetters | None = None,
) -> None:
    """Consume *partitions* of a generation to their ends, and commit, within this process.

    Raises
    ------
    Exception
        Whatever kept something from being written; another call goes on from there.
    """
    from actors.partition import Partition  # with the kernels, which few starts need here

    for number in partitions:
        held = Partition(
            generation,
            number,
            listening=listening,
            log=log,
            now_ms=now_ms,
            dead_letters=dead_letters,
        )
        wanted = await held.open()
        while records := await log.read(generation, number, wanted, most_bytes=MOST_BYTES):
            wanted = await held.apply(wanted, records)
            await held.flush()
