"""Heartbeats as clients send them, in JSON: taken into columns, or refused item by item.

The usual body is right as a whole, and mostly plain: ASCII without escapes. The texts of a plain one
cannot hold a control character, characters are bytes, and the decoder's own limits check everything.
A body with anything wrong is taken apart item by item, so that a bad item costs only itself and is
told which field is to blame. A name that stands twice in one item counts with its last value.
"""

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw

from domain.batches import MOST_TEXT_BYTES
from domain.heartbeats import KINDS, Refusal
from domain.ids import is_listener_id, is_text
from serve.heartbeat_bodies import (
    MOST_ITEMS,
    NEEDS,
    Admission,
    BadBody,
    Columns,
    HeartbeatItem,
    HeartbeatsDocument,
    Rejected,
    Taken,
    missing,
    wrong,
)

MOST_VALUES = 64 * MOST_ITEMS

_UNREADABLE = (ValueError, RecursionError)  # what msgspec raises; its own errors are ValueErrors
_NOT_AN_OBJECT = Refusal("", "invalid", "a heartbeat must be an object")
_LISTENERS = re.compile(r"[\x21-\x7e]*")  # all of a body at once; `is_listener_id` for each
_KIND_NUMBERS = {name: int(kind) for name, kind in KINDS.items()}

_document = msgspec.json.Decoder(HeartbeatsDocument)
_envelope = msgspec.json.Decoder(
    msgspec.defstruct(
        "Envelope",
        [("heartbeats", Annotated[list[Raw], Meta(min_length=1, max_length=MOST_ITEMS)])],
    )
)
_item = msgspec.json.Decoder(HeartbeatItem)
_fields = msgspec.json.Decoder(dict[str, Raw])
_text = msgspec.json.Decoder(str)
_values: dict[str, msgspec.json.Decoder[Any]] = {
    field.name: msgspec.json.Decoder(field.type | None)
    for field in msgspec.structs.fields(HeartbeatItem)
}


def read_json(body: bytes, admission: Admission) -> Taken:
    """Take the heartbeats of a JSON body.

    :raises BadBody: if it is not ``{"heartbeats": [...]}`` with 1 to 1 000 items.
    """
    if not body.isascii():
        _check_utf8(body)
    items = _read_whole(body, admission)
    if items is not None:
        return Taken(_columns(items, admission.owner), len(items), [])
    return _read_each(body, admission)


def _check_utf8(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise BadBody("malformed", f"the body is not UTF-8 (byte {error.start})") from error


def _read_whole(body: bytes, admission: Admission) -> list[HeartbeatItem] | None:
    try:
        items = _document.decode(body).heartbeats
    except _UNREADABLE:
        return None
    plain = body.isascii() and b"\\" not in body and b"\x7f" not in body
    if not (plain or _are_texts(items)):
        return None
    instants = [item.at for item in items]
    if admission.refuse(min(instants)) or admission.refuse(max(instants)):
        return None
    return items if _are_listeners({item.listener_id for item in items}, admission) else None


def _are_texts(items: list[HeartbeatItem]) -> bool:
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


def _read_each(body: bytes, admission: Admission) -> Taken:
    good: list[HeartbeatItem] = []
    rejected = []
    for index, raw in enumerate(_raw_items(body)):
        item = _judge(raw, admission)
        if isinstance(item, HeartbeatItem):
            good.append(item)
        else:
            field, reason, message = item.field or None, item.reason, item.message
            rejected.append(Rejected(index, _id_of(raw), field, reason, message))
    return Taken(_columns(good, admission.owner), len(good), rejected)


def _raw_items(body: bytes) -> list[Raw]:
    # Where something is wrong every value becomes an object: a million would stop the loop for long.
    if body.count(b",") > MOST_VALUES:
        raise BadBody("malformed", f"the body has a wrong item, and more than {MOST_VALUES} values")
    try:
        return _split(body)
    except msgspec.ValidationError as error:
        raise BadBody("malformed", f"the body is not heartbeats: {error}") from error
    except msgspec.DecodeError as error:
        raise BadBody("malformed", f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise BadBody("malformed", "the body is nested too deep") from error


def _split(body: bytes) -> list[Raw]:
    try:
        return _envelope.decode(body).heartbeats  # type: ignore[attr-defined, no-any-return]
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        spared = _ESCAPES.sub(_without_lone_surrogates, body)
        if spared == body:
            raise
        return _envelope.decode(spared).heartbeats  # type: ignore[attr-defined, no-any-return]


_ESCAPES = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_LONE_BYTES = len(rb"\ud800")


def _without_lone_surrogates(escape: re.Match[bytes]) -> bytes:
    # JSON's grammar allows them and the decoder does not: NUL is refused as well, but by item.
    return rb"\u0000" if len(escape[0]) == _LONE_BYTES else escape[0]


def _judge(raw: Raw, admission: Admission) -> HeartbeatItem | Refusal:
    try:
        item = _item.decode(raw)
    except _UNREADABLE:
        found = _blame(raw, admission)
        if isinstance(found, Refusal):
            return found
        item = found
    for field in NEEDS:
        refusal = _refuse_value(field, getattr(item, field), admission)
        if refusal:
            return refusal
    return admission.refuse(item.at) or item


def _blame(raw: Raw, admission: Admission) -> HeartbeatItem | Refusal:
    try:
        fields = _fields.decode(raw)
    except _UNREADABLE:
        return _NOT_AN_OBJECT
    for field in NEEDS:
        try:
            value = _values[field].decode(fields[field]) if field in fields else None
        except _UNREADABLE:
            return wrong(field)
        refusal = _refuse_value(field, value, admission)
        if refusal:
            return refusal
    # A name stands twice, the first time with a wrong value: the last one counts.
    return _item.decode(
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
        return Refusal("listener_id", "invalid", "listener_id must be the token's own, or missing")
    return None


def _id_of(raw: Raw) -> str | None:
    try:
        return _text.decode(_fields.decode(raw)["id"])
    except (KeyError, *_UNREADABLE):
        return None


def _columns(items: list[HeartbeatItem], owner: str | None) -> Columns:
    return [
        [item.listener_id for item in items] if owner is None else [owner] * len(items),
        [item.track_id for item in items],
        [item.play_id or "" for item in items],
        [item.stretch or 0 for item in items],
        [_KIND_NUMBERS[item.kind] for item in items],
        [item.at for item in items],
        [-1 if item.position_ms is None else item.position_ms for item in items],
        [item.device_id or "" for item in items],
        [item.context or "" for item in items],
        [item.id for item in items],
    ]
