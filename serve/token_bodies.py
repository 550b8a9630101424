"""What is said where one logs in and out, in the words of RFC 6749 and RFC 7009."""

from typing import Annotated

from msgspec import Meta, Struct


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
    """A token of the session that shall end; what else RFC 7009 lets one say is not needed."""

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
