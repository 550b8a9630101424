"""The endpoints that write the catalogue: for each kind of entity the same three."""

from collections.abc import Awaitable, Callable, Iterator

from starlette.requests import Request
from starlette.responses import Response

from domain.catalogue import EntityKind
from domain.catalogue_faults import ITEMS
from serve.arrow_streams import ARROW
from serve.auth import Caller
from serve.catalogue_items import MOST_ITEMS
from serve.catalogue_lines import NDJSON
from serve.endpoints import Endpoint, Parameter
from serve.labels import Labels, Stored
from serve.receipts import Receipt
from stores.accounts import Scope

ID = Parameter("id", "Its id: letters and digits")
READABLE = "200: it can be read; 202: it is in the log, and can be read soon"
REMOVED = "204: it is not there; 202: that is in the log, and it goes soon"

Handler = Callable[[Labels, Request, Caller], Awaitable[Response]]


def _endpoints(kind: EntityKind) -> Iterator[Endpoint[Labels]]:
    path = f"/v1/catalogue/{kind}s"
    yield Endpoint(
        "POST",
        path,
        _of(kind, Labels.write_all),
        summary=f"Write up to {MOST_ITEMS} {kind}s: one JSON object a line, or an Arrow IPC stream ({ARROW})"
        f" with the same names as columns. Each is taken or refused by itself. {READABLE}",
        scope=Scope.LABEL,
        body=ITEMS[kind],
        body_types=(NDJSON,),
        binary_types=(ARROW,),
        answers={200: Receipt, 202: Receipt},
    )
    yield Endpoint(
        "PUT",
        f"{path}/{{id}}",
        _of(kind, Labels.write),
        summary=f"Write one {kind}. {READABLE}",
        scope=Scope.LABEL,
        parameters=(ID,),
        body=ITEMS[kind],
        answers={200: Stored, 202: Stored},
        errors=(409, 422),
    )
    yield Endpoint(
        "DELETE",
        f"{path}/{{id}}",
        _of(kind, Labels.remove),
        summary=f"Remove one {kind}, if it is there. {REMOVED}",
        scope=Scope.LABEL,
        parameters=(ID,),
        answers={204: None, 202: None},
        errors=(409,),
    )


def _of(
    kind: EntityKind, handler: Callable[[Labels, Request, EntityKind], Awaitable[Response]]
) -> Handler:
    async def handle(door: Labels, request: Request, _caller: Caller) -> Response:
        return await handler(door, request, kind)

    return handle


ENDPOINTS = tuple(endpoint for kind in EntityKind for endpoint in _endpoints(kind))
