"""What operators are told while something cannot be written: which part, and since when."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from actors.listener_shard import ListenerShard
from domain.batches import batch_of
from domain.errors import Unavailable
from domain.payloads import encode
from domain.units import MINUTE_MS
from heartline.readiness import checks
from heartline.status import AsksStatus, status_of
from heartline.status_picture import picture
from serve.health import Check
from stores.kafka_log import KafkaLog
from stores.listening import Listening
from stores.sqlite_log import SqliteLog
from stores.sqlite_tables import SqliteTables
from tests.actors.test_partition import GENERATION, WEEK_TTL_S, beats
from tests.clock import Clock
from tests.servers.ports import free_ports

PATIENCE_S = 0.02
LIMIT_MS = 5 * MINUTE_MS


def found(*shards: AsksStatus) -> Callable[[], Awaitable[Mapping[int, AsksStatus]]]:
    async def now() -> Mapping[int, AsksStatus]:
        return dict(enumerate(shards))

    return now


class House:
    """A real log, store and shard in one process, with a clock of the test's."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        self.tables = SqliteTables.open(
            folder / "store.db", now_ms=self.clock, patience_s=PATIENCE_S
        )
        self.log = SqliteLog.open(
            folder / "log.db", partitions=1, now_ms=self.clock, patience_s=PATIENCE_S
        )
        self.listening = Listening(self.tables, week_ttl_s=WEEK_TTL_S)
        self.shard = ListenerShard(
            GENERATION,
            listening=self.listening,
            log=self.log,
            commit_window_ms=1,
            now_ms=self.clock,
        )

    async def append(self, *seconds: float) -> None:
        (offset,) = await self.log.append([(0, encode(batch_of(beats(*seconds))))])
        records = await self.log.read(GENERATION, 0, offset, most_bytes=1 << 20)
        await self.shard.apply(0, offset, records)

    async def status(self) -> Mapping[str, Any]:
        return await self.status_with(self.shard)

    async def status_with(self, *shards: AsksStatus) -> Mapping[str, Any]:
        return await status_of(
            self.log,
            self.listening,
            GENERATION,
            dict(enumerate(shards)),
            now_ms=self.clock,
            stale_ms=LIMIT_MS,
        )

    def checks_with(self, *shards: AsksStatus) -> dict[str, Check]:
        async def status() -> Mapping[str, Any]:
            return await self.status_with(*shards)

        return checks(
            self.log, self.listening, GENERATION, found(*shards), status, stale_ms=LIMIT_MS
        )

    async def wrong(self) -> dict[str, str]:
        """Tell what each check that fails says."""
        made = self.checks_with(self.shard)
        found = {name: await said(check) for name, check in made.items()}
        return {name: what for name, what in found.items() if what}

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        with closing(sqlite3.connect(self.folder / name, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield

    async def close(self) -> None:
        await self.shard.close()
        await self.tables.close()
        await self.log.close()


async def said(check: Callable[[], Awaitable[str | None]]) -> str | None:
    try:
        return await check()
    except Unavailable as error:
        return str(error)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    await made.append(0, 30)
    await settled(made)
    yield made
    await made.close()


async def settled(house: House) -> None:
    while (await house.status())["waiting"]:
        await house.log.wait(0.01)


async def test_a_store_that_is_locked_for_five_minutes_is_told_while_the_log_goes_on(
    house: House,
) -> None:
    with house.locked("store.db"):
        await house.append(60)
        house.clock.advance(LIMIT_MS)
        assert await house.wrong() == {}

        house.clock.advance(1)
        await house.append(90)

        assert await house.wrong() == {"rows": "300 s behind"}
        told = await house.status()
        assert (told["stale"], told["staleness_ms"]) == (True, LIMIT_MS + 1)
        assert told["waiting"] == 2

    await settled(house)
    assert await house.wrong() == {}
    assert not (await house.status())["stale"]


async def test_a_log_that_cannot_be_written_is_told_at_once_and_status_still_answers(
    house: House,
) -> None:
    house.clock.advance(MINUTE_MS)
    with house.locked("log.db"):
        (wrong,) = (await house.wrong()).items()
        assert wrong[0] == "log"
        assert "locked by another process" in wrong[1]
        assert (await house.status())["staleness_ms"] == MINUTE_MS

    assert await house.wrong() == {}


async def test_a_kafka_that_is_away_is_told(house: House) -> None:
    (port,) = free_ports(1)
    away = KafkaLog(f"127.0.0.1:{port}", partitions=1, now_ms=house.clock, patience_s=PATIENCE_S)

    made = checks(away, house.listening, GENERATION, found(), house.status, stale_ms=LIMIT_MS)

    assert f"127.0.0.1:{port} does not answer" in (await said(made["log"]) or "")


async def test_it_is_told_also_when_the_clock_was_set_back(house: House) -> None:
    house.clock.advance(-60 * MINUTE_MS)
    stuck = Stuck(unwritten_ms=LIMIT_MS + 1)

    made = house.checks_with(stuck)

    assert await said(made["store"]) == "not written for 300 s"
    assert await said(made["rows"]) == "300 s behind"
    assert "stale: nothing written for 5 min" in drawn(await house.status_with(stuck))


class Stuck:
    """A shard that has been writing for long."""

    def __init__(self, *, unwritten_ms: int) -> None:
        self.unwritten_ms = unwritten_ms

    async def status(self) -> list[dict[str, Any]]:
        return [
            {
                "partition": 0,
                "next": 1,
                "listeners": 1,
                "dirty": 3,
                "unwritten_ms": self.unwritten_ms,
                "trouble": "the disk is full",
            }
        ]


def drawn(told: Mapping[str, Any]) -> str:
    console = Console(width=200, file=StringIO())
    with console.capture() as capture:
        console.print(picture({**told, "url": None}))
    return capture.get()


async def test_a_shard_that_does_not_answer_is_told(house: House) -> None:
    class Gone:
        async def status(self) -> list[dict[str, Any]]:
            raise Unavailable("a listener shard is restarting")

    made = house.checks_with(house.shard, Gone())

    assert await said(made["shards"]) == "no answer from 1"


async def test_how_long_a_flush_has_waited_is_told_until_it_is_done(house: House) -> None:
    with house.locked("store.db"):
        await house.append(60)
        while not (await house.status())["unwritten_ms"]:
            await house.log.wait(0.01)

    await settled(house)
    while (await house.status())["unwritten_ms"]:
        await house.log.wait(0.01)
