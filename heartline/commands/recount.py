"""`heartline recount`."""

import argparse
import asyncio
import tempfile
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from domain.calendar import IsoWeek
from domain.ports import Log
from domain.positions import SHARDS, Generation
from domain.units import QUARTER_MS
from heartline import wiring
from heartline.differences import Difference
from heartline.log_buckets import LogBuckets
from heartline.recount_bounds import Bounds, anywhere, held_whole
from heartline.recount_limits import plays_since_ms, until_committed
from heartline.recount_result import RecountResult, keep_result
from heartline.recounted import Recounted, tell
from heartline.recounting import Recount
from heartline.repairing import Repair
from heartline.settings import Settings
from heartline.supervisor import running_url
from heartline.terminal import fail, note, say
from serve.instants import iso


def run(options: argparse.Namespace) -> int:
    """Count again, compare, and say what differs."""
    week = IsoWeek.parse(options.week) if options.week else None
    if options.source == "warehouse":
        from heartline.warehouse_recount import recount_week

        return recount_week(options, wiring.settings(options.data), week)
    return asyncio.run(_run(options, wiring.settings(options.data), week))


async def _run(options: argparse.Namespace, settings: Settings, week: IsoWeek | None) -> int:
    async with wiring.store(settings) as tables, wiring.log_of(settings) as log:
        whole = held_whole(await log.trimmed_ms())
        _check_whole(week, whole)
        if running_url(settings.data):
            await until_committed(log)
        committed = {each: await log.committed(SHARDS, each) for each in await log.generations()}
        with tempfile.TemporaryDirectory(prefix="heartline-recount-") as folder:
            buckets = LogBuckets(log, Path(folder), committed)
            repair = Repair(tables, log, wiring.ttls_s(settings))
            recount = Recount(
                buckets,
                wiring.listening(tables, settings),
                wiring.accounts(tables),
                whole=whole,
                week=week,
                plays_since_ms=plays_since_ms(settings),
                now_ms=wiring.now_ms,
                repair=repair if options.repair else None,
            )
            found = await _compare(buckets, recount, await _records(log, committed), options)
            buckets.close()
        came = Recounted(
            heartbeats=buckets.heartbeats,
            unreadable=buckets.unreadable,
            mended=repair.mended,
            tallied=recount.tallied,
            differences=found,
        )
        if week is None:
            keep_result(settings.data, RecountResult(wiring.now_ms(), len(found)))
        tell(came, as_json=options.json)
        return came.status


async def _compare(
    buckets: LogBuckets, recount: Recount, records: int, options: argparse.Namespace
) -> list[Difference]:
    found = []
    with _progress() as progress:
        reading = progress.add_task("Reading the log", total=records)
        await buckets.advance(lambda count: progress.advance(reading, count))
        comparing = progress.add_task("Comparing", total=buckets.heartbeats)
        async for difference in recount.differences(
            lambda count: progress.advance(comparing, count)
        ):
            found.append(difference)
            if not options.json:
                say(str(difference))
    return found


def _check_whole(week: IsoWeek | None, whole: Bounds) -> None:
    if not whole.first:
        return
    since = iso(whole.first * QUARTER_MS)
    advice = f"the log holds everything only from {since} on; the archive has the rest"
    if week is None:
        note(f"{advice}: only what comes after is compared, and no counts of tracks")
        return
    if anywhere(week).first < whole.first:
        fail(f"{week} cannot be counted again: {advice}")


async def _records(log: Log, generations: Iterable[Generation]) -> int:
    return sum([sum(await log.ends(generation)) for generation in generations])


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    return Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        redirect_stdout=False,
    )
