"""What is said over ``WS /v1/playlists/{id}/live``: JSON, a message a frame, bytes in base64.

    client                      server
    hello                   →
                            ←   welcome         and from then on edited, people, as they come
    edit                    →
                            ←   accepted | refused
                            ←   reset           the client's copy is too old to go on with

A client edits its own copy of the document, a loro document with the peer that welcome names, and sends
what it did as loro updates. What it did offline it sends after the next hello, which then names the
session and the version that its copy has.
"""

from typing import Any

import msgspec
from msgspec import Struct

from domain.playlists import Role

MOST_CHARACTERS = 1_500_000  # of a message
MOST_UPDATE_BYTES = 1 << 20


class Hello(Struct, frozen=True, tag="hello"):
    """The first message; *token* is an access token, unless a header had it.

    *session* and *version* (an encoded version vector) are those of the copy that the client has.
    """

    token: str | None = None
    session: str | None = None
    version: bytes | None = None


class Edit(Struct, frozen=True, tag="edit"):
    """What the client did, as a loro update; *id* comes back with the answer."""

    update: bytes
    id: str | int | None = None


Said = Hello | Edit


class Person(Struct, frozen=True):
    """Somebody who has the playlist open."""

    id: str
    display_name: str | None


class Welcome(Struct, frozen=True, kw_only=True, tag="welcome", omit_defaults=True):
    """The beginning: either a *snapshot* to make a copy of, or *updates* for the copy that is there."""

    snapshot_id: str
    session: str
    peer: str
    role: Role
    people: list[Person]
    snapshot: bytes | None = None
    updates: list[bytes] | None = None


class Edited(Struct, frozen=True, tag="edited"):
    """What somebody did, the client itself included."""

    snapshot_id: str
    by: str
    at: str
    updates: tuple[bytes, ...]


class People(Struct, frozen=True, tag="people"):
    """Who has the playlist open now."""

    people: list[Person]


class Accepted(Struct, frozen=True, tag="accepted"):
    """An edit is stored, and in the version of the snapshot id."""

    id: str | int | None
    snapshot_id: str


class Refused(Struct, frozen=True, tag="refused"):
    """An edit is not taken, with the *reason*; docs/live.md says what is to be done about each."""

    id: str | int | None
    status: int
    reason: str
    message: str


class Reset(Struct, frozen=True, tag="reset"):
    """The client's edits are taken, in another form: it begins a copy anew, with another peer."""

    snapshot_id: str
    session: str
    peer: str
    snapshot: bytes


class Failed(Struct, frozen=True, tag="error"):
    """Why the connection is closed."""

    status: int
    reason: str
    message: str


Told = Welcome | Edited | People | Accepted | Refused | Reset | Failed

_decoder: msgspec.json.Decoder[Hello | Edit] = msgspec.json.Decoder(Said)
_encoder = msgspec.json.Encoder()


class NotUnderstood(Exception):
    """Raised when a message is not one of ours."""


def read_message(text: str) -> Hello | Edit:
    """Read what a client says.

    :raises NotUnderstood: if it is none of the messages, or too long.
    """
    if len(text) > MOST_CHARACTERS:
        raise NotUnderstood(f"a message has at most {MOST_CHARACTERS} characters")
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise NotUnderstood(str(error)[:200]) from error


def write_message(told: Any) -> str:
    """Write what the server says."""
    return _encoder.encode(told).decode()
