"""`heartline account create`."""

import argparse
import asyncio
import sys
from pathlib import Path

from heartline import wiring
from heartline.terminal import fail, say, say_json
from stores.accounts import Account, Scope

MOST_PASSWORD_BYTES = 8_192


def run(options: argparse.Namespace) -> int:
    """Make an account and print its listener id."""
    password = _password(options.password_file)
    account = asyncio.run(_create(options, password))
    if options.json:
        say_json(
            {
                "listener_id": account.listener_id,
                "name": account.name,
                "time_zone": account.time_zone,
                "scopes": sorted(account.scopes),
            }
        )
    else:
        say(account.listener_id)
    return 0


async def _create(options: argparse.Namespace, password: str | None) -> Account:
    scopes = [Scope(scope) for scope in options.scopes or ["listener"]]
    async with wiring.store(wiring.settings(options.data), make=True) as tables:
        return await wiring.accounts(tables).create(
            options.name, password=password, time_zone=options.time_zone, scopes=scopes
        )


def _password(file: str | None) -> str | None:
    if file is None:
        return None
    try:
        if file == "-":
            raw = sys.stdin.buffer.readline(MOST_PASSWORD_BYTES)
        else:
            with Path(file).open("rb") as lines:
                raw = lines.readline(MOST_PASSWORD_BYTES)
        return raw.decode().rstrip("\r\n")
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}", 2)
    except UnicodeDecodeError:
        fail(f"{file}: the password is not UTF-8", 2)
