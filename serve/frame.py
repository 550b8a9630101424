"""What surrounds every application: paths as the client sent them, safe headers, no traceback.

Each request has an id, which its answer and its log lines carry, and is counted and timed.
"""

import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote_from_bytes

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.errors import answer_error
from serve.request_ids import HEADER, current, request_id
from serve.request_metrics import NO_ROUTE, RequestMetrics

logger = logging.getLogger(__name__)

GONE = 499  # as nginx says: nobody waited for an answer

# A page or a file may say otherwise about itself; these hold where an answer says nothing.
SAFE_HEADERS = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}
VISIBLE = bytes(range(0x21, 0x7F))
_EVERY_SAFE_HEADER = list(SAFE_HEADERS.items())


class Frame:
    """ASGI middleware that every application of Heartline wears.

    It undoes Ray Serve's ``root_path`` (which is the route prefix, though paths are whole), takes
    paths with and without a trailing slash, adds `SAFE_HEADERS`, and answers errors, which is a 500
    that tells nothing if nobody expected it.
    """

    def __init__(self, app: ASGIApp, requests: RequestMetrics) -> None:
        self._app, self._requests = app, requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        scope = dict(
            scope,
            root_path="",
            path=scope["path"].rstrip("/") or "/",
            query_string=_ascii(scope["query_string"]),
        )
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        begun_s = self._requests.clock_s()
        name = request_id(scope["headers"])
        current.set(name)
        sender = _Sender(send, name)
        try:
            await self._answer(scope, receive, sender)
        finally:
            # Routing has put what answers into the scope.
            path = getattr(scope.get("endpoint"), "path", NO_ROUTE)
            self._requests.took(path, sender.status or GONE, self._requests.clock_s() - begun_s)

    async def _answer(self, scope: Scope, receive: Receive, sender: "_Sender") -> None:
        try:
            await self._app(scope, receive, sender)
        except Exception as error:
            if sender.status:  # half an answer is out: the server cuts the connection
                logger.exception("request failed: %s %s", scope["method"], scope["path"])
                raise
            await answer_error(Request(scope), error)(scope, receive, sender)


def _ascii(query: bytes) -> bytes:
    # RFC 3986 has no other bytes in a URL, but some clients send them; Starlette cannot read them.
    return query if query.isascii() else quote_from_bytes(query, VISIBLE).encode()


class _Sender:
    __slots__ = ("_id", "_send", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self._id = send, request_id.encode()
        self.status = 0  # until an answer begins

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
            said = {name for name, _ in headers}
            headers.append((HEADER, self._id))
            if said.isdisjoint(SAFE_HEADERS):
                headers += _EVERY_SAFE_HEADER
            else:
                headers += [item for item in _EVERY_SAFE_HEADER if item[0] not in said]
            message["headers"] = headers
        await self._send(message)


class Application(Starlette):
    """Starlette with the frame in place of its own layers, which cost more than they do here."""

    def build_middleware_stack(self) -> ASGIApp:
        """Put the frame around the routes."""
        return Frame(self.router, self.state.requests)


def application(
    routes: Sequence[BaseRoute], *, lifespan: Any = None, requests: RequestMetrics | None = None
) -> Starlette:
    """Make an application of routes, with the frame around it and errors in one shape."""
    app = Application(routes=routes, lifespan=lifespan)
    app.state.requests = requests or RequestMetrics()
    app.router.redirect_slashes = False
    return app
