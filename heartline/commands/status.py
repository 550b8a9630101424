"""`heartline status`."""

import argparse
import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console, RenderableType
from rich.live import Live
from rich.markup import escape

from domain.errors import HeartlineError
from heartline import wiring
from heartline.operator_account import operator_account
from heartline.pace import Pace
from heartline.status import status_of
from heartline.status_picture import FLOWS, picture
from heartline.supervisor import running_url
from heartline.terminal import Failure, fail, note, say_json
from stores.accounts import Scope

TIMEOUT_S = 10.0
TOKEN_TTL_S = 60


def run(options: argparse.Namespace) -> int:
    """Show how Heartline is; from the files alone where none runs."""
    if options.watch is None:
        told = look(options.data)
        if options.json:
            say_json(told)
        else:
            Console(highlight=False).print(picture(told))
        return 0
    watch(options.data, options.watch, json=options.json)
    return 0


def look(data: Path) -> dict[str, Any]:
    """Find out how Heartline is."""
    url = running_url(data)
    told = asyncio.run(_asked(data, url) if url else _from_files(data))
    return {**told, "url": url}


def watch(data: Path, every_s: float, *, json: bool) -> None:
    """Show it again and again, until interrupted; what cannot be had now is said, and tried again."""
    pace, console = Pace(), Console(highlight=False)
    with Live(console=console, screen=console.is_terminal and not json, auto_refresh=False) as live:
        while True:
            try:
                told = look(data)
            except (Failure, HeartlineError) as error:
                shown: RenderableType = escape(str(error))
                if json:
                    note(str(error))
            else:
                if json:
                    say_json(told)
                shown = picture(told, _rates(pace, told))
            if not json:
                live.update(shown, refresh=True)
            time.sleep(every_s)


def _rates(pace: Pace, told: dict[str, Any]) -> dict[str, float]:
    if "figures" not in told:
        return {}
    counts = {name: value(told["figures"]) for name, value in FLOWS.items()}
    return pace.rates(time.monotonic(), counts)


async def _asked(data: Path, url: str) -> dict[str, Any]:
    settings = wiring.settings(data)
    async with wiring.store(settings) as tables:
        account = await operator_account(wiring.accounts(tables))
    listener_id = account.listener_id if account else ""
    tokens = wiring.tokens(data, settings.secrets)
    token = tokens.sign(listener_id, [Scope.OPERATOR], ttl_s=TOKEN_TTL_S)
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
