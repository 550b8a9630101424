"""Passwords as argon2id hashes (RFC 9106), a few at a time and never on the event loop."""

import asyncio
import unicodedata
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.errors import Unavailable

T = TypeVar("T")

MEMORY_KIB, PASSES, LANES = 19_456, 2, 1  # OWASP's password storage cheat sheet, second choice
MOST_WAITING = 64


class TooManyLogins(Unavailable):
    """Raised when more passwords wait to be hashed than a client would wait for."""

    def __str__(self) -> str:
        return "too many logins at once"


class Passwords:
    """Hashes passwords and checks them, each in a thread, at most *at_once* of them."""

    def __init__(self, hasher: PasswordHasher | None = None, *, at_once: int = 2) -> None:
        self._hasher = hasher or PasswordHasher(
            time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES
        )
        self._turns = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """Make what is stored of a password.

        :raises TooManyLogins: if too many wait already.
        """
        return await self._in_thread(lambda: self._hasher.hash(_plain(password)))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether *stored* was made of *password*; takes as long when there is none (never).

        :raises TooManyLogins: if too many wait already.
        """
        if stored is None and self._nobodys is None:
            self._nobodys = await self.hash("nobody's password")
        against = stored or self._nobodys or ""
        matched = await self._in_thread(lambda: self._verify(_plain(password), against))
        return matched and stored is not None

    def _verify(self, password: bytes, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise TooManyLogins
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1


def _plain(password: str) -> bytes:
    """Write a password in the form in which every keyboard gives the same (RFC 8265, section 4)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
