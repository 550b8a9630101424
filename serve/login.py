"""``POST /v1/token`` and ``/v1/revoke``: logging in and out by OAuth 2 (RFC 6749, RFC 7009)."""

import base64
import binascii
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, NamedTuple
from urllib.parse import unquote_plus

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from serve.auth import Caller
from serve.endpoints import FORM, Endpoint, Link
from serve.errors import ApiError
from serve.inputs import client_address, form_body
from serve.tokens import ACCESS_TTL_S, InvalidToken, Tokens
from stores.accounts import Account, Accounts, Scope
from stores.login_attempts import TooManyAttempts
from stores.refresh_families import InvalidRefreshToken, RefreshFamilies, ScopeNotGranted

NEVER_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}
CHALLENGE = {"WWW-Authenticate": 'Basic realm="heartline", charset="UTF-8"'}


class PasswordGrant(Struct, tag_field="grant_type", tag="password"):
    """A person's login; without ``scope`` it is for `listener`."""

    username: str
    password: str
    scope: str = ""


class RefreshTokenGrant(Struct, tag_field="grant_type", tag="refresh_token"):
    """The token that the last answer came with, for the next one."""

    refresh_token: str
    scope: str = ""


class ClientCredentialsGrant(Struct, tag_field="grant_type", tag="client_credentials"):
    """A gateway's login; id and secret may come by HTTP Basic instead."""

    client_id: str = ""
    client_secret: str = ""
    scope: str = ""


class Revocation(Struct):
    """The refresh token that shall be good no more; what else RFC 7009 lets one say is not needed."""

    token: Annotated[str, Meta(min_length=1)]
    token_type_hint: str = ""


class TokenAnswer(Struct, frozen=True, omit_defaults=True):
    """An access token, and with a person's login the refresh token that follows it."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    refresh_token: str | None = None


class GrantError(Struct, frozen=True):
    """Why there is no token, in the shape of RFC 6749, section 5.2."""

    error: str
    error_description: str


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
        """End the session that a refresh token belongs to, as RFC 7009 says: log out."""
        try:
            token = _field(await form_body(request), "token")
        except (NotGranted, ApiError) as error:
            return _refused(error)
        if self._is_access_token(token):
            return _refused(NotGranted("unsupported_token_type", "an access token ends by itself"))
        with suppress(InvalidRefreshToken):  # one that is not good needs no end
            await self._families.end(token)
        return Response(headers=NEVER_STORED)

    def _is_access_token(self, token: str) -> bool:
        try:
            self._tokens.read(token)
        except InvalidToken:
            return False
        return True

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
        now = await self._accounts.by_id(account.listener_id)
        if now is None or now.password_hash != account.password_hash:
            await self._families.end(refresh_token)  # it was changed while this one was checked
            raise NotGranted("invalid_grant", "name or password is wrong")
        return self._answer(account.listener_id, scopes, refresh_token)

    async def _by_refresh_token(self, form: Mapping[str, str]) -> TokenAnswer:
        wanted = _wanted(form)
        try:
            grant = await self._families.use(_field(form, "refresh_token"), wanted)
        except ScopeNotGranted as error:
            raise NotGranted("invalid_scope", str(error)) from error
        except InvalidRefreshToken as error:
            raise NotGranted("invalid_grant", str(error)) from error
        account = await self._accounts.by_id(grant.listener_id)
        scopes = (wanted or grant.scopes) & account.scopes if account else frozenset()
        if not scopes:
            raise NotGranted("invalid_grant", "the account is gone or has lost these scopes")
        return self._answer(grant.listener_id, scopes, grant.next_token)

    async def _by_client(self, request: Request, form: Mapping[str, str]) -> TokenAnswer:
        client = _credentials(request, form)
        address = client_address(request)
        account = await self._accounts.authenticate(client.name, client.secret, address=address)
        if account is None:
            raise NotGranted("invalid_client", "client id or secret is wrong", 401, CHALLENGE)
        return self._answer(account.listener_id, _granted(account, _wanted(form)), None)

    def _answer(
        self, listener_id: str, scopes: frozenset[str], refresh_token: str | None
    ) -> TokenAnswer:
        access_token = self._tokens.sign(listener_id, scopes)
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
        summary="Log out: end the session of a refresh token (RFC 7009)",
        public=True,
        body=Revocation,
        body_types=(FORM,),
        answers={200: None},
        error_body=GrantError,
    ),
)
