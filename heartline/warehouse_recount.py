"""`heartline recount --from warehouse`: a week of all listeners, one bucket of them a task."""

import argparse
import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from domain.calendar import IsoWeek
from domain.positions import SHARDS, Generation
from domain.units import QUARTER_MS
from heartline import wiring
from heartline.bucket_tasks import each_bucket
from heartline.recount_bounds import Window, anywhere, held_whole
from heartline.recount_limits import plays_since_ms, until_committed
from heartline.recounted import Recounted, tell
from heartline.recounting import Recount
from heartline.settings import Settings
from heartline.supervisor import running_url
from heartline.terminal import fail, say
from heartline.warehouse_bucket import WarehouseBucket
from heartline.warehouses import open_warehouse
from serve.instants import iso

WRONG_USAGE = 2


@dataclass(frozen=True)
class Plan:
    """What is counted again, as every task is told it."""

    settings: Settings
    window: Window
    committed: Mapping[Generation, list[int]]  # when the recount began


def recount_week(options: argparse.Namespace, settings: Settings, week: IsoWeek | None) -> int:
    """Count a week again, compare it with the store, and say what differs; the exit status."""
    if week is None or options.repair:
        fail("--from warehouse wants a --week, and repairs nothing", WRONG_USAGE)
    plan = asyncio.run(plan_for(settings, week))
    parts = []
    for part in each_bucket(partial(recount_bucket, plan)):
        parts.append(part)
        if not options.json:
            for difference in part.differences:
                say(str(difference))
    came = Recounted.of_parts(parts)
    tell(came, as_json=options.json)
    return came.status


def recount_bucket(plan: Plan, bucket: int) -> Recounted:
    """Count the listeners of one bucket again and compare them, with connections of its own."""
    return asyncio.run(_recount(plan, bucket))


def check_whole(week: IsoWeek, lacking_ms: int) -> None:
    """Refuse a week of which the warehouse lacks something.

    Raises
    ------
    Failure
        It does.
    """
    whole = held_whole(lacking_ms)
    if anywhere(week).first < whole.first:
        since = iso(whole.first * QUARTER_MS)
        fail(f"{week} cannot be counted again: the warehouse holds everything only from {since} on")


async def plan_for(settings: Settings, week: IsoWeek) -> Plan:
    """Look at what there is, and wait until what was in the log when we came is committed."""
    async with wiring.store(settings), wiring.log_of(settings) as log:
        check_whole(week, open_warehouse(settings).lacking_ms)
        if running_url(settings.data):
            await until_committed(log)
        committed = {each: await log.committed(SHARDS, each) for each in await log.generations()}
    return Plan(settings, Window(week), committed)


async def _recount(plan: Plan, bucket: int) -> Recounted:
    settings, window = plan.settings, plan.window
    async with wiring.store(settings) as tables, wiring.log_of(settings) as log:
        warehouse = open_warehouse(settings)
        of = WarehouseBucket(warehouse, log, bucket, window=window, committed=plan.committed)
        await of.advance()
        recount = Recount(
            of,
            wiring.listening(tables, settings),
            wiring.accounts(tables),
            whole=window.whole,
            week=window.week,
            plays_since_ms=plays_since_ms(settings),
            now_ms=wiring.now_ms,
        )
        found = [each async for each in recount.differences()]
    return Recounted(of.heartbeats, of.unreadable, 0, recount.tallied, found)
