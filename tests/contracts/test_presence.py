"""What presence is, wherever it is asked: in the shards, or on Redis, which they tell it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from actors.announcer import Announcer
from actors.assignment import Assignment
from actors.partition import Partition
from actors.shard_presence import ShardPresence
from domain.heartbeats import Heartbeat, Kind
from domain.payloads import encode_erase
from domain.ports import NowPlaying, Presence, PresenceChange
from domain.units import FUTURE_MS, MINUTE_MS, SECOND_MS
from stores import redis_presence
from stores.redis_presence import RedisPresence
from tests.actors.test_partition import GENERATION, START, House
from tests.memory_board import no_jitter

MORE_THAN_AT_ONCE = 2_500
PATIENCE_S = 20.0

Changes = AsyncIterator[PresenceChange]


class Held:
    """A shard of one partition."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    async def now_playing(self, listener_ids: Sequence[str]) -> list[NowPlaying | None]:
        return self._partition.now_playing(listener_ids)


class Stage:
    """A shard that folds what is played, and presence as others see it."""

    presence: Presence

    def __init__(self, house: House, redis: RedisPresence | None) -> None:
        self.house, self.clock = house, house.clock
        self.announcer = Announcer(redis, jitter=no_jitter) if redis else None
        self.partition = house.partition(self.announcer.note if self.announcer else None)
        if redis and self.announcer:
            self.announcer.add(0, self.partition)
            self.presence = redis
        else:
            self.presence = ShardPresence(
                self._owners,
                lambda _: Held(self.partition),
                GENERATION.partitions,
                look_s=0.01,
            )

    async def _owners(self) -> Assignment:
        return Assignment.dealt(GENERATION.partitions, [0])

    async def play(self, *heartbeats: Heartbeat) -> None:
        await self.house.log.put(heartbeats)
        await self.applied()

    async def erase(self, listener_id: str) -> None:
        await self.house.log.append([(0, encode_erase(listener_id))])
        await self.applied()

    async def applied(self) -> None:
        await self.house.feed(self.partition)
        if self.announcer:
            assert await self.announcer.tell(), self.announcer.trouble

    async def seen(self, *names: str) -> list[NowPlaying | None]:
        return await self.presence.now_playing(names)

    async def tracks(self, *names: str) -> list[str | None]:
        return [playing.track_id if playing else None for playing in await self.seen(*names)]


@pytest.fixture(params=["shards", pytest.param("redis", marks=pytest.mark.servers)])
async def stage(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    house, redis = House(tmp_path), None
    if request.param == "redis":
        for limit in ("ANNOUNCE_S", "READ_S"):  # the machine does other things, too
            monkeypatch.setattr(redis_presence, limit, PATIENCE_S)
        url = request.getfixturevalue("redis")
        redis = RedisPresence(url, now_ms=house.clock, jitter=no_jitter, name=f"test-{uuid4().hex}")
    yield Stage(house, redis)
    if redis:
        await redis.close()
    await house.tables.close()


def beat(
    second: float = 0, kind: Kind = Kind.BEAT, listener: str = "ann", **more: Any
) -> Heartbeat:
    return Heartbeat(
        id=f"{listener}-{second}-{kind}",
        listener_id=listener,
        kind=kind,
        at=START + int(second * SECOND_MS),
        **{"track_id": "t1", "play_id": "p1", **more},
    )


async def test_nobody_plays_before_the_first_heartbeat(stage: Stage) -> None:
    assert await stage.seen("ann", "eve") == [None, None]
    assert await stage.seen() == []


async def test_the_newest_heartbeat_is_shown(stage: Stage) -> None:
    said: dict[str, Any] = {"device_id": "Küche", "context": "album:ü"}
    await stage.play(beat(0, position_ms=4, **said), beat(30, position_ms=30_004, **said))

    assert await stage.seen("ann") == [
        NowPlaying(
            track_id="t1",
            at=START + 30 * SECOND_MS,
            position_ms=30_004,
            is_playing=True,
            device_id="Küche",
            context="album:ü",
        )
    ]


async def test_answers_are_in_the_order_of_the_question(stage: Stage) -> None:
    await stage.play(beat(listener="ann", track_id="a"), beat(listener="tom", track_id="t"))

    assert await stage.tracks("tom", "eve", "ann", "tom") == ["t", None, "a", "t"]


async def test_many_are_read_at_once(stage: Stage) -> None:
    names = [f"listener-{number}" for number in range(MORE_THAN_AT_ONCE)]
    await stage.play(*(beat(listener=name, track_id=name) for name in names))

    assert await stage.tracks(*reversed(names)) == names[::-1]


@pytest.mark.parametrize("kind", [Kind.START, Kind.BEAT, Kind.SEEK])
async def test_what_plays_is_shown_as_playing(stage: Stage, kind: Kind) -> None:
    await stage.play(beat(0), beat(1, kind))

    (playing,) = await stage.seen("ann")

    assert playing
    assert (playing.at, playing.is_playing) == (START + SECOND_MS, True)


async def test_a_pause_is_shown_as_paused(stage: Stage) -> None:
    await stage.play(beat(0))
    await stage.play(beat(1, Kind.PAUSE))

    (playing,) = await stage.seen("ann")

    assert playing
    assert not playing.is_playing


@pytest.mark.parametrize("kind", [Kind.STOP, Kind.SKIP])
async def test_who_stops_is_not_shown(stage: Stage, kind: Kind) -> None:
    await stage.play(beat(0))
    await stage.play(beat(1, kind))
    gone = await stage.seen("ann")
    await stage.play(beat(2, track_id="t2"))

    assert gone == [None]
    assert await stage.tracks("ann") == ["t2"]


async def test_a_listener_is_gone_a_minute_after_the_newest_heartbeat(stage: Stage) -> None:
    await stage.play(beat(0), beat(25))
    stage.clock.advance(25 * SECOND_MS + MINUTE_MS)
    there = await stage.tracks("ann")
    stage.clock.advance(1)

    assert there == ["t1"]
    assert await stage.tracks("ann") == [None]


async def test_beats_that_go_on_keep_a_listener_shown(stage: Stage) -> None:
    shown = []
    for second in range(0, 180, 10):
        await stage.play(beat(second))
        shown += await stage.tracks("ann")
        stage.clock.advance(10 * SECOND_MS)

    assert shown == ["t1"] * 18


async def test_a_heartbeat_that_comes_late_changes_nothing(stage: Stage) -> None:
    await stage.play(beat(30, track_id="t2", play_id="p2"))
    await stage.play(beat(0, track_id="t1"), beat(20, Kind.STOP, track_id="t1"))

    assert await stage.tracks("ann") == ["t2"]


async def test_what_is_too_old_when_it_comes_is_not_shown(stage: Stage) -> None:
    await stage.play(beat(-61))

    assert await stage.tracks("ann") == [None]


async def test_clients_whose_clocks_are_ahead_are_shown(stage: Stage) -> None:
    await stage.play(beat(FUTURE_MS // SECOND_MS))

    assert await stage.tracks("ann") == ["t1"]


async def test_the_erased_are_never_shown_again(stage: Stage) -> None:
    await stage.play(beat(0))
    await stage.erase("ann")
    erased = await stage.seen("ann")
    await stage.play(beat(1))

    assert erased == [None]
    assert await stage.seen("ann") == [None]


# --- watching ------------------------------------------------------------------------------------


async def told(changes: AsyncIterator[PresenceChange]) -> tuple[str, str | None, bool]:
    """Wait for the next change: whose, which track, and whether it sounds."""
    async with asyncio.timeout(PATIENCE_S):
        change = await anext(changes)
    playing = change.playing
    track = playing.track_id if playing else None
    return change.listener_id, track, bool(playing and playing.is_playing)


@pytest.fixture
async def changes(stage: Stage) -> AsyncIterator[AsyncIterator[PresenceChange]]:
    """What those see who watch eve and ann."""
    async with aclosing(stage.presence.watch(["eve", "ann"])) as watching:
        yield watching


async def test_who_watches_is_told_who_plays_already(stage: Stage, changes: Changes) -> None:
    await stage.play(beat(0), beat(0, listener="tom"))

    assert await told(changes) == ("ann", "t1", True)


async def test_who_watches_is_told_each_change_and_no_heartbeat(
    stage: Stage, changes: Changes
) -> None:
    seen = []
    for heartbeat in (
        beat(0),
        beat(10, Kind.PAUSE),
        beat(20, track_id="t2", play_id="p2"),
        beat(20, listener="eve"),
        beat(40, track_id="t2", play_id="p2", device_id="car", stretch=1),
        beat(45, Kind.SEEK, track_id="t2", play_id="p2", device_id="car"),
        beat(50, Kind.STOP, track_id="t2", play_id="p2"),
    ):
        await stage.play(heartbeat)
        if heartbeat.at < START + 40 * SECOND_MS or heartbeat.kind is Kind.STOP:
            seen.append(await told(changes))

    assert seen == [
        ("ann", "t1", True),
        ("ann", "t1", False),
        ("ann", "t2", True),
        ("eve", "t1", True),
        ("ann", None, False),
    ]


async def test_whoever_is_slow_is_told_the_newest(stage: Stage, changes: Changes) -> None:
    await stage.play(beat(0))
    first = await told(changes)
    for second in range(1, 50):
        await stage.play(beat(second, track_id=f"t{second}", play_id=f"p{second}"))
    seen = [await told(changes)]
    while seen[-1] != ("ann", "t49", True):
        seen.append(await told(changes))

    assert first == ("ann", "t1", True)
    assert len(seen) < 10


async def test_who_falls_silent_is_gone_for_watchers_too(stage: Stage, changes: Changes) -> None:
    await stage.play(beat(0))
    first = await told(changes)
    stage.clock.advance(MINUTE_MS + 1)
    await stage.play(beat(61, listener="eve"))
    later = sorted([await told(changes), await told(changes)])

    assert first == ("ann", "t1", True)
    assert later == [("ann", None, False), ("eve", "t1", True)]


async def test_many_watch_the_same_listener(stage: Stage) -> None:
    async with AsyncExitStack() as stack:
        watching = [
            await stack.enter_async_context(aclosing(stage.presence.watch(names)))
            for names in (["ann"], ["ann", "eve"], ["ann", "ann"])
        ]
        first = asyncio.gather(*map(told, watching))
        await stage.play(beat(0))
        seen = await first
        await watching[0].aclose()
        await stage.play(beat(1, Kind.PAUSE))
        seen += await asyncio.gather(*map(told, watching[1:]))

    assert seen == [("ann", "t1", True)] * 3 + [("ann", "t1", False)] * 2
