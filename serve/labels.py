"""``/v1/catalogue``: where labels write artists, albums and tracks; needs the scope label."""

import asyncio
import re
from collections.abc import Callable

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from domain.catalogue import EntityKind
from domain.catalogue_faults import NOT_AN_OBJECT, TAKEN, judge, wrong
from domain.heartbeats import Refusal
from domain.ids import is_id
from serve.arrow_streams import ARROW
from serve.catalogue_columns import read_columns
from serve.catalogue_items import Judged, rejected
from serve.catalogue_lines import MOST_LINE_BYTES, NDJSON, read_line, read_lines
from serve.catalogue_objects import uri
from serve.catalogue_writes import CatalogueWrites, InUse
from serve.endpoints import JSON
from serve.errors import ApiError
from serve.held_bodies import HeldBodies
from serve.inputs import JSON_TYPE, base_url, check_type, read_body
from serve.receipts import BadBody, Receipt

MOST_BODY_BYTES = 16 << 20
MOST_HELD_BYTES = 64 << 20  # of bodies that are being read or wait for their turn
LOOP_BYTES = 64 << 10  # a body up to here is read faster than a thread is woken

_TYPES = re.compile(
    rf"{re.escape(NDJSON)}|application/(?:x-)?(?:nd-?json|jsonl)|{re.escape(ARROW)}"
)
_encode = msgspec.json.Encoder().encode


class Stored(Struct, frozen=True):
    """An entity that was written, and where it is read."""

    href: str
    id: str
    type: EntityKind
    uri: str


class Labels:
    """Takes what labels write."""

    def __init__(self, writes: CatalogueWrites) -> None:
        self._writes = writes
        self._bodies, self._turn = HeldBodies(), asyncio.Semaphore(1)

    async def write_all(self, request: Request, kind: EntityKind) -> Response:
        """Write up to 10 000 entities of a kind, each of which is taken or refused by itself."""
        check_type(request, _TYPES, NDJSON)
        given = request.headers.get("content-type", NDJSON).partition(";")[0].strip().lower()
        read = read_columns if given == ARROW else read_lines
        with self._bodies.hold(MOST_HELD_BYTES) as arriving:
            body = await read_body(request, most_bytes=MOST_BODY_BYTES, arriving=arriving)
            async with self._turn:  # one body becomes objects at a time
                receipt, place = await self._publish(await _judged(read, body, kind))
            is_applied = await self._writes.is_applied(place)
        return _answer(receipt, is_applied=is_applied)

    async def write(self, request: Request, kind: EntityKind) -> Response:
        """Write one entity."""
        check_type(request, JSON_TYPE, JSON)
        entity_id: str = request.path_params["id"]
        fields = read_line(await read_body(request, most_bytes=MOST_LINE_BYTES))
        entity = judge(kind, _named(fields, entity_id))
        if isinstance(entity, Refusal):
            raise _refused(entity)
        published = await self._writes.publish([entity])
        if refusal := published.refused.get(0):
            raise _refused(refusal)
        stored = Stored(
            f"{base_url(request)}/v1/{kind}s/{entity.id}", entity.id, kind, uri(kind, entity.id)
        )
        return _answer(stored, is_applied=await self._writes.is_applied(published.place))

    async def remove(self, request: Request, kind: EntityKind) -> Response:
        """Remove one entity, if it is there."""
        entity_id: str = request.path_params["id"]
        if not is_id(entity_id):
            return Response(status_code=204)  # nothing has such an id
        try:
            is_applied = await self._writes.remove(kind, entity_id)
        except InUse as error:
            raise ApiError(409, str(error), "in_use") from error
        return Response(status_code=204 if is_applied else 202)

    async def _publish(self, judged: Judged) -> tuple[Receipt, int]:
        published = await self._writes.publish([entity for _, entity in judged.taken])
        refused = [
            rejected(*_place(judged, number), refusal)
            for number, refusal in published.refused.items()
        ]
        receipt = Receipt(
            accepted=len(judged.taken) - len(refused),
            rejected=sorted([*judged.rejected, *refused], key=lambda one: one.index),
        )
        return receipt, published.place


async def _judged(
    read: Callable[[bytes, EntityKind], Judged], body: bytes, kind: EntityKind
) -> Judged:
    try:
        if len(body) <= LOOP_BYTES:
            return read(body, kind)
        return await asyncio.to_thread(read, body, kind)
    except BadBody as error:
        raise ApiError(400, error.message, error.reason) from error


def _place(judged: Judged, number: int) -> tuple[int, str]:
    index, entity = judged.taken[number]
    return index, entity.id


def _named(fields: object, entity_id: str) -> object:
    """Put the id of the path into an item, which may say it itself."""
    if isinstance(fields, Refusal):
        raise ApiError(400, fields.message, "malformed")
    if not isinstance(fields, dict):
        raise _refused(NOT_AN_OBJECT)
    if fields.get("id") not in (None, entity_id):
        raise _refused(wrong("id"))
    return fields | {"id": entity_id}


def _refused(refusal: Refusal) -> ApiError:
    status = 409 if refusal.reason == TAKEN else 422
    return ApiError(status, refusal.message, refusal.reason, field=refusal.field or None)


def _answer(told: object, *, is_applied: bool) -> Response:
    return Response(_encode(told), 200 if is_applied else 202, media_type=JSON)
