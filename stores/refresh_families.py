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


class UsedAgain(InvalidRefreshToken):
    """Raised when a refresh token comes back after its use: the session of its family has ended."""

    def __init__(self, session: "Session") -> None:
        super().__init__(session)
        self.session = session


class ScopeNotGranted(Refused):
    """Raised when a refresh asks for a scope that the login did not give; the token stays good."""

    def __str__(self) -> str:
        return "the refresh token does not cover that scope"


class Session(NamedTuple):
    """Whose a family is, and its name."""

    listener_id: str
    name: str


class Family(Struct, frozen=True):
    """What is stored of a family: what its tokens are good for, and the hash of the next secret."""

    scopes: frozenset[str]
    secret_hash: bytes


class Grant(NamedTuple):
    """What a refresh token was exchanged for."""

    session: Session
    scopes: frozenset[str]
    next_token: str


_decoder = msgspec.json.Decoder(Family)


class RefreshFamilies:
    """The families of refresh tokens of one store."""

    def __init__(self, tables: Tables, *, new_secret: Callable[[], str]) -> None:
        self._tables, self._new_secret = tables, new_secret

    async def begin(self, listener_id: str, scopes: Iterable[str]) -> str:
        """Begin a family and make its first token."""
        session, secret = Session(listener_id, self._new_secret()), self._new_secret()
        await self._write(session, Family(frozenset(scopes), _hash(secret)), version=0)
        return _token(session, secret)

    async def use(self, token: str, wanted: frozenset[str] = frozenset()) -> Grant:
        """Exchange a token for the next one of its family; *wanted* must be of its scopes.

        :raises InvalidRefreshToken: if it is not good.
        :raises UsedAgain: if it was used before; its family has ended.
        :raises ScopeNotGranted: if a wanted scope is not the family's.
        """
        session, secret = token_parts(token)
        row = (await self._tables.read(REFRESH_FAMILIES, [session]))[0]
        if row is None:
            raise InvalidRefreshToken
        family = _decoder.decode(row.values["document"])  # type: ignore[arg-type]
        if not hmac.compare_digest(family.secret_hash, _hash(secret)):
            await self.end(session)
            raise UsedAgain(session)
        if not wanted <= family.scopes:
            raise ScopeNotGranted
        following = self._new_secret()
        document = msgspec.structs.replace(family, secret_hash=_hash(following))
        if not await self._write(session, document, version=row.version):
            raise InvalidRefreshToken
        return Grant(session, family.scopes, _token(session, following))

    async def has(self, session: Session) -> bool:
        """Whether there is that family."""
        return (await self._tables.read(REFRESH_FAMILIES, [session]))[0] is not None

    async def end(self, session: Session) -> None:
        """End a family; one that is gone already stays so."""
        while row := (await self._tables.read(REFRESH_FAMILIES, [session]))[0]:
            await self._tables.delete_if(REFRESH_FAMILIES, session, version=row.version)

    async def end_all(self, listener_id: str) -> None:
        """End every family of a listener."""
        for row in await self._tables.scan(REFRESH_FAMILIES, (listener_id,)):
            await self.end(Session(listener_id, str(row.key[1])))

    async def _write(self, session: Session, family: Family, *, version: int) -> bool:
        values = {"document": msgspec.json.encode(family)}
        return await self._tables.write_if(
            REFRESH_FAMILIES, session, values, version=version, ttl_s=TTL_S
        )


def token_parts(token: str) -> tuple[Session, str]:
    """Take a token apart: the session, the secret.

    :raises InvalidRefreshToken: if it is not made like ours.
    """
    parts = token.split(".")
    if len(token) > MOST_TOKEN_CHARACTERS or len(parts) != 3:
        raise InvalidRefreshToken
    listener_id, family, secret = parts
    if not (is_listener_id(listener_id) and is_id(family) and is_id(secret)):
        raise InvalidRefreshToken
    return Session(listener_id, family), secret


def _token(session: Session, secret: str) -> str:
    return f"{session.listener_id}.{session.name}.{secret}"


def _hash(secret: str) -> bytes:
    # Secrets are 128 random bits and more: nothing to guess, so no slow hash.
    return hashlib.sha256(secret.encode()).digest()
