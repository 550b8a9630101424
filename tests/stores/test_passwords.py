import asyncio
import threading
from typing import Literal

import pytest
from argon2 import PasswordHasher
from argon2.low_level import Type

from stores.passwords import MOST_WAITING, Passwords, TooManyLogins
from tests.stores.fast_passwords import fast_passwords


class SlowHasher(PasswordHasher):
    """Counts how many verifications run, and lets none end before it is told to."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified: list[str] = []
        self.go = threading.Event()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
        self.go.wait(5)
        self.verified.append(str(hash))
        return super().verify(hash, password)


async def test_only_the_password_itself_matches_its_hash() -> None:
    passwords = fast_passwords()
    stored = await passwords.hash("one")

    assert await passwords.matches("one", stored)
    assert not await passwords.matches("two", stored)
    assert not await passwords.matches("one", "damaged")


async def test_what_is_stored_unless_told_otherwise_is_as_strong_as_owasp_asks() -> None:
    stored = await Passwords().hash("one")

    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PasswordHasher().type is Type.ID


async def test_a_name_without_a_password_costs_a_verification_too() -> None:
    hasher = SlowHasher()
    hasher.go.set()
    passwords = Passwords(hasher)
    stored = await passwords.hash("one")

    await passwords.matches("two", stored)
    await passwords.matches("two", None)

    assert len(hasher.verified) == 2
    assert hasher.verified[0].rsplit("$", 2)[0] == hasher.verified[1].rsplit("$", 2)[0]


async def test_logins_beyond_what_anybody_would_wait_for_are_refused() -> None:
    hasher = SlowHasher()
    passwords = Passwords(hasher)
    stored = hasher.hash("one")
    waiting = [asyncio.create_task(passwords.matches("one", stored)) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)

    with pytest.raises(TooManyLogins):
        await passwords.matches("one", stored)
    hasher.go.set()

    assert all(await asyncio.gather(*waiting))
