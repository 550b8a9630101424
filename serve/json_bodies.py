"""Heartbeats as clients send them, in JSON: taken into columns, or refused item by item.

The usual body is right as a whole. One with anything wrong is taken apart item by item
(`domain.json_items`), so that a bad item costs only itself and is told which field is to blame.
"""

import re
from typing import Annotated

import msgspec
from msgspec import Meta, Raw

from domain.heartbeat_items import Admission, HeartbeatItem, columns_of
from domain.json_items import UNREADABLE, are_right, id_of, judge
from serve.heartbeat_bodies import MOST_ITEMS, HeartbeatsDocument, Taken
from serve.receipts import BadBody, Rejected

MOST_VALUES = 64 * MOST_ITEMS

_document = msgspec.json.Decoder(HeartbeatsDocument)
_envelope = msgspec.json.Decoder(
    msgspec.defstruct(
        "Envelope",
        [("heartbeats", Annotated[list[Raw], Meta(min_length=1, max_length=MOST_ITEMS)])],
    )
)


def read_json(body: bytes, admission: Admission) -> Taken:
    """Take the heartbeats of a JSON body.

    :raises BadBody: if it is not ``{"heartbeats": [...]}`` with 1 to 1 000 items.
    """
    if not body.isascii():
        _check_utf8(body)
    items = _read_whole(body, admission)
    if items is not None:
        return Taken(columns_of(items, admission.owner), len(items), [])
    return _read_each(body, admission)


def _check_utf8(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise BadBody("malformed", f"the body is not UTF-8 (byte {error.start})") from error


def _read_whole(body: bytes, admission: Admission) -> list[HeartbeatItem] | None:
    try:
        items = _document.decode(body).heartbeats
    except UNREADABLE:
        return None
    instants = [item.at for item in items]
    if admission.refuse(min(instants)) or admission.refuse(max(instants)):
        return None
    return items if are_right(items, body, admission) else None


def _read_each(body: bytes, admission: Admission) -> Taken:
    good: list[HeartbeatItem] = []
    rejected = []
    for index, raw in enumerate(_raw_items(body)):
        item = judge(raw, admission)
        if isinstance(item, HeartbeatItem):
            good.append(item)
        else:
            field, reason, message = item.field or None, item.reason, item.message
            rejected.append(Rejected(index, id_of(raw), field, reason, message))
    return Taken(columns_of(good, admission.owner), len(good), rejected)


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
