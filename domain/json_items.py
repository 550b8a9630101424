"""Heartbeats in JSON, one by one: which are right, and what is wrong with the others.

The usual heartbeat is plain: ASCII without escapes. The texts of a plain one cannot hold a control
character, characters are bytes, and the decoder's own limits check everything. A name that stands twice
counts with its last value.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from domain.batches import MOST_TEXT_BYTES
from domain.heartbeat_items import NEEDS, Admission, HeartbeatItem, missing, wrong
from domain.heartbeats import INVALID, Refusal
from domain.ids import is_listener_id, is_text

UNREADABLE = (ValueError, RecursionError)  # what msgspec raises; its own errors are ValueErrors

_NOT_AN_OBJECT = Refusal("", INVALID, "a heartbeat must be an object")
_LISTENERS = re.compile(r"[\x21-\x7e]*")  # all of them at once; `is_listener_id` for each

decode_item = msgspec.json.Decoder(HeartbeatItem).decode
_fields = msgspec.json.Decoder(dict[str, Raw])
_text = msgspec.json.Decoder(str)
_values: dict[str, msgspec.json.Decoder[Any]] = {
    field.name: msgspec.json.Decoder(field.type | None)
    for field in msgspec.structs.fields(HeartbeatItem)
}


def are_right(items: Sequence[HeartbeatItem], written: bytes, admission: Admission) -> bool:
    """Whether nothing is wrong with decoded *items* but their instants; *written* is all their JSON."""
    plain = written.isascii() and b"\\" not in written and b"\x7f" not in written
    if not (plain or _are_texts(items)):
        return False
    return _are_listeners({item.listener_id for item in items}, admission)


def _are_texts(items: Sequence[HeartbeatItem]) -> bool:
    return all(
        is_text(text, most_bytes)
        for field, most_bytes in MOST_TEXT_BYTES.items()
        for text in {getattr(item, field) or "" for item in items}
    )


def _are_listeners(names: set[str | None], admission: Admission) -> bool:
    if admission.owner is not None:
        return names <= {None, admission.owner}
    # Each has a right length: the decoder saw to that.
    return None not in names and _LISTENERS.fullmatch("".join(filter(None, names))) is not None


def judge(raw: bytes | Raw, admission: Admission) -> HeartbeatItem | Refusal:
    """Take one heartbeat, or refuse it for the first of `NEEDS` that it does not meet."""
    try:
        item = decode_item(raw)
    except UNREADABLE:
        found = _blame(raw, admission)
        if isinstance(found, Refusal):
            return found
        item = found
    for field in NEEDS:
        refusal = _refuse_value(field, getattr(item, field), admission)
        if refusal:
            return refusal
    return admission.refuse(item.at) or item


def _blame(raw: bytes | Raw, admission: Admission) -> HeartbeatItem | Refusal:
    try:
        fields = _fields.decode(raw)
    except UNREADABLE:
        return _NOT_AN_OBJECT
    for field in NEEDS:
        try:
            value = _values[field].decode(fields[field]) if field in fields else None
        except UNREADABLE:
            return wrong(field)
        refusal = _refuse_value(field, value, admission)
        if refusal:
            return refusal
    # A name stands twice, the first time with a wrong value: the last one counts.
    return decode_item(
        msgspec.json.encode({name: fields[name] for name in NEEDS if name in fields})
    )


def _refuse_value(field: str, value: Any, admission: Admission) -> Refusal | None:
    if value is None:
        return missing(field) if admission.requires(field) else None
    if field == "listener_id":
        return _refuse_listener(value, admission.owner)
    if field in MOST_TEXT_BYTES and not is_text(value, MOST_TEXT_BYTES[field]):
        return wrong(field)
    return None


def _refuse_listener(listener_id: str, owner: str | None) -> Refusal | None:
    if not is_listener_id(listener_id):
        return wrong("listener_id")
    if owner is not None and listener_id != owner:
        return Refusal("listener_id", INVALID, "listener_id must be the token's own, or missing")
    return None


def id_of(raw: bytes | Raw) -> str | None:
    """Tell the id of a heartbeat that was refused, if it is text."""
    try:
        return _text.decode(_fields.decode(raw)["id"])
    except (KeyError, *UNREADABLE):
        return None
