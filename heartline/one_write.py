"""Sending an answer's head and body at once: a write wakes HAProxy, and costs both sides 10 µs.

uvicorn writes the head when it hears of it and the body when that comes, and uvloop sends each at
once. Neither has a setting; what is in between here is asyncio's own interface of transports.
"""

import asyncio
from typing import Any

MOST_BYTES = 64 << 10  # more goes out without waiting


class OneWrite:
    """A transport whose writes of one turn of the event loop go out together."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._waiting: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Send *data* before the next turn of the loop."""
        if not self._waiting:
            self._loop.call_soon(self.flush)
        self._waiting.append(data)
        self._size += len(data)
        if self._size > MOST_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send what waits."""
        waiting, self._waiting, self._size = self._waiting, [], 0
        if waiting and not self._transport.is_closing():
            self._transport.write(b"".join(waiting))

    def close(self) -> None:
        """Send what waits, and close."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def write_at_once() -> None:
    """Have the HTTP servers that this process starts from now on send an answer with one write.

    If a later uvicorn has no such class, nothing is changed.
    """
    from uvicorn.protocols.http import auto

    plain: Any = getattr(auto, "AutoHTTPProtocol", None)
    if plain is None or hasattr(plain, "writes_at_once"):
        return

    class AtOnce(plain):  # type: ignore[misc]
        writes_at_once = True

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(OneWrite(transport, self.loop))

    setattr(auto, "AutoHTTPProtocol", AtOnce)  # noqa: B010
