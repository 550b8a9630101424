"""Channels of Redis that somebody listens to: one connection for everybody in the process.

nobody joins --first--> connecting --subscribed--> listening --error, silence--> waiting --> connecting
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import RedisError

SILENT_S = (
    5.0  # after so much silence Redis is asked whether it is there, and has as long to answer
)
ANSWER_S = 1.0
AT_ONCE = 1_000
FIRST_RETRY_S, LAST_RETRY_S, MOST_DOUBLINGS = 0.1, 5.0, 6

logger = logging.getLogger(__name__)


class Hears(Protocol):
    """Somebody who listens to channels."""

    def heard(self, channel: bytes, message: bytes) -> None:
        """Take a message."""
        ...

    def subscribed(self, channel: bytes) -> None:
        """Take note that from now on no message of a channel is missed, until the next time."""
        ...


class RedisChannels:
    """Hands messages over to those who joined; *jitter* draws from 0 to 1."""

    def __init__(
        self,
        url: str,
        *,
        jitter: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        # No retries: they would connect anew while another task reads.
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 0, supported_errors=()),
        )
        self._jitter, self._sleep = jitter, sleep
        self._joined: dict[bytes, set[Hears]] = {}
        self._subscribed: set[bytes] = set()
        self._connection: PubSub | None = None
        self._running: asyncio.Task[None] | None = None
        self._failed = 0  # connections, one after another

    @asynccontextmanager
    async def joined(self, channels: Sequence[bytes], who: Hears) -> AsyncIterator[None]:
        """Hand messages of *channels* over to *who* for a while."""
        for channel in channels:
            self._joined.setdefault(channel, set()).add(who)
            if channel in self._subscribed:
                who.subscribed(channel)
        self._running = self._running or asyncio.create_task(self._run())
        await self._send("subscribe", [each for each in channels if each not in self._subscribed])
        try:
            yield
        finally:
            for channel in channels:
                self._joined[channel].discard(who)
            left = [channel for channel in channels if not self._joined[channel]]
            for channel in left:
                del self._joined[channel]
            self._subscribed.difference_update(left)
            await self._send("unsubscribe", left)

    async def close(self) -> None:
        """Let go of the connection."""
        if self._running:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await self._redis.aclose()

    async def _send(self, what: str, channels: Sequence[bytes]) -> None:
        with suppress(RedisError, OSError):  # whoever reads will see it
            for begin in range(0, len(channels), AT_ONCE):
                if self._connection:
                    await getattr(self._connection, what)(*channels[begin : begin + AT_ONCE])

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                logger.warning("presence is not heard of: %s", str(error) or type(error).__name__)
            except Exception:
                logger.exception("presence is not heard of")
            most_s = min(FIRST_RETRY_S * 2**self._failed, LAST_RETRY_S)
            self._failed = min(self._failed + 1, MOST_DOUBLINGS)
            await self._sleep(most_s * (1 + self._jitter()) / 2)

    async def _listen(self) -> None:
        async with self._redis.pubsub() as connection:
            try:
                await connection.connect()
                self._connection = connection
                await self._send("subscribe", list(self._joined))
                async for message in _messages(connection):
                    self._failed = 0
                    self._hand_over(message)
            finally:
                self._connection = None
                self._subscribed.clear()

    def _hand_over(self, message: dict[str, Any]) -> None:
        channel, kind = message["channel"], message["type"]
        if kind == "subscribe" and channel in self._joined:
            self._subscribed.add(channel)
        for who in self._joined.get(channel, ()):
            if kind == "message":
                who.heard(channel, message["data"])
            elif kind == "subscribe":
                who.subscribed(channel)


async def _messages(connection: PubSub) -> AsyncIterator[dict[str, Any]]:
    """Read for ever.

    :raises ConnectionLost: after silence that a question did not break.
    """
    asked = False
    while True:
        message = await connection.get_message(timeout=SILENT_S)
        if message:
            asked = False
            yield message
        elif asked:
            raise ConnectionLost("Redis is silent")
        else:
            await connection.ping()
            asked = True
