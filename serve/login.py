"""``POST /v1/token`` and ``/v1/revoke``: logging in and out by OAuth 2 (RFC 6749, RFC 7009)."""

import base64
import binascii
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import unquote_plus

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serve.auth import Caller
from serve.endpoints import FORM, Endpoint, Link
from serve.errors import ApiError
from serve.inputs import client_address, form_body
from serve.token_bodies import (
    ClientCredentialsGrant,
    GrantError,
    PasswordGrant,
    RefreshTokenGrant,
    Revocation,
    TokenAnswer,
)
from serve.tokens import InvalidToken, Tokens
from stores.accounts import Account, Accounts, Scope
from stores.login_attempts import TooManyAttempts
from stores.refresh_families import (
    InvalidRefreshToken,
    RefreshFamilies,
    ScopeNotGranted,
    Session,
    UsedAgain,
    token_parts,
)
from stores.revocations import ACCESS_TTL_S

NEVER_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}
CHALLENGE = {"WWW-Authenticate": 'Basic realm="heartline", charset="UTF-8"'}


class NotGranted(Exception):
    """Raised when a token request is refused."""

    def __init__(
        self,
        error: str,
        description: str,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(error, description, status, headers)
        self.error, self.description, self.status = error, description, status
        self.headers = headers or {}


class Credentials(NamedTuple):
    """The name and password of an account that is a client."""

    name: str
    secret: str


class Login:
    """Gives tokens to whoever proves to be somebody."""

    def __init__(self, accounts: Accounts, families: RefreshFamilies, tokens: Tokens) -> None:
        self._accounts, self._families, self._tokens = accounts, families, tokens

    async def token(self, request: Request, _caller: Caller) -> Response:
        """Answer a token request."""
        try:
            answer = await self._grant(request, await form_body(request))
        except (NotGranted, TooManyAttempts, ApiError) as error:
            return _refused(error)
        body = msgspec.json.encode(answer)
        return Response(body, headers=NEVER_STORED, media_type="application/json")

    async def revoke(self, request: Request, _caller: Caller) -> Response:
        """End the session that a token belongs to, as RFC 7009 says: log out."""
        try:
            token = _field(await form_body(request), "token")
        except (NotGranted, ApiError) as error:
            return _refused(error)
        with suppress(InvalidRefreshToken):  # one that is not good needs no end
            session = self._session_of(token)
            if not session.name:
                wants = "this access token has no session to end, and lives for an hour at most"
                return _refused(NotGranted("unsupported_token_type", wants))
            if await self._families.has(session):  # whoever makes up a session ends nothing
                await self._accounts.end_session(*session)
                await self._families.end(session)
        return Response(headers=NEVER_STORED)

    def _session_of(self, token: str) -> Session:
        """Tell which session an access or refresh token belongs to."""
        try:
            claims = self._tokens.read(token)
        except InvalidToken:
            return token_parts(token)[0]
        return Session(claims.listener_id, claims.session)

    async def _grant(self, request: Request, form: Mapping[str, str]) -> TokenAnswer:
        match form.get("grant_type"):
            case "password":
                return await self._by_password(request, form)
            case "refresh_token":
                return await self._by_refresh_token(form)
            case "client_credentials":
                return await self._by_client(request, form)
            case None:
                raise NotGranted("invalid_request", "grant_type is missing")
            case _:
                wants = "grant_type must be password, refresh_token or client_credentials"
                raise NotGranted("unsupported_grant_type", wants)

    async def _by_password(self, request: Request, form: Mapping[str, str]) -> TokenAnswer:
        name, password = _field(form, "username"), _field(form, "password")
        address = client_address(request)
        account = await self._accounts.authenticate(name, password, address=address)
        if account is None:
            raise NotGranted("invalid_grant", "name or password is wrong")
        scopes = _granted(account, _wanted(form))
        refresh_token = await self._families.begin(account.listener_id, scopes)
        session, _ = token_parts(refresh_token)
        now = await self._accounts.by_id(account.listener_id)
        if now is None or now.password_hash != account.password_hash:
            await self._families.end(session)  # it was changed while this one was checked
            raise NotGranted("invalid_grant", "name or password is wrong")
        access_token = self._sign(now, scopes, session.name)
        return _answer(access_token, scopes, refresh_token)

    async def _by_refresh_token(self, form: Mapping[str, str]) -> TokenAnswer:
        wanted = _wanted(form)
        try:
            grant = await self._families.use(_field(form, "refresh_token"), wanted)
        except ScopeNotGranted as error:
            raise NotGranted("invalid_scope", str(error)) from error
        except UsedAgain as error:
            await self._accounts.end_session(*error.session)
            raise NotGranted("invalid_grant", str(error)) from error
        except InvalidRefreshToken as error:
            raise NotGranted("invalid_grant", str(error)) from error
        account = await self._accounts.by_id(grant.session.listener_id)
        scopes = (wanted or grant.scopes) & account.scopes if account else frozenset()
        if account is None or not scopes:
            raise NotGranted("invalid_grant", "the account is gone or has lost these scopes")
        access_token = self._sign(account, scopes, grant.session.name)
        return _answer(access_token, scopes, grant.next_token)

    async def _by_client(self, request: Request, form: Mapping[str, str]) -> TokenAnswer:
        client = _credentials(request, form)
        address = client_address(request)
        account = await self._accounts.authenticate(client.name, client.secret, address=address)
        if account is None:
            raise NotGranted("invalid_client", "client id or secret is wrong", 401, CHALLENGE)
        scopes = _granted(account, _wanted(form))
        return _answer(self._sign(account, scopes), scopes)

    def _sign(self, account: Account, scopes: frozenset[str], session: str = "") -> str:
        epoch = account.revoked.epoch
        return self._tokens.sign(account.listener_id, scopes, epoch=epoch, session=session)


def _answer(
    access_token: str, scopes: frozenset[str], refresh_token: str | None = None
) -> TokenAnswer:
    scope = " ".join(sorted(scopes))
    return TokenAnswer(access_token, "Bearer", ACCESS_TTL_S, scope, refresh_token)


def _refused(error: NotGranted | TooManyAttempts | ApiError) -> Response:
    if isinstance(error, TooManyAttempts):
        wait = {"Retry-After": str(error.retry_after_s)}
        error = NotGranted("too_many_attempts", str(error), 429, wait)
    elif isinstance(error, ApiError):
        error = NotGranted("invalid_request", error.message, error.status, error.headers)
    return Response(
        msgspec.json.encode(GrantError(error.error, error.description)),
        status_code=error.status,
        headers={**NEVER_STORED, **error.headers},
        media_type="application/json",
    )


def _field(form: Mapping[str, str], name: str) -> str:
    value = form.get(name)
    if value is None:
        raise NotGranted("invalid_request", f"{name} is missing")
    return value


def _wanted(form: Mapping[str, str]) -> frozenset[str]:
    wanted = frozenset(form.get("scope", "").split())
    unknown = wanted - set(Scope)
    if unknown:
        raise NotGranted("invalid_scope", f"the scopes are {', '.join(Scope)}")
    return wanted


def _granted(account: Account, wanted: frozenset[str]) -> frozenset[str]:
    """Grant what is wanted; if nothing is said, `listener`, or all that an account without it has."""
    if not wanted:
        usual = frozenset({Scope.LISTENER}) & account.scopes
        return frozenset(usual or account.scopes)
    if not wanted <= account.scopes:
        raise NotGranted("invalid_scope", "the account does not have that scope")
    return wanted


def _credentials(request: Request, form: Mapping[str, str]) -> Credentials:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return Credentials(_field(form, "client_id"), _field(form, "client_secret"))
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise NotGranted("invalid_client", "malformed HTTP Basic", 401, CHALLENGE) from error
    name, _, secret = pair.partition(":")
    return Credentials(_form_decoded(name), _form_decoded(secret))


def _form_decoded(text: str) -> str:
    """Undo the form encoding of RFC 6749, section 2.3.1, which many clients leave out."""
    return unquote_plus(text) if "%" in text else text


ENDPOINTS: tuple[Endpoint[Login], ...] = (
    Endpoint(
        "POST",
        "/v1/token",
        Login.token,
        summary="Log in: OAuth 2 with the grants password, refresh_token and client_credentials",
        public=True,
        body=PasswordGrant | RefreshTokenGrant | ClientCredentialsGrant,
        body_types=(FORM,),
        answers={200: TokenAnswer},
        errors=(401, 429),
        error_body=GrantError,
        links=(
            Link("WhoAmI", "GET", "/v1/me"),
            Link(
                "Refresh",
                "POST",
                "/v1/token",
                body={
                    "grant_type": "refresh_token",
                    "refresh_token": "$response.body#/refresh_token",
                },
            ),
            Link(
                "LogOut",
                "POST",
                "/v1/revoke",
                body={"token": "$response.body#/refresh_token"},
            ),
        ),
    ),
    Endpoint(
        "POST",
        "/v1/revoke",
        Login.revoke,
        summary="Log out: end the session of a token, access tokens included (RFC 7009)",
        public=True,
        body=Revocation,
        body_types=(FORM,),
        answers={200: None},
        error_body=GrantError,
    ),
)
