"""What is stored of a playlist: a head, which every edit replaces, and parts, which never change.

The head names a version: how many edits there were. Its row's own version guards it, so that of two
edits made on the same version one is accepted. What the head does not hold lies in parts, each a
function of the edits up to it: whoever writes one twice writes the same.

    log    the records of some edits           first, last: their numbers
    list   the entries after an edit           first = last: its number
    doc    the loro document after an edit     likewise, with no history before it

Edits since the last *root* are in the head's tail and in logs. When they have become many, the present
version becomes the root: a list and a document are written, and the edits before it become one log.
"""

import zlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from domain.errors import UnreadableRecord
from domain.playlist_deltas import Delta
from domain.playlists import Details, Entry, Role

T = TypeVar("T")

LIGHTLY = 1  # of zlib's levels: half the bytes at a fifth of the time


class PartKind(StrEnum):
    """What a part holds."""

    LOG = "log"
    LIST = "list"
    DOCUMENT = "doc"


class Part(NamedTuple):
    """The name of a part, and its clustering key."""

    kind: PartKind
    first: int
    last: int


class Record(Struct, frozen=True, array_like=True):
    """One accepted edit: what merges it into the document, and what it does to list and details."""

    number: int  # 1 is the first
    at_ms: int
    by: str  # whose edit it is
    updates: tuple[bytes, ...]
    delta: Delta = ()
    details: dict[str, str | bool] = {}
    key: bytes = b""  # of the request, so that a retry is known


class Root(Struct, frozen=True, array_like=True):
    """A version of which list and document are stored, and when it came to be."""

    number: int
    at_ms: int


class Cover(Struct, frozen=True, array_like=True):
    """The cover image's name, a hash of it, and its size in pixels."""

    name: str
    width: int
    height: int


class Invitation(Struct, frozen=True, omit_defaults=True):
    """A link by which others may join, as long as it stands."""

    id: str
    role: Role
    secret_hash: bytes
    made_ms: int
    expires_ms: int


class Member(Struct, frozen=True, omit_defaults=True):
    """Somebody who joined, by which invitation and as what."""

    role: Role
    invitation: str
    joined_ms: int


class Head(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is read of a playlist first."""

    owner: str
    created_ms: int
    details: Details
    number: int = 0  # of the last edit
    total: int = 0  # entries
    changed_ms: int = 0
    cover: Cover | None = None
    members: dict[str, Member] = {}
    invitations: tuple[Invitation, ...] = ()
    roots: tuple[Root, ...] = (Root(0, 0),)  # the oldest first; the last one is the live document's
    logs: tuple[tuple[int, int], ...] = ()  # since the last root: their first and last numbers
    tail: tuple[Record, ...] = ()
    tail_bytes: int = 0
    root_bytes: int = 0  # of all edits since the last root
    absorbed: dict[int, int] = {}  # by peer: up to where edits of an older document were taken over
    keys: dict[bytes, int] = {}  # of the last requests before the root, and the edits they made
    dismissed: dict[str, int] = {}  # who was asked to leave, and when: older links are not for them
    is_deleted: bool = False  # nothing else of it is there; its id is never used again

    def role_of(self, listener_id: str) -> Role | None:
        """Tell what somebody may do; None: not even know that it is there."""
        if listener_id == self.owner:
            return Role.OWNER
        member = self.members.get(listener_id)
        if member is None:
            return Role.VIEW if self.details.public else None
        return Role.EDIT if self.details.collaborative else member.role

    @property
    def root(self) -> int:
        """The version with which the live document begins."""
        return self.roots[-1].number


_encode = msgspec.msgpack.Encoder().encode
_head = msgspec.msgpack.Decoder(Head)
_records = msgspec.msgpack.Decoder(tuple[Record, ...])
_entries = msgspec.msgpack.Decoder(list[Entry])


def encode_head(head: Head) -> bytes:
    """Write a head."""
    return _encode(head)


def decode_head(document: Any) -> Head:
    """Read a head.

    :raises UnreadableRecord: if it is none.
    """
    return _decoded(_head, document)


def pack_records(records: Sequence[Record]) -> bytes:
    """Write a log."""
    return zlib.compress(_encode(records), LIGHTLY)


def unpack_records(part: bytes) -> tuple[Record, ...]:
    """Read a log.

    :raises UnreadableRecord: if it is none.
    """
    return _decoded(_records, unpack(part))


def pack_entries(entries: Sequence[Entry]) -> bytes:
    """Write a list."""
    return zlib.compress(_encode(entries), LIGHTLY)


def unpack_entries(part: bytes) -> list[Entry]:
    """Read a list.

    :raises UnreadableRecord: if it is none.
    """
    return _decoded(_entries, unpack(part))


def pack(document: bytes) -> bytes:
    """Write a document."""
    return zlib.compress(document, LIGHTLY)


def unpack(part: bytes) -> bytes:
    """Read a document.

    :raises UnreadableRecord: if it is none.
    """
    try:
        return zlib.decompress(part)
    except zlib.error as error:
        raise UnreadableRecord(f"a stored part of a playlist is damaged: {error}") from error


def record_bytes(record: Record) -> int:
    """Tell how many bytes a record is."""
    return len(_encode(record))


def _decoded(decoder: msgspec.msgpack.Decoder[T], document: Any) -> T:
    try:
        return decoder.decode(document)
    except (msgspec.DecodeError, TypeError) as error:
        raise UnreadableRecord(f"a stored playlist cannot be read: {error}") from error
