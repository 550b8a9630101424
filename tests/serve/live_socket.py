"""A WebSocket of an application, without a network."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message

PATIENCE_S = 10.0


class Closed(Exception):
    """Raised when the application has closed the connection, with a code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code, self.reason = code, reason


class Socket:
    """A client's end."""

    def __init__(self) -> None:
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()

    async def say(self, message: object) -> None:
        """Send JSON."""
        await self.send(json.dumps(message))

    async def send(self, data: str | bytes) -> None:
        """Send a frame."""
        kind = "text" if isinstance(data, str) else "bytes"
        await self._to_app.put({"type": "websocket.receive", kind: data})

    async def hear(self, kind: str | None = None) -> dict[str, Any]:
        """Wait for a message, of a kind if that is said, passing over others.

        :raises Closed: if there is none any more.
        """
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await self._from_app.get()
                if message["type"] == "websocket.close":
                    raise Closed(message["code"], message.get("reason") or "")
                told: dict[str, Any] = json.loads(message["text"])
                if kind is None or told["type"] == kind:
                    return told

    async def leave(self) -> None:
        """Close the connection."""
        await self._to_app.put({"type": "websocket.disconnect", "code": 1000})


@asynccontextmanager
async def connected(
    app: ASGIApp, path: str, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Socket]:
    """Have a connection for a while."""
    socket = Socket()
    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "ws",
        "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
        "client": ("127.0.0.1", 1),
        "server": ("music.example", 80),
        "subprotocols": [],
    }
    await socket._to_app.put({"type": "websocket.connect"})

    async def serve() -> None:
        await app(scope, socket._to_app.get, socket._from_app.put)

    serving = asyncio.create_task(serve())
    assert (await socket._from_app.get())["type"] == "websocket.accept"
    yield socket
    await socket.leave()
    async with asyncio.timeout(PATIENCE_S):
        await serving
