"""The shards and followers of a cluster: actors that outlive whoever started them, spread over nodes.

Followers run for ever by themselves: consumers of the log, gatherers, the cataloguer, the archive.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayError

from actors.ray_shard import start_shard
from actors.shard_handles import NAMESPACE, FoundShards, shard_name
from domain.positions import Generation
from heartline.addresses import KafkaAddress
from heartline.cataloguing import catalogue_builder
from heartline.cluster import shard_builder
from heartline.consuming import reader_builders
from heartline.gathering import gatherer_builder
from heartline.nodes.places import Places
from heartline.nodes.ray_cluster import Actor, actors, nodes
from heartline.settings import Settings
from heartline.terminal import fail
from heartline.warehousing import archive_builder
from streams.ray_follower import start_follower
from streams.ray_run import Run

SHARD_CPUS, FOLLOWER_CPUS = 1.0, 0.5
CONSUMER = "consumer-"
FOLLOWERS = (CONSUMER, "gatherer-", "catalogue", "archive")
START_S, STOP_S, CLOSE_S = 120.0, 10.0, 60.0
LOOK_S = 0.2


class Fleet:
    """What `heartline cluster` starts and stops."""

    def __init__(self, settings: Settings, generation: Generation) -> None:
        self.settings, self._generation = settings, generation
        self.shard = FoundShards()

    def start_shards(self, numbers: Sequence[int]) -> None:
        """Start those shards that do not run yet, and wait until all of them answer.

        Raises
        ------
        Failure
            One does not start: no node has room for it, or it cannot begin.
        """
        build = shard_builder(self.settings, self._generation)
        place = Places(nodes(), SHARD_CPUS, shards_there().values()).next
        for number in sorted(set(numbers) - set(shards_there())):
            start_shard(build, number, **place(), **_OUTLIVING)
        self._wait_for([(shard_name(number), self.shard(number).handle) for number in numbers])

    def start_followers(self) -> None:
        """Start those followers that do not run yet.

        Raises
        ------
        Failure
            One does not start.
        """
        place = Places(nodes(), FOLLOWER_CPUS, followers_there().values()).next
        started = [
            (name, start_follower(name, build, **place())) for name, build in self._followers()
        ]
        self._wait_for(started, "trouble")

    def replace_followers(self, names: Sequence[str]) -> None:
        """Have Ray begin followers anew, where it may place them now.

        Raises
        ------
        Failure
            One does not start.
        """
        self.stop_followers(names, again=True)
        there = [(name, ray.get_actor(name, NAMESPACE)) for name in names]
        self._wait_for(there, "trouble")

    def stop_followers(self, names: Iterable[str], *, again: bool = False) -> None:
        """Stop followers; *again*: Ray restarts them."""
        for name in names:
            with contextlib.suppress(RayError, ValueError):
                handle: Any = ray.get_actor(name, NAMESPACE)
                with contextlib.suppress(RayError):
                    ray.get(handle.stop.remote(), timeout=STOP_S)
                ray.kill(handle, no_restart=not again)

    def stop_shards(self, numbers: Sequence[int]) -> None:
        """Have shards write out and commit what they hold, and end them."""
        handles: list[Any] = []
        for number in numbers:
            with contextlib.suppress(ValueError):
                handles.append(ray.get_actor(shard_name(number), NAMESPACE))
        with contextlib.suppress(RayError):  # what is not written, the log has
            ray.get([handle.close.remote() for handle in handles], timeout=CLOSE_S)
        for handle in handles:
            ray.kill(handle)

    def _followers(self) -> Iterator[tuple[str, Callable[[], Run]]]:
        settings = self.settings
        for number, build in enumerate(reader_builders(settings, self._generation)):
            yield f"consumer-{number}", build
        if address := KafkaAddress.parse(settings.log):
            for number in range(settings.gatherers):
                yield f"gatherer-{number}", gatherer_builder(settings, address)
        yield "catalogue", catalogue_builder(settings)
        if settings.archive:
            yield "archive", archive_builder(settings)

    def _wait_for(self, started: Sequence[tuple[str, Any]], method: str = "status") -> None:
        end_s = time.monotonic() + START_S
        for name, handle in started:
            while not _answers(name, handle, method, end_s):
                time.sleep(LOOK_S)


_OUTLIVING = {"lifetime": "detached", "get_if_exists": True}


def shards_there(found: Iterable[Actor] | None = None) -> dict[int, Actor]:
    """Tell the shards among the actors, by their numbers."""
    prefix = shard_name(0)[:-1]
    return {
        int(actor.name.removeprefix(prefix)): actor
        for actor in (actors() if found is None else found)
        if actor.name.startswith(prefix)
    }


def followers_there(found: Iterable[Actor] | None = None) -> dict[str, Actor]:
    """Tell the followers among the actors, by their names."""
    every = actors() if found is None else found
    return {actor.name: actor for actor in every if actor.name.startswith(FOLLOWERS)}


def _answers(name: str, handle: Any, method: str, end_s: float) -> bool:
    """Whether an actor has begun; not, while Ray is about to restart it."""
    try:
        ray.get(getattr(handle, method).remote(), timeout=max(end_s - time.monotonic(), LOOK_S))
    except (RayActorError, GetTimeoutError) as error:
        if name not in {actor.name for actor in actors()}:  # Ray has given it up
            fail(f"{name} cannot begin: {' '.join(str(error).split())[-300:]}")
        if time.monotonic() >= end_s:
            fail(f"{name} did not start within {START_S:.0f} s: {_why(name)}")
        return False
    return True


def _why(name: str) -> str:
    homeless = [actor for actor in actors() if actor.name == name and not actor.node_id]
    if not homeless:
        return "see Ray's logs on its node"
    return "no node has room for it; add one, or ask for fewer"
