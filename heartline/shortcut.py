"""Answering the hot paths without Ray Serve's account of each request, which takes 100 µs.

For each request Serve matches the route once more, makes two ids, and passes through five context
managers for spans, queues and metrics that nobody reads here; none has a setting. What it counts is
also how it bounds what a replica takes at once, so only so many requests go the shorter way and the
rest go Serve's. To end a replica it needs no count: uvicorn finishes what is under way.

The hook is Serve's own: it puts middlewares around the replica's server, before all of that.
"""

from dataclasses import dataclass

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.request_ids import HEADER

HOOK = "heartline.shortcut:middlewares"


@dataclass(frozen=True, slots=True)
class Door:
    """What answers at a prefix in this process, and for how many requests at once."""

    app: ASGIApp
    prefix: str
    at_once: int


_doors: list[Door] = []  # of this process: Serve calls `middlewares` without saying what for


def take_shortcut(app: ASGIApp, *, prefix: str, at_once: int) -> None:
    """Have the HTTP server of this replica, begun from now on, ask *app* before Serve."""
    _doors[:] = [Door(app, prefix, at_once)]


def middlewares() -> list[Middleware]:
    """Tell Serve what to put around the HTTP server of this process."""
    return [Middleware(Shortcut, door=door) for door in _doors] or [Middleware(OneRequestId)]


class Shortcut:
    """ASGI middleware: what is below the door's prefix goes there, up to so many at once."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door
        self._below = door.prefix + "/"
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._under_way >= self._door.at_once or not self._is_inside(scope):
            await self._app(scope, receive, send)
            return
        self._under_way += 1
        try:
            await self._door.app(scope, receive, send)
        finally:
            self._under_way -= 1

    def _is_inside(self, scope: Scope) -> bool:
        if scope["type"] != "http":
            return False
        path: str = scope["path"]
        return path == self._door.prefix or path.startswith(self._below)


class OneRequestId:
    """ASGI middleware: of two ids that an answer bears, ours and then Serve's, the first stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_one(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                ids = [item for item in headers if item[0].lower() == HEADER]
                others = [item for item in headers if item[0].lower() != HEADER]
                message["headers"] = others + ids[:1]
            await send(message)

        await self._app(scope, receive, send_one)
