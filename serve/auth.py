"""Who is asking, and may they: bearer tokens, scopes, and the one place of object-level checks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request

from domain.playlists import Role
from serve.errors import ApiError
from serve.tokens import InvalidToken, Tokens
from stores.accounts import Account, Accounts, Scope
from stores.playlist_errors import Forbidden, NoPlaylist
from stores.playlist_rows import Head


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, within the scopes of the token that is also the account's still."""

    listener_id: str
    scopes: frozenset[str]
    account: Account | None = None


NOBODY = Caller("", frozenset())  # the caller of a public endpoint

Authenticate = Callable[[Request], Awaitable[Caller]]


class Access:
    """Finds the caller of a request by its bearer token."""

    def __init__(self, tokens: Tokens, accounts: Accounts) -> None:
        self._tokens, self._accounts = tokens, accounts

    async def authenticate(self, request: Request) -> Caller:
        """Tell who sent a request; the account is read each time, so its end is seen at once.

        :raises ApiError: 401, if there is no valid token of an account that exists.
        """
        return await self.caller(bearer_token(request))

    async def caller(self, token: str) -> Caller:
        """Tell whose a token is; as `authenticate`."""
        try:
            claims = self._tokens.read(token)
        except InvalidToken as error:
            raise unauthorized("the access token is invalid or has expired") from error
        account = await self._accounts.by_id(claims.listener_id)
        if account is None:
            raise unauthorized("the account is gone")
        if account.revoked.cover(claims.epoch, claims.session):
            raise unauthorized("the session has ended")
        return Caller(account.listener_id, claims.scopes & account.scopes, account)


def bearer_token(request: Request) -> str:
    """Take the token out of the Authorization header.

    :raises ApiError: 401, if there is none.
    """
    headers = request.headers.getlist("authorization")
    if len(headers) != 1:
        raise unauthorized("one Authorization header with a bearer token is needed", given=False)
    scheme, _, token = headers[0].strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthorized("a bearer token is needed", given=False)
    return token.strip()


def unauthorized(message: str, *, given: bool = True) -> ApiError:
    """Ask for a (better) bearer token, as RFC 6750 says: 401."""
    error = ', error="invalid_token"' if given else ""
    headers = {"WWW-Authenticate": f'Bearer realm="heartline"{error}'}
    reason = "invalid_token" if given else "token_missing"
    return ApiError(401, message, reason, headers=headers)


def require(caller: Caller, scope: Scope | str) -> None:
    """Refuse a caller who lacks a scope.

    :raises ApiError: 403.
    """
    if scope not in caller.scopes:
        challenge = f'Bearer realm="heartline", error="insufficient_scope", scope="{scope}"'
        raise ApiError(
            403,
            f"the token lacks the scope {scope}",
            "insufficient_scope",
            headers={"WWW-Authenticate": challenge},
        )


def may_read(caller: Caller, listener_id: str) -> bool:
    """Whether a caller may read what belongs to *listener_id*: their own, or an operator's."""
    own = caller.listener_id == listener_id and Scope.LISTENER in caller.scopes
    return own or Scope.OPERATOR in caller.scopes


def require_read(caller: Caller, listener_id: str) -> None:
    """Refuse a caller who may not read what belongs to *listener_id*.

    :raises ApiError: 403, whether or not there is such a listener.
    """
    if not may_read(caller, listener_id):
        raise ApiError(403, "this belongs to another listener", "forbidden")


def role_in(caller: Caller, head: Head) -> Role | None:
    """Tell what a caller may do with a playlist; None: not even know that it is there."""
    who = caller.listener_id if Scope.LISTENER in caller.scopes else ""
    role = head.role_of(who)
    return Role.VIEW if role is None and may_read(caller, head.owner) else role


def require_role(caller: Caller, head: Head, needed: Role) -> Role:
    """Refuse a caller who may not do with a playlist what *needed* may; gives their role.

    :raises NoPlaylist: 404, if they may not even know that it is there.
    :raises Forbidden: 403.
    """
    role = role_in(caller, head)
    if role is None:
        raise NoPlaylist
    if [*Role].index(role) > [*Role].index(needed):
        raise Forbidden
    return role
