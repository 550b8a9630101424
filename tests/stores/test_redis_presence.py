"""What is Redis's own: versions, times to live, and what happens while it is away."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis as Client

from actors.announcer import Announcer
from domain.errors import Unavailable
from domain.ports import ERASED_AT, Announcement, NowPlaying
from domain.units import MINUTE_MS, SECOND_MS
from stores import redis_channels
from stores.redis_presence import MOST_TTL_MS, RedisPresence, Watcher, decode, encode
from tests.actors.test_partition import START, House, beats
from tests.clock import Clock
from tests.memory_board import no_jitter
from tests.servers.fleet import PROGRAMS
from tests.servers.programs import Missing
from tests.servers.redis import Redis
from tests.servers.running import Running, launch, stop, wait_until_ready

BOUND_S = 1.0  # a reader waits for 0.2 s; the machine does other things, too
PATIENCE_S = 20.0
NAME = "test"


def announcement(
    at: int = START, position: int = 1, track: str | None = "t1", listener: str = "ann"
) -> Announcement:
    playing = (
        NowPlaying(track, at, 5, is_playing=True, device_id="car", context="") if track else None
    )
    return Announcement(listener, at, position, playing)


def test_a_value_is_read_as_it_was_written() -> None:
    largest = announcement(ERASED_AT, (1 << 48) - 1)

    assert decode(encode(largest)) == largest.playing
    assert decode(encode(announcement(track=None))) is None
    assert decode(None) is None
    assert len(encode(announcement())) < 40


class Place:
    """Presence under a name of its own, and a client that looks at the keys."""

    def __init__(self, url: str) -> None:
        self.clock, self.name = Clock(START), f"test-{uuid4().hex}"
        self.presence = RedisPresence(url, now_ms=self.clock, jitter=no_jitter, name=self.name)
        self.client = Client.from_url(url)

    async def track(self) -> str | None:
        (playing,) = await self.presence.now_playing(["ann"])
        return playing.track_id if playing else None

    async def ttl_ms(self) -> int:
        (key,) = [key async for key in self.client.scan_iter(f"{self.name}:*")]
        return int(await self.client.pttl(key))


@pytest.fixture
async def place(redis: str) -> AsyncIterator[Place]:
    made = Place(redis)
    yield made
    await made.presence.close()
    await made.client.aclose()


@pytest.mark.servers
@pytest.mark.parametrize(
    ("at", "position", "shown"),
    [
        pytest.param(START - 1, 9, "first", id="an-older-heartbeat"),
        pytest.param(START, 1, "first", id="an-earlier-record"),
        pytest.param(START, 2, "first", id="the-same"),
        pytest.param(START, 3, "second", id="a-later-record"),
        pytest.param(START + 1, 1, "second", id="a-newer-heartbeat"),
    ],
)
async def test_what_is_older_changes_nothing(
    place: Place, at: int, position: int, shown: str
) -> None:
    await place.presence.announce([announcement(START, 2, "first")])
    await place.presence.announce([announcement(at, position, "second")])

    assert await place.track() == shown


@pytest.mark.servers
async def test_who_is_cleared_stays_so_for_what_is_older(place: Place) -> None:
    await place.presence.announce([announcement(START + 1, 2, None)])
    await place.presence.announce([announcement(START, 3, "t1")])

    assert await place.track() is None


@pytest.mark.servers
async def test_a_key_lives_for_what_is_left_of_the_minute(place: Place) -> None:
    place.clock.advance(20 * SECOND_MS)
    await place.presence.announce([announcement(START)])

    assert 39 * SECOND_MS < await place.ttl_ms() <= 40 * SECOND_MS


@pytest.mark.servers
async def test_the_erased_are_remembered_while_any_older_one_could_be_shown(place: Place) -> None:
    await place.presence.announce([announcement(ERASED_AT, 1, None)])
    await place.presence.announce([announcement(START + 2 * MINUTE_MS, 2, "t1")])

    assert await place.track() is None
    assert 3 * MINUTE_MS < await place.ttl_ms() <= MOST_TTL_MS


@pytest.mark.servers
async def test_what_is_over_is_not_announced(place: Place) -> None:
    place.clock.advance(MINUTE_MS)
    await place.presence.announce([announcement(START)])

    assert [key async for key in place.client.scan_iter(f"{place.name}:*")] == []


@pytest.mark.servers
async def test_something_else_in_the_place_of_a_value_is_written_over(place: Place) -> None:
    await place.presence.announce([announcement()])
    (key,) = [key async for key in place.client.scan_iter(f"{place.name}:*")]
    await place.client.set(key, b"hello")

    seen = await place.track()
    await place.presence.announce([announcement(START, 2, "t2")])

    assert seen is None
    assert await place.track() == "t2"


# --- faults, on a Redis of our own ---------------------------------------------------------------


class Server:
    """A Redis that is killed, frozen and cut."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.running = self._launched()
        self.url = self.running.settings["HEARTLINE_PRESENCE"]

    def _launched(self) -> Running:
        running = launch(Redis(), self._home, PROGRAMS, usual_ports=False, with_us=True)
        wait_until_ready(running)
        return running

    async def kill(self) -> None:
        os.kill(self.running.pid, signal.SIGKILL)
        if self.running.process:
            self.running.process.wait()

    async def restart(self) -> None:
        self.running = self._launched()

    async def freeze(self) -> None:
        os.kill(self.running.pid, signal.SIGSTOP)

    async def thaw(self) -> None:
        os.kill(self.running.pid, signal.SIGCONT)

    async def refuse_writes(self) -> None:
        await self._set("maxmemory", "1")

    async def allow_writes(self) -> None:
        await self._set("maxmemory", "0")

    async def want_password(self, password: str) -> None:
        await self._set("requirepass", password)

    async def want_no_password(self) -> None:
        async with Client.from_url(self.url, password="s@cret") as client:
            await client.config_set("requirepass", "")

    async def cut(self) -> None:
        async with Client.from_url(self.url) as client:
            await client.client_kill_filter(_type="normal", skipme=True)
            await client.client_kill_filter(_type="pubsub", skipme=True)

    async def _set(self, name: str, value: str) -> None:
        async with Client.from_url(self.url) as client:
            await client.config_set(name, value)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    try:
        Redis().install(PROGRAMS)
    except Missing as missing:
        pytest.skip(str(missing))
    server = Server(tmp_path_factory.mktemp("redis"))
    yield server
    stop(server.running)


@pytest.fixture
async def server(shared: Server) -> AsyncIterator[Server]:
    """It runs, is empty and thaws afterwards."""
    async with Client.from_url(shared.url) as client:
        await client.flushall()
    yield shared
    if not shared.running.lives:
        await shared.restart()
    await shared.thaw()
    await shared.want_no_password()
    await shared.allow_writes()


class Shard:
    """A partition that announces by itself, and a reader in another process's place."""

    def __init__(self, folder: Path, url: str) -> None:
        self.house = House(folder)
        self.board = RedisPresence(url, now_ms=self.house.clock, jitter=no_jitter, name=NAME)
        self.reader = RedisPresence(url, now_ms=self.house.clock, jitter=no_jitter, name=NAME)
        self.announcer = Announcer(self.board, jitter=no_jitter)
        self.partition = self.house.partition(self.announcer.note)
        self.announcer.add(0, self.partition)
        self.running = asyncio.create_task(self.announcer.run())

    async def play(self, *seconds: float, listener: str = "ann") -> float:
        """Apply heartbeats and make them durable; tells how many seconds that took."""
        begun = time.monotonic()
        await self.house.log.put(beats(*seconds, listener=listener))
        await self.house.feed(self.partition)
        await self.partition.flush()
        return time.monotonic() - begun

    async def shown(self, listener: str = "ann") -> bool:
        return (await self.reader.now_playing([listener])) != [None]

    async def close(self) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        await self.board.close()
        await self.reader.close()
        await self.house.tables.close()


@pytest.fixture
async def shard(server: Server, tmp_path: Path) -> AsyncIterator[Shard]:
    made = Shard(tmp_path, server.url)
    yield made
    await made.close()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():  # noqa: ASYNC110  (nothing tells of it)
            await asyncio.sleep(0.02)


@pytest.mark.servers
@pytest.mark.parametrize(
    ("hurt", "mend"),
    [
        pytest.param(Server.kill, Server.restart, id="killed"),
        pytest.param(Server.freeze, Server.thaw, id="frozen"),
    ],
)
async def test_without_redis_nobody_is_shown_and_all_else_goes_on(
    server: Server,
    shard: Shard,
    hurt: Callable[[Server], Awaitable[None]],
    mend: Callable[[Server], Awaitable[None]],
) -> None:
    await shard.play(0, 20)
    await until(shard.shown)

    await hurt(server)
    begun = time.monotonic()
    assert not await shard.shown()
    read_s = time.monotonic() - begun
    spent_s = await shard.play(21, listener="eve")
    await until(lambda: _is_true(bool(shard.announcer.trouble)))
    spent_s += await shard.play(22, listener="tom")
    listened_ms = await shard.house.listened_ms()
    await mend(server)

    assert max(read_s, spent_s) < BOUND_S
    assert listened_ms == 20 * SECOND_MS
    for name in ("ann", "eve", "tom"):
        await until(lambda name=name: shard.shown(name))  # type: ignore[misc]
    await until(lambda: _is_true(not shard.announcer.trouble))


async def _is_true(holds: bool) -> bool:
    return holds


@pytest.mark.servers
async def test_a_connection_that_is_cut_is_made_anew(server: Server, shard: Shard) -> None:
    await shard.play(0)
    await until(shard.shown)

    await server.cut()
    await shard.play(1, listener="eve")

    await until(lambda: shard.shown("eve"))
    await until(lambda: shard.shown("ann"))


@pytest.mark.servers
@pytest.mark.parametrize(
    ("hurt", "mend"),
    [
        pytest.param(Server.kill, Server.restart, id="killed"),
        pytest.param(Server.freeze, Server.thaw, id="frozen"),
        pytest.param(Server.cut, Server.thaw, id="cut"),
    ],
)
async def test_who_watches_hears_of_what_changed_meanwhile(
    server: Server,
    shard: Shard,
    hurt: Callable[[Server], Awaitable[None]],
    mend: Callable[[Server], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redis_channels, "SILENT_S", 0.2)
    await shard.play(0)
    async with aclosing(shard.reader.watch(["ann", "eve"])) as changes:
        first = await anext(changes)
        await hurt(server)
        await shard.play(1, listener="eve")
        await mend(server)
        async with asyncio.timeout(PATIENCE_S):
            while (later := await anext(changes)).listener_id != "eve":
                pass

    assert first.listener_id == "ann"
    assert later.playing


@pytest.mark.servers
async def test_a_redis_that_falls_silent_is_left_and_found_again(
    server: Server, shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_channels, "SILENT_S", 0.1)
    await shard.play(0)
    async with aclosing(shard.reader.watch(["ann", "eve"])) as changes:
        await anext(changes)
        await server.freeze()
        await until(lambda: _is_true(shard.reader._channels._connection is None))
        await shard.play(1, listener="eve")
        await server.thaw()
        async with asyncio.timeout(PATIENCE_S):
            later = await anext(changes)

    assert (later.listener_id, later.playing is None) == ("eve", False)


@pytest.mark.servers
async def test_a_connection_without_watchers_listens_to_nothing(place: Place) -> None:
    async def channels() -> int:
        return len(await place.client.pubsub_channels(f"{place.name}:*"))

    await place.presence.announce([announcement()])
    async with aclosing(place.presence.watch(["ann", "eve"])) as changes:
        await anext(changes)
        while_watching = await channels()

    assert while_watching == 2
    await until(lambda: _is_zero(channels))


async def _is_zero(number: Callable[[], Awaitable[int]]) -> bool:
    return not await number()


def test_what_is_heard_during_a_look_is_newer_than_what_was_read() -> None:
    watcher = Watcher({b"a": "ann"})
    keys = watcher.begin_look()
    watcher.heard(b"a", encode(announcement(track="heard")))
    watcher.end_look(dict.fromkeys(keys))

    (change,) = watcher.watched.take()

    assert change.playing
    assert change.playing.track_id == "heard"


@pytest.mark.servers
async def test_a_redis_that_takes_no_writes_is_trouble_until_it_does(
    server: Server, shard: Shard
) -> None:
    await server.refuse_writes()
    await shard.play(0)
    await until(lambda: _is_true("memory" in shard.announcer.trouble))

    await server.allow_writes()

    await until(shard.shown)


@pytest.mark.servers
async def test_a_redis_that_is_away_is_not_asked_for_every_reader(
    server: Server, shard: Shard, caplog: pytest.LogCaptureFixture
) -> None:
    await server.freeze()
    begun = time.monotonic()
    with caplog.at_level(logging.WARNING):
        answers = [await shard.reader.now_playing(["ann", "eve"]) for _ in range(1_000)]
    spent_s = time.monotonic() - begun

    assert answers == [[None, None]] * 1_000
    assert spent_s < BOUND_S
    assert len(caplog.records) == 1


@pytest.mark.servers
async def test_a_password_opens_it_and_is_in_no_message(server: Server) -> None:
    wrong, right = (f"redis://:{word}@{server.url[8:]}" for word in ("hunter2", "s%40cret"))
    await server.want_password("s@cret")
    places = [
        RedisPresence(url, now_ms=Clock(START), jitter=no_jitter, name=NAME)
        for url in (wrong, right)
    ]

    with pytest.raises(Unavailable) as refused:
        await places[0].announce([announcement()])
    await places[1].announce([announcement()])
    (seen,) = await places[1].now_playing(["ann"])
    for place in places:
        await place.close()

    assert seen
    assert "hunter2" not in str(refused.value)
    assert "127.0.0.1" in str(refused.value)
