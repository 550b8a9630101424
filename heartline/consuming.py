"""What reads the log and feeds the shards: Faust consumers where it is on Kafka, else the tailer."""

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Any, NoReturn

from ray.actor import ActorHandle

from actors.ray_assignment import RayAssignment
from actors.routed_shards import RoutedShards
from actors.shard_handles import FoundShards
from domain.ports import Log
from domain.positions import ARCHIVE, SHARDS, Generation
from heartline import wiring
from heartline.addresses import KafkaAddress
from heartline.settings import Settings
from heartline.telemetry import begin_telemetry
from streams.housekeeping import Retention, keep_house
from streams.membership import Membership
from streams.ray_consumer import start_consumer
from streams.ray_run import Run
from streams.ray_tailer import start_tailer
from streams.tailer import Shard, Tailer

STALLED = 70  # the exit status of a consumer that ends itself: EX_SOFTWARE

log_ = logging.getLogger(__name__)


def start_readers(
    settings: Settings, generation: Generation
) -> list[tuple["ActorHandle[Any]", Any]]:
    """Start whatever reads the log; tells the actors and their runs, which end only with an error."""
    builders = reader_builders(settings, generation)
    if not settings.log:
        return [start_tailer(build) for build in builders]
    return [start_consumer(number, build) for number, build in enumerate(builders)]


def reader_builders(settings: Settings, generation: Generation) -> list[Callable[[], Run]]:
    """Tell how whatever reads the log is made: the consumers, in the order of their numbers."""
    if address := KafkaAddress.parse(settings.log):
        numbers = range(settings.consumers)
        return [consumer_builder(settings, address, generation, number) for number in numbers]
    return [tailer_builder(settings, generation)]


async def align(log: Log, settings: Settings) -> None:
    """Have the consumers' group go on where the shards' is, in every generation of a log on Kafka.

    Otherwise it would hold back `trim` where it never goes again. Nobody may be in the group.
    """
    if address := KafkaAddress.parse(settings.log):
        for generation in await log.generations():
            offsets = await log.committed(SHARDS, generation)
            await log.commit(_group(address), generation, dict(enumerate(offsets)))


def tailer_builder(settings: Settings, generation: Generation) -> Callable[[], Run]:
    """Tell how the tailer is made, in its own process."""

    def build() -> Run:
        begin_telemetry("tailer", settings)
        tables, log = wiring.opened(settings)
        tailer = Tailer(log, generation, _shards())

        async def run() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(tailer.run())
                tasks.create_task(keep_house(log, tables, _retention(settings), wiring.now_ms))

        return run

    return build


def consumer_builder(
    settings: Settings, address: KafkaAddress, generation: Generation, number: int
) -> Callable[[], Run]:
    """Tell how a consumer is made, in its own process; the first one keeps house, too."""

    def build() -> Run:
        from streams.consumer import Consumer

        begin_telemetry("consumer", settings)
        tables, log = wiring.opened(settings)
        consumer = Consumer(
            log,
            generation,
            _shards(),
            membership=_membership(address, generation, number),
            durable_group=SHARDS,
            end=_end,
        )

        async def run() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(consumer.run())
                if number == 0:
                    tasks.create_task(keep_house(log, tables, _retention(settings), wiring.now_ms))

        return run

    return build


def _membership(address: KafkaAddress, generation: Generation, number: int) -> Membership:
    from stores.kafka_log import TOPIC, topic_of

    log = address.topic or TOPIC
    return Membership(
        address.servers, topic_of(log, generation), _group(address), f"{log}.consumer-{number}"
    )


def _group(address: KafkaAddress) -> str:
    from stores.kafka_log import TOPIC

    return f"{address.topic or TOPIC}.consumers"


def _retention(settings: Settings) -> Retention:
    readers = (ARCHIVE,) if settings.archive else ()
    return Retention(settings.log_retention_days, settings.log_retention_bytes, readers)


def _shards() -> Callable[[int], Shard]:
    shards = RoutedShards(RayAssignment().current, FoundShards())
    return lambda _: shards


def _end(why: str) -> NoReturn:
    """End the process; Ray begins it again."""
    log_.critical("ends: %s", why)
    os._exit(STALLED)
