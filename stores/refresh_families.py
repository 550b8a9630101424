"""Refresh tokens: each is good for one use and leads to the next of its family (RFC 9700, 4.14.2).

A token is ``listener id . family . secret``; stored is the hash of the secret that is next. A secret
that comes back after its use was copied by somebody, nobody knows by whom: the family ends. Of two
uses at the same time one wins; the other is refused, and the family goes on.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec
from msgspec import Struct

from domain.errors import Refused
from domain.ids import is_id, is_listener_id
from domain.ports import Tables
from stores.tables import REFRESH_FAMILIES

TTL_S = 30 * 24 * 3600  # since the last use
MOST_TOKEN_CHARACTERS = 256


class InvalidRefreshToken(Refused):
    """Raised when a refresh token is not one of ours, was used before, or its family has ended."""

    def __str__(self) -> str:
        return "the refresh token is unknown, used or expired"


class ScopeNotGranted(Refused):
    """Raised when a refresh asks for a scope that the login did not give; the token stays good."""

    def __str__(self) -> str:
        return "the refresh token does not cover that scope"


class Family(Struct, frozen=True):
    """What is stored of a family: what its tokens are good for, and the hash of the next secret."""

    scopes: frozenset[str]
    secret_hash: bytes


class Grant(NamedTuple):
    """What a refresh token was exchanged for."""

    listener_id: str
    scopes: frozenset[str]
    next_token: str


_decoder = msgspec.json.Decoder(Family)


class RefreshFamilies:
    """The families of refresh tokens of one store."""

    def __init__(self, tables: Tables, *, new_secret: Callable[[], str]) -> None:
        self._tables, self._new_secret = tables, new_secret

    async def begin(self, listener_id: str, scopes: Iterable[str]) -> str:
        """Begin a family and make its first token."""
        family, secret = self._new_secret(), self._new_secret()
        document = Family(frozenset(scopes), _hash(secret))
        await self._write((listener_id, family), document, version=0)
        return f"{listener_id}.{family}.{secret}"

    async def use(self, token: str, wanted: frozenset[str] = frozenset()) -> Grant:
        """Exchange a token for the next one of its family; *wanted* must be of its scopes.

        :raises InvalidRefreshToken: if it is not good; the family of one that was used has ended.
        :raises ScopeNotGranted: if a wanted scope is not the family's.
        """
        listener_id, name, secret = token_parts(token)
        row = (await self._tables.read(REFRESH_FAMILIES, [(listener_id, name)]))[0]
        if row is None:
            raise InvalidRefreshToken
        family = _decoder.decode(row.values["document"])  # type: ignore[arg-type]
        if not hmac.compare_digest(family.secret_hash, _hash(secret)):
            await self._end(listener_id, name)
            raise InvalidRefreshToken
        if not wanted <= family.scopes:
            raise ScopeNotGranted
        following = self._new_secret()
        document = msgspec.structs.replace(family, secret_hash=_hash(following))
        if not await self._write((listener_id, name), document, version=row.version):
            raise InvalidRefreshToken
        return Grant(listener_id, family.scopes, f"{listener_id}.{name}.{following}")

    async def end(self, token: str) -> None:
        """End the family of a token, whether the token is its last or was used before.

        :raises InvalidRefreshToken: if it is not made like ours.
        """
        listener_id, family, _ = token_parts(token)
        await self._end(listener_id, family)

    async def end_all(self, listener_id: str) -> None:
        """End every family of a listener."""
        for row in await self._tables.scan(REFRESH_FAMILIES, (listener_id,)):
            await self._end(listener_id, str(row.key[1]))

    async def _end(self, listener_id: str, name: str) -> None:
        key = (listener_id, name)
        while row := (await self._tables.read(REFRESH_FAMILIES, [key]))[0]:
            await self._tables.delete_if(REFRESH_FAMILIES, key, version=row.version)

    async def _write(self, key: tuple[str, str], family: Family, *, version: int) -> bool:
        values = {"document": msgspec.json.encode(family)}
        return await self._tables.write_if(
            REFRESH_FAMILIES, key, values, version=version, ttl_s=TTL_S
        )


def token_parts(token: str) -> tuple[str, str, str]:
    """Take a token apart: the listener's id, the family, the secret.

    :raises InvalidRefreshToken: if it is not made like ours.
    """
    parts = token.split(".")
    if len(token) > MOST_TOKEN_CHARACTERS or len(parts) != 3:
        raise InvalidRefreshToken
    listener_id, family, secret = parts
    if not (is_listener_id(listener_id) and is_id(family) and is_id(secret)):
        raise InvalidRefreshToken
    return listener_id, family, secret


def _hash(secret: str) -> bytes:
    # Secrets are 128 random bits and more: nothing to guess, so no slow hash.
    return hashlib.sha256(secret.encode()).digest()
