"""Gatherers of other producers' heartbeats, built from the settings; there are some beside a log on Kafka."""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from ray.actor import ActorHandle

from heartline import wiring
from heartline.addresses import KafkaAddress
from heartline.settings import Settings
from heartline.telemetry import begin_telemetry
from stores.kafka_dead_letters import KafkaDeadLetters
from stores.kafka_singles import TOPIC, kafka_singles
from streams.gather import Gatherer, Membership, Tally, keep_gathering
from streams.gather_metrics import GatherMetrics
from streams.ray_gatherer import start_gatherer
from streams.ray_run import Run

COLLECT_AFTER = 200_000  # objects


def spare_the_collector() -> None:
    """Let the process look for cycles seldom: tens of thousands of records live at once.

    They have none, and looking at them again and again takes as long as making them.
    """
    gc.set_threshold(COLLECT_AFTER)


def topic_of(address: KafkaAddress) -> str:
    """Name the topic of single heartbeats beside a log."""
    return f"{address.topic}.json" if address.topic else TOPIC


def membership(settings: Settings, address: KafkaAddress, tally: Tally) -> Membership:
    """Tell how a gatherer becomes a member of its group."""
    topic = topic_of(address)

    @asynccontextmanager
    async def join() -> AsyncIterator[Gatherer]:
        log = wiring.open_log(settings)
        dead_letters = KafkaDeadLetters(address.servers, f"{topic}.dead")
        try:
            async with kafka_singles(address.servers, topic) as singles:
                yield Gatherer(
                    singles,
                    log,
                    dead_letters,
                    late_limit_days=settings.late_limit_days,
                    tally=tally,
                )
        finally:
            await dead_letters.close()
            await log.close()

    return join


def start_gatherers(settings: Settings) -> list[tuple["ActorHandle[Any]", Any]]:
    """Start as many as the settings say, if the log is on Kafka: the actors, and their runs."""
    if not (address := KafkaAddress.parse(settings.log)):
        return []
    build = gatherer_builder(settings, address)
    return [start_gatherer(number, build) for number in range(settings.gatherers)]


def gatherer_builder(settings: Settings, address: KafkaAddress) -> Callable[[], Run]:
    """Tell how a gatherer is made, in its own process."""

    def build() -> Run:
        spare_the_collector()
        tally = Tally()
        GatherMetrics(tally, begin_telemetry("gatherer", settings))
        return lambda: keep_gathering(membership(settings, address, tally), tally)

    return build
