"""`heartline status`."""

import argparse
import asyncio
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table

from heartline import wiring
from heartline.operator_account import operator_account
from heartline.status import status_of
from heartline.supervisor import running_url
from heartline.terminal import fail, say_json
from stores.accounts import Scope

TIMEOUT_S = 10.0
TOKEN_TTL_S = 60


def run(options: argparse.Namespace) -> int:
    """Show how Heartline is; from the files alone where none runs."""
    url = running_url(options.data)
    told = asyncio.run(_asked(options.data, url) if url else _from_files(options.data))
    told["url"] = url
    if options.json:
        say_json(told)
    else:
        Console(highlight=False).print(picture(told))
    return 0


async def _asked(data: Path, url: str) -> dict[str, Any]:
    async with wiring.store(wiring.settings(data)) as tables:
        account = await operator_account(wiring.accounts(tables))
    listener_id = account.listener_id if account else ""
    token = wiring.tokens(data).sign(listener_id, [Scope.OPERATOR], ttl_s=TOKEN_TTL_S)
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
            answer = await client.get(
                f"{url}/v1/status", headers={"authorization": f"Bearer {token}"}
            )
            told: dict[str, Any] = answer.raise_for_status().json()
            return told
    except httpx.HTTPStatusError as error:
        fail(
            f"{url} answered {error.response.status_code}: it is starting, or cannot read"
            f" {data}; see {url}/readyz"
        )
    except httpx.HTTPError as error:
        fail(f"{url} does not answer ({type(error).__name__}): it may be starting; try again")


async def _from_files(data: Path) -> dict[str, Any]:
    settings = wiring.settings(data)
    async with wiring.store(settings) as tables, wiring.log_of(settings) as log:
        return await status_of(
            log,
            wiring.listening(tables, settings),
            await log.generation(),
            {},
            now_ms=wiring.now_ms,
            stale_ms=settings.stale_limit_ms,
        )


def picture(told: dict[str, Any]) -> RenderableType:
    """Draw the status for a terminal."""
    where = f"runs at {told['url']}" if told["url"] else "does not run; this is what the files tell"
    lines: list[RenderableType] = [
        f"Heartline {where}",
        f"readers see everything but the last {_ago(told['staleness_ms'])}",
        f"waiting: {told['lag']} records to be applied, {told['rows_waiting']} rows to be written",
    ]
    if told["stale"]:
        lines.append(f"[red]stale: nothing written for {_ago(told['unwritten_ms'])}[/red]")
    if told["presence"]:
        lines.append(f"[red]nobody is shown to play anything: {escape(told['presence'])}[/red]")
    shards: list[RenderableType] = ["", _shards(told)] if told["shards"] else []
    return Group(*lines, *shards, "", _partitions(told))


def _shards(told: dict[str, Any]) -> Table:
    table = _table("shard", "", "partitions", "listeners", "rows waiting")
    for shard in told["shards"]:
        table.add_row(
            str(shard["shard"]),
            "alive" if shard["alive"] else "[red]no answer[/red]",
            str(len(shard["partitions"])),
            str(shard["listeners"]),
            str(shard["rows_waiting"]),
        )
    return table


def _partitions(told: dict[str, Any]) -> Table:
    table = _table("partition", "records", "lag", "not durable", "staleness", "rows waiting", "")
    for each in told["partitions"]:
        table.add_row(
            str(each["partition"]),
            str(each["end"]),
            str(each["lag"]),
            str(each["waiting"]),
            _ago(each["staleness_ms"]),
            str(each["rows_waiting"]),
            f"[red]{each['trouble']}[/red]" if each["trouble"] else "",
        )
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, justify="left" if column == "" else "right")
    return table


def _ago(ms: int) -> str:
    if ms < 120_000:
        return f"{ms / 1000:.1f} s"
    minutes = ms // 60_000
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
