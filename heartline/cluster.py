"""What runs in Ray beside Ray Serve: the shards, what reads the log and feeds them, the gatherers."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError

from actors.assignment import Assignment
from actors.ray_assignment import put_assignment
from actors.ray_shard import start_shard
from actors.shard_handles import RayShard
from domain.positions import Generation
from heartline import wiring
from heartline.consuming import start_readers
from heartline.gathering import start_gatherers
from heartline.presence import announcer_of
from heartline.settings import Settings
from heartline.telemetry import begin_telemetry

if TYPE_CHECKING:
    from actors.listener_shard import ListenerShard

log = logging.getLogger(__name__)

STOP_READERS_S = 5.0
CLOSE_SHARDS_S = 15.0


@dataclass(frozen=True, slots=True)
class Consumers:
    """The running consumers of the log."""

    shards: list[RayShard]
    readers: list[tuple["ActorHandle[Any]", Any]]  # and their runs, which end only with an error

    def check(self) -> None:
        """See that what reads the log runs.

        Raises
        ------
        RayError
            It ended, and with what.
        """
        runs = [run for _, run in self.readers]
        ended, _ = ray.wait(runs, num_returns=len(runs), timeout=0)
        ray.get(ended)

    def stop(self) -> None:
        """Stop reading the log, then write out and commit what was applied."""
        _wait([reader.stop.remote() for reader, _ in self.readers], STOP_READERS_S)
        _wait([shard.handle.close.remote() for shard in self.shards], CLOSE_SHARDS_S)


def start_consumers(settings: Settings, generation: Generation) -> Consumers:
    """Start the shards, then what reads the log, then the gatherers."""
    build, numbers = shard_builder(settings, generation), range(settings.shards)
    shards = [start_shard(build, number) for number in numbers]
    put_assignment(Assignment.dealt(generation.partitions, numbers))
    return Consumers(shards, start_readers(settings, generation) + start_gatherers(settings))


def shard_builder(settings: Settings, generation: Generation) -> "Callable[[], ListenerShard]":
    """Tell how a shard is made, in its own process: who only starts it needs no kernels."""

    def build() -> "ListenerShard":
        from actors.listener_shard import ListenerShard
        from actors.shard_metrics import ShardMetrics
        from domain.warm import warm

        metrics = ShardMetrics(begin_telemetry("shard", settings))
        warm()  # the first heartbeat shall not wait for a compiler
        tables, log = wiring.opened(settings)
        return ListenerShard(
            generation,
            listening=wiring.listening(tables, settings),
            log=log,
            commit_window_ms=settings.commit_window_ms,
            now_ms=wiring.now_ms,
            announcer=announcer_of(settings, metrics),
            metrics=metrics,
            dead_letters=wiring.open_dead_letters(settings),
        )

    return build


def _wait(calls: list[Any], timeout_s: float) -> None:
    """Wait for *calls*; what fails or takes too long is made good from the log at the next start."""
    try:
        ray.get(calls, timeout=timeout_s)
    except RayError as error:
        log.warning("not stopped cleanly: %s", error)
