"""The account as which `heartline status` asks; nobody can log in to it."""

from contextlib import suppress

from stores.account_errors import NameTaken
from stores.accounts import Account, Accounts, Scope

NAME = "heartline command line"


async def operator_account(accounts: Accounts) -> Account | None:
    """Find it, or make it; `up` does so at its start, for later the store may not be writable."""
    found = await accounts.by_name(NAME)
    if found is None:
        with suppress(NameTaken):
            await accounts.create(NAME, password=None, time_zone="UTC", scopes=[Scope.OPERATOR])
        found = await accounts.by_name(NAME)
    return found
