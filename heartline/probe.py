"""Asking our front end whether it answers, by the socket that it keeps for the supervisor."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from heartline.haproxy import FRONT_HEADER

MOST_HEAD_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """How a probe was answered: the status, and whether only the front end answered it."""

    status: int
    from_front: bool

    @property
    def alive(self) -> bool:
        """Whether an application of ours answered, be it only to refuse."""
        return not self.from_front and self.status not in (404, 500, 502, 504)


NOBODY_LISTENS = Answer(0, from_front=True)  # the connection was refused


async def ask(door: Path, path: str, *, timeout_s: float) -> Answer | None:
    """Send a GET; None when there is no whole answer within *timeout_s*."""
    try:
        async with asyncio.timeout(timeout_s):
            return await _ask(door, path)
    except (ConnectionRefusedError, FileNotFoundError):
        return NOBODY_LISTENS
    except (
        OSError,
        ValueError,
        IndexError,
        asyncio.IncompleteReadError,
        asyncio.LimitOverrunError,
    ):
        return None  # TimeoutError is an OSError


async def _ask(door: Path, path: str) -> Answer:
    reader, writer = await asyncio.open_unix_connection(door, limit=MOST_HEAD_BYTES)
    try:
        writer.write(
            f"GET {path} HTTP/1.1\r\nhost: heartline\r\nconnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    finally:
        writer.close()
    return Answer(int(head.split(" ", 2)[1]), f"\r\n{FRONT_HEADER}:" in head)
