"""Accounts: who may log in, what they may do, and in which time zones they were.

An account is one document, found by its listener id, and a row that leads from its name there. The
document is written before the name and deleted before it: a name without a document is free.
"""

import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import StrEnum
from hashlib import blake2b

import msgspec
from msgspec import Struct

from domain.calendar import Zone, change_zone
from domain.ports import Row, Tables, Value
from domain.units import SECOND_MS
from stores.account_errors import Contended, NameTaken, NoAccount, WrongPassword
from stores.account_names import InvalidAccount, check_display_name, name_key
from stores.login_attempts import LoginAttempts
from stores.passwords import Passwords
from stores.revocations import Revocations
from stores.tables import ACCOUNT_NAMES, ACCOUNTS

PASSWORD_CHARACTERS = range(8, 1025)
MOST_ZONES = 1000
MOST_KNOWN = 16
ATTEMPTS_TO_WRITE = 16


class Scope(StrEnum):
    """What a bearer may do."""

    LISTENER = "listener"  # listen, and read and change what is one's own
    INGEST = "ingest"  # post heartbeats for any listener
    OPERATOR = "operator"  # read anybody's listening and the system's state
    LABEL = "label"  # write the catalogue
    METRICS = "metrics"  # read what Prometheus scrapes


class Account(Struct, frozen=True):
    """One account, as stored."""

    listener_id: str
    name: str
    display_name: str
    password_hash: str | None
    scopes: frozenset[Scope]
    zones: tuple[Zone, ...]
    created_ms: int
    revoked: Revocations = Revocations()
    known: tuple[
        str, ...
    ] = ()  # addresses from which it logged in, as hashes; the last is the newest

    @property
    def time_zone(self) -> str:
        """The zone chosen last, which may begin to hold at the next quarter-hour."""
        return self.zones[-1].name


_decoder = msgspec.json.Decoder(Account)


class Accounts:
    """The accounts of one store."""

    def __init__(
        self,
        tables: Tables,
        passwords: Passwords,
        *,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._tables, self._passwords = tables, passwords
        self._now_ms, self._new_id = now_ms, new_id
        self._attempts = LoginAttempts(tables, now_ms=now_ms)

    async def create(
        self,
        name: str,
        *,
        password: str | None,
        time_zone: str,
        scopes: Iterable[Scope] = (Scope.LISTENER,),
        display_name: str | None = None,
    ) -> Account:
        """Make an account with a new listener id; without *password* nobody can log in to it.

        :raises InvalidAccount: if a value cannot be taken.
        :raises UnknownZone: if there is no such zone.
        :raises NameTaken: if somebody has the name.
        """
        key = name_key(name)
        display_name = check_display_name(name if display_name is None else display_name)
        zones = change_zone((), time_zone, self._now_ms())
        if await self._named(key) is not None:
            raise NameTaken(name)  # before a hash is paid for
        account = Account(
            listener_id=self._new_id(),
            name=unicodedata.normalize("NFC", name),
            display_name=display_name,
            password_hash=await self.hash(password),
            scopes=frozenset(scopes),
            zones=zones,
            created_ms=self._now_ms(),
        )
        await self._write(account, version=0)
        if not await self._take_name(key, account.listener_id):
            await self._tables.delete_if(ACCOUNTS, (account.listener_id,), version=1)
            raise NameTaken(name)
        return account

    async def hash(self, password: str | None) -> str | None:
        """Make what is stored of a password that somebody chose.

        :raises InvalidAccount: if it is too short or too long.
        """
        if password is None:
            return None
        if len(password) not in PASSWORD_CHARACTERS:
            first, last = PASSWORD_CHARACTERS[0], PASSWORD_CHARACTERS[-1]
            raise InvalidAccount("password", f"wants {first} to {last} characters")
        return await self._passwords.hash(password)

    async def by_id(self, listener_id: str) -> Account | None:
        """Find an account by its listener id."""
        row = await self._row(listener_id)
        return _account(row) if row else None

    async def by_ids(self, listener_ids: Iterable[str]) -> dict[str, Account]:
        """Find several accounts by their listener ids; those that are not there are left out."""
        wanted = sorted(set(listener_ids))
        rows = await self._tables.read(ACCOUNTS, [(each,) for each in wanted]) if wanted else []
        return {each: _account(row) for each, row in zip(wanted, rows, strict=True) if row}

    async def by_name(self, name: str) -> Account | None:
        """Find an account by its name, however that is capitalised or composed."""
        try:
            key = name_key(name)
        except InvalidAccount:
            return None
        return await self._named(key)

    async def update(self, listener_id: str, change: Callable[[Account], Account]) -> Account:
        """Replace an account by what *change* makes of it; *change* may run more than once.

        :raises NoAccount: if it is gone.
        :raises Contended: if others keep changing it.
        """
        for _ in range(ATTEMPTS_TO_WRITE):
            row = await self._row(listener_id)
            if row is None:
                raise NoAccount(listener_id)
            before = _account(row)
            after = change(before)
            if after == before or await self._write(after, version=row.version):
                return after
        raise Contended(listener_id)

    async def change_password(
        self, account: Account, password: str, new_password: str, *, address: str = ""
    ) -> None:
        """Give an account another password; all its access tokens are worth nothing from now on.

        :raises WrongPassword: if *password* is not the account's.
        :raises InvalidAccount: if the new one is too short or too long.
        :raises TooManyAttempts: if the name was tried too often lately.
        :raises NoAccount: if it is gone.
        """
        proven = await self.authenticate(account.name, password, address=address)
        if proven is None or proven.listener_id != account.listener_id:
            raise WrongPassword
        hashed = await self.hash(new_password)
        here = (_mark(account, address),)

        def change(now: Account) -> Account:
            revoked = now.revoked.of_everything()
            return msgspec.structs.replace(now, password_hash=hashed, revoked=revoked, known=here)

        await self.update(account.listener_id, change)

    async def end_session(self, listener_id: str, session: str) -> None:
        """Have the access tokens of a session be worth nothing from now on; without an account, they are."""
        now_s = self._now_ms() // SECOND_MS

        def change(now: Account) -> Account:
            revoked = now.revoked.of_session(session, now_s)
            return msgspec.structs.replace(now, revoked=revoked)

        with suppress(NoAccount):
            await self.update(listener_id, change)

    async def delete(self, listener_id: str) -> None:
        """Delete an account and its name; one that is gone already stays so."""
        row = await self._row(listener_id)
        while row is not None:
            if await self._tables.delete_if(ACCOUNTS, (listener_id,), version=row.version):
                await self._free_name(name_key(_account(row).name), listener_id)
            row = await self._row(listener_id)

    async def admit_sign_up(self, address: str) -> None:
        """Let somebody at an address sign up ("": on this machine).

        :raises TooManyAttempts: if too many did lately.
        """
        await self._attempts.count_sign_up(address)

    async def authenticate(self, name: str, password: str, *, address: str = "") -> Account | None:
        """Find the account whose name and password these are, as somebody at an address says.

        A name without an account takes as long as a wrong password. An address from which somebody
        logged in before has attempts of its own, which nobody elsewhere can use up.

        :raises TooManyAttempts: if the name was tried too often lately.
        :raises TooManyLogins: if too many passwords wait to be checked.
        """
        try:
            key = name_key(name)
        except InvalidAccount:
            return None
        if len(password) > PASSWORD_CHARACTERS[-1]:
            return None  # nobody's; and composing a hundred thousand accents would take minutes
        account = await self._named(key)
        known = account is not None and _mark(account, address) in account.known
        await self._attempts.count_login(key, address, known=known)
        stored = account.password_hash if account else None
        if not await self._passwords.matches(password, stored) or account is None:
            return None
        await self._attempts.forget_logins(key, address, known=known)
        if not known:
            await self._remember(account, address)
        return account

    async def _remember(self, account: Account, address: str) -> None:
        def change(now: Account) -> Account:
            known = (*now.known, _mark(account, address))[-MOST_KNOWN:]
            return msgspec.structs.replace(now, known=known)

        with suppress(NoAccount):
            await self.update(account.listener_id, change)

    async def _row(self, listener_id: str) -> Row | None:
        return (await self._tables.read(ACCOUNTS, [(listener_id,)]))[0]

    async def _named(self, key: str) -> Account | None:
        row = (await self._tables.read(ACCOUNT_NAMES, [(key,)]))[0]
        return await self.by_id(str(row.values["listener"])) if row else None

    async def _write(self, account: Account, *, version: int) -> bool:
        values: dict[str, Value] = {"name": account.name, "document": msgspec.json.encode(account)}
        return await self._tables.write_if(
            ACCOUNTS, (account.listener_id,), values, version=version
        )

    async def _take_name(self, key: str, listener_id: str) -> bool:
        row = (await self._tables.read(ACCOUNT_NAMES, [(key,)]))[0]
        if row is not None and await self.by_id(str(row.values["listener"])) is not None:
            return False
        version = row.version if row else 0
        values = {"listener": listener_id}
        return await self._tables.write_if(ACCOUNT_NAMES, (key,), values, version=version)

    async def _free_name(self, key: str, listener_id: str) -> None:
        row = (await self._tables.read(ACCOUNT_NAMES, [(key,)]))[0]
        if row is not None and row.values["listener"] == listener_id:
            await self._tables.delete_if(ACCOUNT_NAMES, (key,), version=row.version)


def _account(row: Row) -> Account:
    return _decoder.decode(row.values["document"])  # type: ignore[arg-type]


def _mark(account: Account, address: str) -> str:
    """Hash an address, so that nobody reads in the store from where somebody logs in."""
    return blake2b(f"{account.listener_id} {address}".encode(), digest_size=8).hexdigest()


def move(account: Account, time_zone: str, now_ms: int) -> Account:
    """Note that the listener chose *time_zone* at *now_ms*.

    :raises UnknownZone: if there is no such zone.
    :raises InvalidAccount: if it was changed a thousand times already.
    """
    zones = change_zone(account.zones, time_zone, now_ms)
    if len(zones) > MOST_ZONES:
        raise InvalidAccount("time_zone", f"was changed {MOST_ZONES} times already")
    return msgspec.structs.replace(account, zones=zones)
