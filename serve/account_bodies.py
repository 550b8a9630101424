"""What is said of accounts over HTTP, in requests and in answers."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from stores.account_names import DISPLAY_NAME_BYTES, NAME_CHARACTERS
from stores.accounts import PASSWORD_CHARACTERS


def _described(**schema: Any) -> msgspec.Meta:
    return msgspec.Meta(extra_json_schema=schema)


# What `stores.accounts` asks for, as far as the OpenAPI document can say it.
Name = Annotated[str, _described(minLength=1, maxLength=NAME_CHARACTERS, format="account-name")]
Password = Annotated[
    str,
    _described(minLength=PASSWORD_CHARACTERS[0], maxLength=PASSWORD_CHARACTERS[-1]),
]
DisplayName = Annotated[
    str, _described(minLength=1, maxLength=DISPLAY_NAME_BYTES, format="display-name")
]
TimeZone = Annotated[str, _described(minLength=1, format="time-zone", examples=["Asia/Kolkata"])]


class NewAccount(Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody says who signs up."""

    name: Name
    password: Password
    time_zone: TimeZone = "UTC"
    display_name: DisplayName | None = None


class ProfileChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    display_name: DisplayName | UnsetType = UNSET
    time_zone: TimeZone | UnsetType = UNSET


class PasswordChange(Struct, frozen=True, forbid_unknown_fields=True):
    """The password of now, and the one that replaces it."""

    password: str
    new_password: Password


class ExternalUrls(Struct, frozen=True):
    """Links to other places; Heartline has none."""


class Profile(Struct, frozen=True):
    """A listener's own account: Spotify's user object, and name, time zone and scopes."""

    id: str
    account_id: str
    display_name: str
    external_urls: ExternalUrls
    href: str
    type: str
    uri: str
    images: list[str]
    name: str
    time_zone: str
    scopes: list[str]
