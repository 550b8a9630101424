"""`heartline token`."""

import argparse
import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from heartline import wiring
from heartline.terminal import fail, say, say_json
from stores.accounts import Scope


def run(options: argparse.Namespace) -> int:
    """Print a bearer token for an account."""
    token = asyncio.run(mint(options.data, options.name, options.scopes))()
    if options.json:
        say_json({"access_token": token, "token_type": "Bearer"})
    else:
        say(token)
    return 0


async def mint(data: Path, name: str, scopes: list[str] | None = None) -> Callable[[], str]:
    """Tell how to sign tokens for the account of that name, within *scopes* (None: all it has).

    Raises
    ------
    Failure
        There is no such account, or it lacks a scope.
    """
    settings = wiring.settings(data)
    async with wiring.store(settings) as tables:
        account = await wiring.accounts(tables).by_name(name)
    if account is None:
        fail(f"no account is named {name!r}; make one with `heartline account create`")
    wanted = frozenset(Scope(scope) for scope in scopes) if scopes else account.scopes
    if lacking := wanted - account.scopes:
        fail(
            f"{name} may not act as {', '.join(sorted(lacking))}: it was made without that --scope"
        )
    tokens = wiring.tokens(data, settings.secrets)
    return partial(tokens.sign, account.listener_id, wanted, epoch=account.revoked.epoch)
