"""Accounts over HTTP: sign up, and read, change and delete what is one's own."""

from collections.abc import Awaitable, Callable

import msgspec
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from domain.errors import UnknownZone
from serve.account_bodies import (
    ExternalUrls,
    NewAccount,
    PasswordChange,
    Profile,
    ProfileChange,
)
from serve.auth import Caller, unauthorized
from serve.endpoints import Endpoint, Link
from serve.errors import ApiError, invalid
from serve.inputs import base_url, client_address, json_body
from stores.account_errors import NameTaken, NoAccount, WrongPassword
from stores.account_names import InvalidAccount, check_display_name
from stores.accounts import Account, Accounts, move
from stores.login_attempts import TooManyAttempts
from stores.refresh_families import RefreshFamilies

Erase = Callable[[str], Awaitable[None]]

_new_account = msgspec.json.Decoder(NewAccount)
_password_change = msgspec.json.Decoder(PasswordChange)
_profile_change = msgspec.json.Decoder(ProfileChange)


class Profiles:
    """Answers for accounts; *erase* deletes what was listened, and may be called again."""

    def __init__(
        self,
        accounts: Accounts,
        families: RefreshFamilies,
        *,
        erase: Erase,
        now_ms: Callable[[], int],
    ) -> None:
        self._accounts, self._families = accounts, families
        self._erase, self._now_ms = erase, now_ms

    async def sign_up(self, request: Request, _caller: Caller) -> Response:
        """Make an account that may listen; the same again answers with that account."""
        wanted = await json_body(request, _new_account)
        address = client_address(request)
        await self._accounts.admit_sign_up(address)
        try:
            account = await self._accounts.create(
                wanted.name,
                password=wanted.password,
                time_zone=wanted.time_zone,
                display_name=wanted.display_name,
            )
        except (InvalidAccount, UnknownZone) as error:
            raise _blamed(error) from error
        except NameTaken as error:
            account = await self._made_before(wanted, address, error)
        return _profile(request, account, status=201)

    async def me(self, request: Request, caller: Caller) -> Response:
        """Show the caller's account."""
        return _profile(request, _account(caller))

    async def change_me(self, request: Request, caller: Caller) -> Response:
        """Change the caller's display name or time zone."""
        change = await json_body(request, _profile_change)
        now_ms = self._now_ms()
        try:
            account = await self._accounts.update(
                caller.listener_id, lambda account: changed(account, change, now_ms)
            )
        except (InvalidAccount, UnknownZone) as error:
            raise _blamed(error) from error
        except NoAccount as error:
            raise unauthorized("the account is gone") from error
        return _profile(request, account)

    async def change_password(self, request: Request, caller: Caller) -> Response:
        """Change the caller's password, and end all their sessions."""
        change = await json_body(request, _password_change)
        address = client_address(request)
        try:
            await self._accounts.change_password(
                _account(caller), change.password, change.new_password, address=address
            )
        except WrongPassword as error:
            raise invalid("password", str(error)) from error
        except InvalidAccount as error:
            raise invalid("new_password", error.wants) from error
        except NoAccount as error:
            raise unauthorized("the account is gone") from error
        await self._families.end_all(caller.listener_id)
        return Response(status_code=204)

    async def delete_me(self, _request: Request, caller: Caller) -> Response:
        """Delete the caller's account and everything that was listened with it.

        The account goes last: if we die in the middle, its owner can ask again.
        """
        await self._erase(caller.listener_id)
        await self._families.end_all(caller.listener_id)
        await self._accounts.delete(caller.listener_id)
        return Response(status_code=204)

    async def _made_before(self, wanted: NewAccount, address: str, taken: NameTaken) -> Account:
        """Find the account that a retried sign-up made the first time."""
        try:
            account = await self._accounts.authenticate(
                wanted.name, wanted.password, address=address
            )
        except TooManyAttempts:
            account = None
        if account is None:
            raise ApiError(409, f"name: {taken}", "name_taken", field="name") from taken
        return account


def changed(account: Account, change: ProfileChange, now_ms: int) -> Account:
    """Apply a change to an account.

    :raises InvalidAccount: if the display name cannot be taken, or the zone changed too often.
    :raises UnknownZone: if there is no such zone.
    """
    if change.display_name is not UNSET:
        display_name = check_display_name(change.display_name)
        account = msgspec.structs.replace(account, display_name=display_name)
    if change.time_zone is not UNSET:
        account = move(account, change.time_zone, now_ms)
    return account


def _blamed(error: InvalidAccount | UnknownZone) -> ApiError:
    if isinstance(error, UnknownZone):
        return invalid("time_zone", str(error))
    return invalid(error.field, error.wants)


def _account(caller: Caller) -> Account:
    if caller.account is None:
        raise unauthorized("the account is gone")
    return caller.account


def _profile(request: Request, account: Account, *, status: int = 200) -> Response:
    href = f"{base_url(request)}/v1/me"
    profile = Profile(
        id=account.listener_id,
        account_id=account.listener_id,
        display_name=account.display_name,
        external_urls=ExternalUrls(),
        href=href,
        type="user",
        uri=f"heartline:user:{account.listener_id}",
        images=[],
        name=account.name,
        time_zone=account.time_zone,
        scopes=sorted(account.scopes),
    )
    headers = {"Location": href} if status == 201 else None
    body = msgspec.json.encode(profile)
    return Response(body, status_code=status, headers=headers, media_type="application/json")


ENDPOINTS: tuple[Endpoint[Profiles], ...] = (
    Endpoint(
        "POST",
        "/v1/accounts",
        Profiles.sign_up,
        summary="Sign up",
        public=True,
        body=NewAccount,
        answers={201: Profile},
        errors=(409, 422, 429),
        links=(
            Link(
                "LogIn",
                "POST",
                "/v1/token",
                body={
                    "grant_type": "password",
                    "username": "$request.body#/name",
                    "password": "$request.body#/password",
                },
            ),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/me",
        Profiles.me,
        summary="Who am I",
        scope=None,
        answers={200: Profile},
        links=(
            Link(
                "Minutes",
                "GET",
                "/v1/listeners/{listener_id:path}/listening/minutes",
                parameters={"listener_id": "$response.body#/id"},
            ),
        ),
    ),
    Endpoint(
        "PUT",
        "/v1/me",
        Profiles.change_me,
        summary="Change my display name or time zone",
        body=ProfileChange,
        answers={200: Profile},
        errors=(422,),
    ),
    Endpoint(
        "PUT",
        "/v1/me/password",
        Profiles.change_password,
        summary="Change my password: every access and refresh token of before ends",
        body=PasswordChange,
        answers={204: None},
        errors=(422, 429),
    ),
    Endpoint(
        "DELETE",
        "/v1/me",
        Profiles.delete_me,
        summary="Delete my account and everything that I listened to",
        answers={204: None},
    ),
)
