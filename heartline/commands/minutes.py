"""`heartline minutes`."""

import argparse
import asyncio

import msgspec
from rich.console import Console

from domain.calendar import IsoWeek, week_at
from heartline import wiring
from heartline.chart import chart
from heartline.terminal import fail, say
from serve.listening import Minutes, WeekMinutes


def run(options: argparse.Namespace) -> int:
    """Show a week, as a chart or as the endpoint would."""
    week = IsoWeek.parse(options.week) if options.week and options.week != "current" else None
    minutes = asyncio.run(_week(options, week))
    if options.json:
        say(msgspec.json.encode(minutes).decode())
    else:
        Console(highlight=False).print(chart(options.name, minutes))
    return 0


async def _week(options: argparse.Namespace, week: IsoWeek | None) -> WeekMinutes:
    now_ms = wiring.now_ms()
    settings = wiring.settings(options.data)
    async with wiring.store(settings) as tables:
        accounts = wiring.accounts(tables)
        account = await accounts.by_name(options.name)
        if account is None:
            fail(f"no account is named {options.name!r}")
        if not wiring.has_log(settings):
            fail(f"nobody has listened on {options.data} yet: start it with `heartline up`")
        async with wiring.log_of(settings) as log:
            reader = Minutes(
                wiring.listening(tables, settings),
                accounts,
                generation=log.generation,
                now_ms=wiring.now_ms,
            )
            of = week or week_at(account.zones, now_ms)
            return await reader.week(account.listener_id, account.zones, of, now_ms=now_ms)
