"""The route table: each endpoint is declared once, and routes, document and tests come from that."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from serve.auth import NOBODY, Authenticate, Caller, require
from serve.errors import ErrorDocument
from stores.accounts import Scope

Door = TypeVar("Door")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Parameter:
    """A parameter in the query, or of the path if the path names it, and then always required."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    required: bool = False


@dataclass(frozen=True)
class Link:
    """What an answer leads to: another endpoint, called with parts of this request or its answer.

    Values are runtime expressions of OpenAPI, like ``$response.body#/id``.
    """

    name: str
    method: str
    path: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Endpoint(Generic[Door]):
    """One method of one path, handled by a method of a *door*, the object that has the ports.

    ``scope`` is what the token must have (None: any valid token will do), unless it is ``public``.
    ``body_types`` are the media types of a body that is of the type ``body``, ``binary_types`` those
    of one that no schema describes. ``answers`` are the successes, a status each with the type of its
    body, the first of which leads to ``links``; ``errors`` the statuses, with bodies of the type
    ``error_body``, that come on top of those every endpoint may answer.
    """

    method: str
    path: str
    handler: Callable[[Door, Request, Caller], Awaitable[Response]]
    summary: str
    answers: Mapping[int, Any]
    scope: Scope | None = Scope.LISTENER
    public: bool = False
    body: Any = None
    body_types: tuple[str, ...] = (JSON,)
    binary_types: tuple[str, ...] = ()
    answer_type: str = JSON
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[int, ...] = ()
    error_body: Any = ErrorDocument
    links: tuple[Link, ...] = ()


Handler = Callable[[Request], Awaitable[Response]]


def routes(
    endpoints: Sequence[Endpoint[Door]], door: Door, authenticate: Authenticate
) -> list[Route]:
    """Make one route of each path; a method that a path does not have is answered with 405."""
    return merged([(endpoints, door)], authenticate)


def merged(
    doors: Sequence[tuple[Sequence[Endpoint[Any]], Any]], authenticate: Authenticate
) -> list[Route]:
    """As `routes`, where methods of one path are handled by several doors."""
    by_path: dict[str, dict[str, Handler]] = {}
    for endpoints, door in doors:
        for endpoint in endpoints:
            handlers = by_path.setdefault(endpoint.path, {})
            handlers[endpoint.method] = _guarded(endpoint, door, authenticate)
    return [
        Route(path, Methods(path, handlers), methods=list(handlers))
        for path, handlers in by_path.items()
    ]


@dataclass(frozen=True, slots=True)
class Methods:
    """The ASGI application of one path: Starlette's wrapping of functions costs 10 µs."""

    path: str  # as a template
    handlers: Mapping[str, Handler]

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request, method = Request(scope, receive, send), scope["method"]
        response = await self.handlers["GET" if method == "HEAD" else method](request)
        await response(scope, receive, send)


def _guarded(endpoint: Endpoint[Door], door: Door, authenticate: Authenticate) -> Handler:
    async def public(request: Request) -> Response:
        return await endpoint.handler(door, request, NOBODY)

    async def guarded(request: Request) -> Response:
        caller = await authenticate(request)
        if endpoint.scope is not None:
            require(caller, endpoint.scope)
        return await endpoint.handler(door, request, caller)

    return public if endpoint.public else guarded
