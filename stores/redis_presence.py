"""Presence in Redis: a key a listener that lives for a minute, and a channel of the same name.

    value    VERSION (event time, log position) | position in the track | shown
    shown    msgpack: is_playing, track_id, device_id, context; empty where nothing is shown

The script compares versions, so that what a shard says late changes nothing, and publishes a value
whose *shown* part is another than before. Keys are not removed: an empty value keeps out what is
older for as long as that would be shown.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from struct import Struct
from typing import Any

from msgspec import DecodeError, msgpack
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import RedisError

from domain.errors import Unavailable
from domain.ports import Announcement, NowPlaying, PresenceChange
from domain.units import FUTURE_MS, MINUTE_MS, PRESENCE_MS
from domain.watched import Watched
from stores.redis_channels import RedisChannels

READ_S = 0.2  # a reader is answered within this, with or without Redis
ANNOUNCE_S = 1.0
LOOK_S = 20.0  # between two looks of a watcher
AWAY_S = 1.0  # after Redis did not answer, readers do not ask for so long
MOST_CONNECTIONS = 16
KEYS_AT_ONCE = 1_000
MOST_TTL_MS = FUTURE_MS + PRESENCE_MS + MINUTE_MS  # of the erased, longer than any older one's

HEAD = Struct(">ddq")  # the script reads the first two; both are less than 2**53
ANNOUNCE = f"""
for i, key in ipairs(KEYS) do
  local value, old = ARGV[2 * i - 1], redis.call('GET', key)
  local newer = true
  if old and #old >= {HEAD.size} then
    local at, position = struct.unpack('>dd', value)
    local old_at, old_position = struct.unpack('>dd', old)
    newer = at > old_at or (at == old_at and position > old_position)
  end
  if newer then
    redis.call('SET', key, value, 'PX', ARGV[2 * i])
    if string.sub(old or '', {HEAD.size + 1}) ~= string.sub(value, {HEAD.size + 1}) then
      redis.call('PUBLISH', key, value)
    end
  end
end
"""

logger = logging.getLogger(__name__)
_shown = msgpack.Decoder(tuple[bool, str, str, str])


class RedisPresence:
    """Announces and reads presence; *name* begins every key, and is not shared with other software."""

    def __init__(
        self,
        url: str,
        *,
        now_ms: Callable[[], int],
        jitter: Callable[[], float],
        name: str = "heartline:presence",
    ) -> None:
        pool: Any = BlockingConnectionPool.from_url(
            url,
            max_connections=MOST_CONNECTIONS,
            timeout=ANNOUNCE_S,
            socket_timeout=ANNOUNCE_S,
            socket_connect_timeout=ANNOUNCE_S,
            # once more if a connection was lost; all else is told to whoever waits
            retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,)),
        )
        self._redis, self._now_ms = Redis.from_pool(pool), now_ms
        place = pool.connection_kwargs
        self._where = f"Redis at {place.get('host')}:{place.get('port')}"
        # channels, other than keys, are shared by all databases of a server
        self._prefix = f"{name}:{place.get('db', 0)}:".encode()
        self._announce = self._redis.register_script(ANNOUNCE)
        self._channels = RedisChannels(url, jitter=jitter)
        self._away_until_s = 0.0

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        """`PresenceBoard.announce`."""
        now_ms = self._now_ms()
        keys, values = list[bytes](), list[bytes | int]()
        for each in announcements:
            ttl_ms = min(each.at + PRESENCE_MS - now_ms, MOST_TTL_MS)
            if ttl_ms > 0:
                keys.append(self._key(each.listener_id))
                values += [encode(each), ttl_ms]
        try:
            async with asyncio.timeout(ANNOUNCE_S):
                await self._announce(keys, values)
        except (RedisError, TimeoutError, OSError) as error:
            raise Unavailable(f"{self._where}: {_said(error)}") from error

    async def now_playing(self, listener_ids: Sequence[str]) -> list[NowPlaying | None]:
        """`Presence.now_playing`; while Redis is away, nobody plays anything."""
        loop_s = asyncio.get_running_loop().time()
        if loop_s < self._away_until_s:
            return [None] * len(listener_ids)
        try:
            found = await self._read([self._key(each) for each in listener_ids])
        except Unavailable as error:
            logger.warning("presence is away: %s", error)
            self._away_until_s = loop_s + READ_S + AWAY_S
            return [None] * len(listener_ids)
        least = self._now_ms() - PRESENCE_MS
        return [playing if playing and playing.at >= least else None for playing in found]

    async def watch(self, listener_ids: Sequence[str]) -> AsyncGenerator[PresenceChange, None]:
        """`Presence.watch`; what is published is heard, and all is read again now and then."""
        watcher = Watcher({self._key(each): each for each in listener_ids})
        async with self._channels.joined(list(watcher.names), watcher):
            while True:
                if await watcher.must_look(LOOK_S):
                    await self._look(watcher)
                watcher.watched.expire(self._now_ms())
                for change in watcher.watched.take():
                    yield change

    async def close(self) -> None:
        """Let go of the connections."""
        await self._channels.close()
        await self._redis.aclose(close_connection_pool=True)

    async def _read(self, keys: Sequence[bytes]) -> list[NowPlaying | None]:
        """Read what stands, in one round trip."""
        if not keys:
            return []
        pipeline = self._redis.pipeline(transaction=False)
        for begin in range(0, len(keys), KEYS_AT_ONCE):
            pipeline.mget(keys[begin : begin + KEYS_AT_ONCE])
        try:
            async with asyncio.timeout(READ_S):
                answers = await pipeline.execute()
        except (RedisError, TimeoutError, OSError) as error:
            raise Unavailable(f"{self._where}: {_said(error)}") from error
        return [decode(value) for values in answers for value in values]

    async def _look(self, watcher: "Watcher") -> None:
        keys = watcher.begin_look()
        try:
            watcher.end_look(dict(zip(keys, await self._read(keys), strict=True)))
        except Unavailable as error:
            logger.warning("presence is away: %s", error)

    def _key(self, listener_id: str) -> bytes:
        return self._prefix + listener_id.encode()


class Watcher:
    """Somebody who watches listeners, by key and id."""

    def __init__(self, names: Mapping[bytes, str]) -> None:
        self.names, self.watched = names, Watched(names.values())
        self._unsubscribed = set(names)
        self._heard: set[bytes] = set()
        self._news, self._look = asyncio.Event(), False

    def heard(self, channel: bytes, message: bytes) -> None:
        """Take what was published."""
        self._heard.add(channel)
        self.watched.know(self.names[channel], decode(message))
        self._news.set()

    def subscribed(self, channel: bytes) -> None:
        """Look once nothing more can be missed."""
        self._unsubscribed.discard(channel)
        if not self._unsubscribed:
            self._look = True
            self._news.set()

    async def must_look(self, timeout_s: float) -> bool:
        """Wait for news; tells whether all must be looked at, which it must after *timeout_s*."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return True
        self._news.clear()
        return self._look

    def begin_look(self) -> list[bytes]:
        """Tell what is to be read: what is heard meanwhile is newer."""
        self._look = False
        self._heard.clear()
        return list(self.names)

    def end_look(self, found: Mapping[bytes, NowPlaying | None]) -> None:
        """Take what was read."""
        for key, playing in found.items():
            if key not in self._heard:
                self.watched.know(self.names[key], playing)


def encode(announcement: Announcement) -> bytes:
    """Write a value."""
    playing = announcement.playing
    position_ms = playing.position_ms if playing else -1
    head = HEAD.pack(announcement.at, announcement.position, position_ms)
    if playing is None:
        return head
    return head + msgpack.encode(
        (playing.is_playing, playing.track_id, playing.device_id, playing.context)
    )


def decode(value: bytes | None) -> NowPlaying | None:
    """Read a value; None if it shows nothing, or is none of ours."""
    if value is None or len(value) <= HEAD.size:
        return None
    at, _, position_ms = HEAD.unpack_from(value)
    try:
        is_playing, track_id, device_id, context = _shown.decode(value[HEAD.size :])
        return NowPlaying(track_id, int(at), position_ms, is_playing, device_id, context)
    except (DecodeError, ValueError, OverflowError):  # the last two: not a number, or no end of it
        return None


def _said(error: Exception) -> str:
    return str(error) or "it does not answer"
