"""Accounts made straight in the store of a data directory, for load that needs tokens."""

import asyncio
from pathlib import Path

from heartline import wiring
from stores.accounts import Account, Scope


async def make_accounts(data: Path, count: int, name: str, scope: Scope) -> list[Account]:
    """Make accounts that have tokens."""
    async with wiring.store(wiring.settings(data), make=True) as tables:
        accounts = wiring.accounts(tables)
        return await asyncio.gather(
            *[
                accounts.create(f"{name}-{i}", password=None, time_zone="UTC", scopes=[scope])
                for i in range(count)
            ]
        )
