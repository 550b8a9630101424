"""What Heartline does between Kafka and the store, in a process of its own that tells what it took.

    python -m bench.rig.kafka_work gather|fold URL STORE COUNT

``gather`` brings COUNT single heartbeats into the log of URL; ``fold`` consumes COUNT
of that log and writes rows to STORE, or nowhere if that is empty.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from actors import partition
from actors.listener_shard import ListenerShard
from bench.rig.nowhere import Nowhere
from domain.payloads import open_payload
from domain.ports import Record
from domain.warm import warm
from heartline import wiring
from heartline.addresses import KafkaAddress
from heartline.gathering import membership, spare_the_collector
from heartline.settings import Settings
from streams.consumer import Consumer
from streams.gather import Tally
from streams.membership import Membership

LOOK_S = 0.02
WARM = 6  # one part of so many is not measured: what starts, starts
PARTITIONS = 8

Took = dict[str, float]


async def gather(settings: Settings, count: int) -> Took:
    """Gather until *count* heartbeats are in the log."""
    address = KafkaAddress.parse(settings.log)
    assert address
    spare_the_collector()
    tally = Tally()
    async with membership(settings, address, tally)() as gatherer:
        return await _measured(gatherer.run, lambda: tally.gathered, count)


async def fold(settings: Settings, count: int) -> Took:
    """Consume *count* heartbeats of the log, then write out and commit everything."""
    warm()
    partition.GROUP = f"bench.{wiring.new_id()}"  # what another run has committed is not ours
    log = wiring.open_log(settings)
    tables = wiring.open_tables(settings) if settings.store else Nowhere()
    generation = await log.generation()
    shard = ListenerShard(
        generation,
        listening=wiring.listening(tables, settings),
        log=log,
        commit_window_ms=settings.commit_window_ms,
        now_ms=wiring.now_ms,
    )
    watched = Watched(shard)
    address = KafkaAddress.parse(settings.log)
    assert address
    consumer = Consumer(
        log,
        generation,
        lambda _: watched,
        membership=Membership(address.servers, address.topic, f"{partition.GROUP}.faust", "bench"),
        durable_group=partition.GROUP,
        end=_end,
    )
    took = await _measured(consumer.run, lambda: watched.applied, count, shard.close)
    await log.close()
    return took


class Watched:
    """A shard, watched how many heartbeats it has taken."""

    def __init__(self, shard: ListenerShard) -> None:
        self.open, self.caught_up, self._apply = shard.open, shard.caught_up, shard.apply
        self.applied = 0

    async def apply(self, number: int, offset: int, records: Sequence[Record]) -> int:
        """Let the shard apply them."""
        wanted = await self._apply(number, offset, records)
        done = [record for record in records if record.offset < wanted]
        self.applied += sum(open_payload(record.payload).rows for record in done)
        return wanted


def _end(why: str) -> NoReturn:
    raise SystemExit(why)


async def _nothing() -> None:
    return


async def _measured(
    work: Callable[[], Awaitable[None]],
    done: Callable[[], int],
    count: int,
    finish: Callable[[], Awaitable[None]] = _nothing,
) -> Took:
    """Measure from when one part in WARM of *count* is done until all of it is, and finished."""
    task = asyncio.ensure_future(work())

    async def until(wanted: int) -> tuple[int, float, float]:
        while done() < wanted:
            assert not task.done(), task.result()
            await asyncio.sleep(LOOK_S)
        return done(), time.monotonic(), time.process_time()

    before, wall_s, cpu_s = await until(count // WARM)
    await until(count)
    await finish()
    took = {
        "heartbeats": done() - before,
        "wall_s": time.monotonic() - wall_s,
        "cpu_s": time.process_time() - cpu_s,
    }
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return took


def main() -> None:
    """Do it, and tell in JSON."""
    work, url, store, count = sys.argv[1:]
    settings = Settings(data=Path("nowhere"), log=url, store=store, partitions=PARTITIONS)
    print(json.dumps(asyncio.run({"gather": gather, "fold": fold}[work](settings, int(count)))))


if __name__ == "__main__":
    main()
