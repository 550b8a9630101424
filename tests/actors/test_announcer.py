"""What a shard tells of presence: news at once, beats that go on seldom, everybody after an outage."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from actors import announcer as announcing
from actors.announcer import AT_ONCE, LAST_RETRY_S, Announcer
from actors.listener_shard import ListenerShard
from actors.partition import Partition
from actors.shard_metrics import ShardMetrics
from domain.heartbeats import Heartbeat, Kind
from domain.payloads import encode_erase
from domain.ports import ERASED_AT
from domain.units import MINUTE_MS, SECOND_MS
from tests.actors.test_partition import GENERATION, START, House, beats
from tests.memory_board import MemoryBoard, no_jitter

SOON_S = 10.0


class Stage:
    """A partition whose announcer tells a board in memory, when the test says so."""

    def __init__(self, house: House) -> None:
        self.house, self.board = house, MemoryBoard()
        self.slept: list[float] = []
        self.metrics = CollectorRegistry()
        self.announcer = Announcer(
            self.board,
            jitter=lambda: 1.0,
            sleep=self._sleep,
            metrics=ShardMetrics(self.metrics),
        )
        self.partition = self.another()

    def another(self) -> Partition:
        partition = self.house.partition(self.announcer.note)
        self.announcer.add(0, partition)
        return partition

    async def play(self, *heartbeats: Heartbeat) -> list[list[str]]:
        """Apply a record; tell what the board was told of it."""
        self.board.told.clear()
        await self.house.log.put(heartbeats)
        await self.house.feed(self.partition)
        await self.announcer.tell()
        return self.board.told

    def metric(self, name: str) -> float | None:
        return self.metrics.get_sample_value(f"heartline_presence_{name}")

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    house = House(tmp_path)
    yield Stage(house)
    await house.tables.close()


def kind(second: float, kind: Kind) -> Heartbeat:
    return Heartbeat(
        id=f"{kind}-{second}",
        listener_id="ann",
        track_id="t1",
        play_id="p1",
        kind=kind,
        at=START + int(second * SECOND_MS),
    )


async def test_beats_that_go_on_are_told_once_in_twenty_seconds(stage: Stage) -> None:
    told = [len(await stage.play(*beats(second))) for second in range(0, 60, 5)]

    assert told == [1, 0, 0, 0] * 3


@pytest.mark.parametrize("news", [Kind.START, Kind.PAUSE, Kind.STOP, Kind.SEEK, Kind.SKIP])
async def test_anything_else_is_told_at_once(stage: Stage, news: Kind) -> None:
    await stage.play(*beats(0, 1))

    assert await stage.play(kind(2, news)) == [["ann"]]
    assert await stage.play(kind(3, Kind.BEAT)) == [["ann"]]
    assert await stage.play(kind(4, Kind.BEAT)) == []


async def test_another_play_is_told_at_once(stage: Stage) -> None:
    await stage.play(*beats(0))

    assert await stage.play(*beats(1, play="p2", track="t2")) == [["ann"]]


async def test_a_listener_is_told_once_of_many_heartbeats(stage: Stage) -> None:
    assert await stage.play(*beats(*range(50))) == [["ann"]]
    assert stage.board.shown["ann"].at == START + 49 * SECOND_MS


async def test_an_old_history_is_told_to_nobody(stage: Stage) -> None:
    assert await stage.play(*beats(*range(-7_200, -61, 30))) == []


async def test_many_are_told_in_pieces(stage: Stage) -> None:
    names = [f"listener-{number}" for number in range(2 * AT_ONCE + 1)]

    told = await stage.play(*(beat for name in names for beat in beats(0, listener=name)))

    assert [len(piece) for piece in told] == [AT_ONCE, AT_ONCE, 1]
    assert stage.board.shown.keys() == set(names)


async def test_what_a_zombie_says_is_older_than_what_stands(stage: Stage) -> None:
    await stage.play(*beats(0))
    zombie_says = stage.partition.announcements(["ann"])
    await stage.play(*beats(0, 1, play="p2", track="t2"))

    await stage.board.announce(zombie_says)

    playing = stage.board.shown["ann"].playing
    assert playing
    assert playing.track_id == "t2"


async def test_of_two_heartbeats_at_once_the_later_record_is_newer(stage: Stage) -> None:
    await stage.play(*beats(0))
    zombie_says = stage.partition.announcements(["ann"])
    await stage.play(*beats(0, play="p2", track="t2"))

    assert stage.partition.announcements(["ann"])[0].version > zombie_says[0].version


async def test_the_erased_are_cleared_for_good(stage: Stage) -> None:
    await stage.play(*beats(0))
    await stage.house.log.append([(0, encode_erase("ann"))])
    await stage.house.feed(stage.partition)
    await stage.announcer.tell()

    assert (stage.board.shown["ann"].at, stage.board.shown["ann"].playing) == (ERASED_AT, None)


async def test_a_board_that_is_away_keeps_nobody_waiting(stage: Stage) -> None:
    stage.board.away = "no answer"
    assert await stage.play(*beats(0, 30)) == []

    await stage.partition.flush()

    assert stage.announcer.trouble == "no answer"
    assert stage.metric("away") == 1
    assert await stage.house.listened_ms() == 30 * SECOND_MS


async def test_a_board_that_is_back_is_told_of_all_who_are_active(stage: Stage) -> None:
    await stage.play(*beats(0, listener="ann"), *beats(0, listener="eve"))
    await stage.play(*beats(-50, listener="tom"))
    stage.board.away = "no answer"
    await stage.play(*beats(1, listener="tim"))
    stage.board.away = ""
    stage.board.forget()
    stage.house.clock.advance(20 * SECOND_MS)

    assert await stage.announcer.tell()

    assert stage.board.shown.keys() == {"ann", "eve", "tim"}
    assert stage.announcer.trouble == ""
    assert (stage.metric("announced_total"), stage.metric("away")) == (6, 0)


async def test_who_was_erased_or_stopped_meanwhile_is_cleared_then(stage: Stage) -> None:
    await stage.play(*beats(0, listener="eve"), kind(0, Kind.BEAT))
    stage.board.away = "no answer"
    await stage.house.log.append([(0, encode_erase("eve"))])
    await stage.play(kind(1, Kind.STOP))
    stage.board.away = ""

    assert await stage.announcer.tell()

    assert [stage.board.shown[name].playing for name in ("ann", "eve")] == [None, None]


async def test_it_is_asked_less_and_less_often(stage: Stage) -> None:
    stage.board.away = "no answer"
    running = asyncio.create_task(stage.announcer.run())
    await stage.house.log.put(beats(0))
    await stage.house.feed(stage.partition)
    async with asyncio.timeout(SOON_S):
        while len(stage.slept) < 8:  # noqa: ASYNC110  (nothing tells of it)
            await asyncio.sleep(0)
    stage.board.away = ""
    async with asyncio.timeout(SOON_S):
        while "ann" not in stage.board.shown:  # noqa: ASYNC110
            await asyncio.sleep(0)
    running.cancel()

    assert stage.slept[:4] == [0.1, 0.2, 0.4, 0.8]
    assert stage.slept[7] == LAST_RETRY_S


async def test_a_fault_of_ours_is_not_the_end_of_it(stage: Stage) -> None:
    stage.board.breaks = 2
    running = asyncio.create_task(stage.announcer.run())
    await stage.house.log.put(beats(0))
    await stage.house.feed(stage.partition)
    async with asyncio.timeout(SOON_S):
        while "ann" not in stage.board.shown:  # noqa: ASYNC110
            await asyncio.sleep(0)
    running.cancel()

    assert stage.slept == [0.1, 0.2]


async def test_too_many_to_be_kept_are_told_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "MOST_WAITING", 3)
    names = [f"listener-{number}" for number in range(10)]

    await stage.play(*(beat for name in names for beat in beats(0, listener=name)))

    assert stage.board.shown.keys() == set(names)


async def test_what_was_forgotten_meanwhile_is_left_out(stage: Stage) -> None:
    stage.announcer.note(0, ["nobody"])

    assert await stage.announcer.tell()
    assert stage.board.shown == {}


async def test_a_partition_that_went_elsewhere_is_not_told_of(stage: Stage) -> None:
    await stage.house.log.put(beats(0))
    await stage.house.feed(stage.partition)
    stage.announcer.drop(0)

    assert await stage.announcer.tell()
    assert stage.board.shown == {}


async def test_a_shard_tells_by_itself_and_says_what_keeps_it(tmp_path: Path) -> None:
    house, board = House(tmp_path), MemoryBoard()
    board.away = "no answer"
    shard = ListenerShard(
        GENERATION,
        listening=house.listening,
        log=house.log,
        commit_window_ms=MINUTE_MS,
        now_ms=house.clock,
        announcer=Announcer(board, jitter=no_jitter),
    )
    await house.log.put(beats(0))
    await shard.apply(0, 0, house.log.records[0, 0])
    async with asyncio.timeout(SOON_S):
        while [each["presence"] for each in await shard.status()] != ["no answer"]:  # noqa: ASYNC110
            await asyncio.sleep(0)
        board.away = ""
        while "ann" not in board.shown:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    assert [each["presence"] for each in await shard.status()] == [""]
    await shard.close()
    await house.tables.close()
