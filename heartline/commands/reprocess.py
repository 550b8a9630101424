"""`heartline reprocess`."""

import argparse
import asyncio
from dataclasses import asdict
from functools import partial

from domain.batches import SCHEMA
from domain.calendar import IsoWeek
from domain.units import DAY_MS, JOIN_MS, QUARTER_MS
from heartline import wiring
from heartline.bucket_tasks import each_bucket
from heartline.correcting import Corrected, Correcting
from heartline.recount_bounds import anywhere
from heartline.recount_limits import plays_since_ms
from heartline.reprocessed_rows import made_of
from heartline.settings import Settings
from heartline.terminal import fail, say, say_json
from heartline.warehouse_bucket import WHERE
from heartline.warehouse_recount import Plan, plan_for
from heartline.warehouses import open_warehouse
from serve.instants import iso


def run(options: argparse.Namespace) -> int:
    """Correct a week that is past the late limit, and say what is another number now."""
    week, settings = IsoWeek.parse(options.week), wiring.settings(options.data)
    _check_past(week, settings)
    plan = asyncio.run(plan_for(settings, week))
    asyncio.run(_check_carried(plan))
    whole = Corrected()
    for part in each_bucket(partial(reprocess_bucket, plan)):
        whole.add(part)
        if not options.json:
            for change in part.changes:
                say(str(change))
    _tell(week, whole, as_json=options.json)
    return 0


def reprocess_bucket(plan: Plan, bucket: int) -> Corrected:
    """Correct the listeners of one bucket, with connections of its own."""
    return asyncio.run(_reprocess(plan, bucket))


def _check_past(week: IsoWeek, settings: Settings) -> None:
    """Refuse a week of which heartbeats may still come: shards see to that one."""
    ends_ms = (anywhere(week).last + 1) * QUARTER_MS
    closed_ms = ends_ms + settings.late_limit_days * DAY_MS + JOIN_MS
    if wiring.now_ms() < closed_ms:
        fail(
            f"heartbeats of {week} are taken until {iso(closed_ms)}, and shards write its rows: "
            "see what `heartline recount` says of it"
        )


async def _check_carried(plan: Plan) -> None:
    """Refuse to correct rows by a warehouse that has less than they were made of."""
    warehouse = open_warehouse(plan.settings)
    lacking = sum(
        max(0, committed - archived)
        for generation, offsets in plan.committed.items()
        for committed, archived in zip(offsets, warehouse.archived(generation), strict=True)
    )
    if lacking:
        fail(
            f"the warehouse lacks {lacking} records that are in the rows: let `heartline archive`"
            " carry them first"
        )


async def _reprocess(plan: Plan, bucket: int) -> Corrected:
    settings, window = plan.settings, plan.window
    first_ms, last_ms = window.instants
    heartbeats = open_warehouse(settings).read(
        [*SCHEMA.names, *WHERE], bucket=bucket, first_ms=first_ms, last_ms=last_ms
    )
    if not heartbeats.num_rows:
        return Corrected()
    async with wiring.store(settings) as tables:
        correcting = Correcting(
            tables,
            wiring.listening(tables, settings),
            window,
            made_of(heartbeats),
            ttls_s=wiring.ttls_s(settings),
            plays_since_ms=plays_since_ms(settings),
            now_ms=wiring.now_ms(),
        )
        corrected = await correcting.correct()
    corrected.heartbeats = heartbeats.num_rows
    return corrected


def _tell(week: IsoWeek, of: Corrected, *, as_json: bool) -> None:
    if as_json:
        say_json(
            {"week": str(week), **asdict(of), "changes": [each._asdict() for each in of.changes]}
        )
        return
    say(
        f"{of.heartbeats} heartbeats of {of.listeners} listeners in and around {week} counted: "
        f"{of.hours} hour rows, {of.weeks} week rows and {of.plays} plays corrected."
    )
    if of.left:
        say(
            f"{of.left} rows stay as they are: plays that reach farther than a day from the week,"
            " or rows that were corrected three times already."
        )
