"""How often something was tried lately, counted in the store so that it holds across replicas.

Of one name, few attempts are taken from one address, so that guessing is hopeless; and more from all
of them together, but for those from where its owner logged in before: nobody elsewhere can lock the
owner out. Sign-ups are counted by address.
"""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from domain.errors import Refused
from domain.ports import Tables
from domain.units import MINUTE_MS, SECOND_MS
from stores.tables import LOGIN_ATTEMPTS

MOST_ATTEMPTS = 10  # on a name from one address
MOST_ATTEMPTS_FROM_ALL = 100  # on a name
MOST_SIGN_UPS = 300  # from one address
WINDOW_MS = 5 * MINUTE_MS
TURNS = 16  # so many others may come first


class TooManyAttempts(Refused):
    """Raised when something was tried too often within five minutes."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"too many attempts, try again in {self.retry_after_s} s"


class Attempts(Struct, frozen=True):
    """The attempts of one window of five minutes, as stored."""

    since_ms: int
    count: int


_decoder = msgspec.json.Decoder(Attempts)


class LoginAttempts:
    """Counts attempts; an address of "" is this machine."""

    def __init__(self, tables: Tables, *, now_ms: Callable[[], int]) -> None:
        self._tables, self._now_ms = tables, now_ms

    async def count_login(self, name: str, address: str, *, known: bool) -> None:
        """Note an attempt, before its password is looked at, so that many at once count too.

        One from a *known* address does not count among those from everywhere.

        :raises TooManyAttempts: if there were too many.
        """
        await self._count(_pair(name, address), MOST_ATTEMPTS)
        if not known:
            await self._count(name, MOST_ATTEMPTS_FROM_ALL)

    async def forget_logins(self, name: str, address: str, *, known: bool) -> None:
        """Begin anew after a right password."""
        await self._forget(_pair(name, address))
        if not known:
            await self._forget(name)

    async def count_sign_up(self, address: str) -> None:
        """Note a sign-up; from this machine there may be any number.

        :raises TooManyAttempts: if there were too many.
        """
        if address:
            await self._count(_pair("", address), MOST_SIGN_UPS)

    async def _count(self, name: str, most: int) -> None:
        for _ in range(TURNS):
            attempts, version = await self._read(name)
            now_ms = self._now_ms()
            if attempts is None or not 0 <= now_ms - attempts.since_ms < WINDOW_MS:
                attempts = Attempts(now_ms, 0)
            if attempts.count >= most:
                left_ms = attempts.since_ms + WINDOW_MS - now_ms
                raise TooManyAttempts(-(-left_ms // SECOND_MS))
            counted = msgspec.structs.replace(attempts, count=attempts.count + 1)
            if await self._write(name, counted, version=version):
                return
        raise TooManyAttempts(1)

    async def _forget(self, name: str) -> None:
        attempts, version = await self._read(name)
        if attempts is not None:
            await self._tables.delete_if(LOGIN_ATTEMPTS, (name,), version=version)

    async def _read(self, name: str) -> tuple[Attempts | None, int]:
        row = (await self._tables.read(LOGIN_ATTEMPTS, [(name,)]))[0]
        if row is None:
            return None, 0
        return _decoder.decode(row.values["document"]), row.version  # type: ignore[arg-type]

    async def _write(self, name: str, attempts: Attempts, *, version: int) -> bool:
        return await self._tables.write_if(
            LOGIN_ATTEMPTS,
            (name,),
            {"document": msgspec.json.encode(attempts)},
            version=version,
            ttl_s=WINDOW_MS // SECOND_MS,
        )


def _pair(name: str, address: str) -> str:
    return f"{name}\n{address}"  # no name has a line end
