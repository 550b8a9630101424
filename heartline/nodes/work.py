"""What the commands do to a cluster: start, scale, drain, stop. One at a time."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.assignment import Assignment
from actors.ray_assignment import delete_assignment, put_assignment, take_assignment
from actors.shard_handles import NAMESPACE
from domain.positions import Generation
from heartline import wiring
from heartline.driver import settled
from heartline.nodes.fleet import CONSUMER, Fleet, followers_there, shards_there
from heartline.nodes.kept_settings import keep_settings, kept_settings
from heartline.nodes.moving import Moved, Mover
from heartline.nodes.ray_cluster import Node, actors, drain, node_named, nodes
from heartline.nodes.serving import applications_run, deploy, stop_applications
from heartline.settings import Settings, variable
from heartline.terminal import fail

MUTEX = "cluster-command"
DRAIN_S = 120.0
GO_S = 10.0  # Ray ends an empty node by itself
LOOK_S = 0.2


def start(
    settings: Settings, applications: Mapping[str, Any] | None, *, one_machine: bool
) -> Mapping[str, Any]:
    """Start what does not run yet of shards and followers; again changes nothing.

    *applications* is a configuration of Ray Serve, which is deployed at last.

    Raises
    ------
    Failure
        It cannot be started, or runs with another number of partitions.
    """
    with _alone():
        assignment = take_assignment()
        generation = asyncio.run(_generation(settings, running=assignment is not None))
        wanted = assignment or Assignment.dealt(generation.partitions, range(settings.shards))
        fleet = Fleet(settings, generation)
        there = set(shards_there()) | set(followers_there())
        fleet.start_shards(wanted.shards)
        if assignment is None:
            put_assignment(wanted)
            keep_settings(settings)
        fleet.start_followers()
        now = set(shards_there()) | set(followers_there())
        names = deploy(applications, settings, one_machine=one_machine) if applications else []
        return {"started": len(now - there), "shards": wanted.shards, "applications": names}


def scale(count: int | None, consumers: int | None, tell: Callable[[Moved], None]) -> list[Moved]:
    """Have *count* shards and so many *consumers*; None: as many as there are.

    Partitions move to new shards, or away from those that end.

    Raises
    ------
    Failure
        Nothing runs, or what is new does not start.
    """
    with _alone():
        if consumers is not None:
            _scale_consumers(consumers)
        assignment, fleet = _running()
        if count is None:
            return []
        there = sorted(set(shards_there()) | set(assignment.shards))
        kept = there[:count] + _free(there, count - len(there))
        fleet.start_shards(kept)
        made = asyncio.run(Mover(assignment, fleet.shard).settle_on(kept, tell))
        fleet.stop_shards([number for number in there if number not in kept])
        return made


def _scale_consumers(count: int) -> None:
    _, fleet = _running()
    if not fleet.settings.log:
        fail(f"the log is not on Kafka ({variable('log')}): one consumer reads it")
    keep_settings(replace(fleet.settings, consumers=count))
    _, fleet = _running()
    fleet.start_followers()
    kept = {f"{CONSUMER}{number}" for number in range(count)}
    there = {name for name in followers_there() if name.startswith(CONSUMER)}
    fleet.stop_followers(there - kept)


def drain_node(name: str, tell: Callable[[Moved], None]) -> tuple[list[Moved], bool]:
    """Move everything away from a node; tells the moves, and whether Ray has ended it by then.

    Raises
    ------
    Failure
        There is no such node, or no room for what it holds on the others.
    """
    with _alone():
        node = node_named(name)
        if node.head:
            fail(f"node {node.name} is the head, which holds the cluster together: it cannot go")
        assignment, fleet = _running()
        drain(node, "drained by `heartline cluster drain`")
        leaving = [number for number, actor in shards_there().items() if _on(node, actor.node_id)]
        there = sorted(set(shards_there()) | set(assignment.shards))
        stay = [number for number in there if number not in leaving]
        stay += _free(there, len(leaving))
        fleet.start_shards(stay)
        made = asyncio.run(Mover(assignment, fleet.shard).settle_on(stay, tell))
        fleet.stop_shards(leaving)
        movers = [each.name for each in followers_there().values() if _on(node, each.node_id)]
        fleet.replace_followers(movers)
        return made, _empty(node)


def stop(settings: Settings) -> int:
    """Stop applications, followers, then shards, which write out and commit; tells how many actors."""
    with _alone():
        stop_applications()
        generation = Generation(0, settings.partitions)  # nothing is built of it
        fleet, shards, followers = Fleet(settings, generation), shards_there(), followers_there()
        fleet.stop_followers(followers)
        fleet.stop_shards(sorted(shards))
        delete_assignment()
        return len(shards) + len(followers)


async def _generation(settings: Settings, *, running: bool) -> Generation:
    if not running and not applications_run():
        return await settled(settings)
    async with wiring.log_of(settings) as log:
        newest = await log.generation()
    if newest.partitions != settings.partitions:
        fail(
            f"{variable('partitions')}={settings.partitions}: what runs has {newest.partitions};"
            " stop it first, applications too (`heartline cluster stop`)"
        )
    return newest if running else await settled(settings)


def _running() -> tuple[Assignment, Fleet]:
    """Tell what runs; what is started now gets the settings of what was."""
    assignment, settings = take_assignment(), kept_settings()
    if assignment is None or settings is None:
        fail("nothing runs on this cluster: `heartline cluster start` first")

    async def newest() -> Generation:
        async with wiring.log_of(settings) as log:
            return await log.generation()

    return assignment, Fleet(settings, asyncio.run(newest()))


def _empty(node: Node) -> bool:
    """Wait until nothing is left on *node*; whether Ray has ended it by then."""
    end_s = time.monotonic() + DRAIN_S
    while left := [actor for actor in actors() if _on(node, actor.node_id) and actor.name != MUTEX]:
        if time.monotonic() > end_s:
            names = ", ".join(sorted(actor.name or actor.kind for actor in left))
            fail(f"node {node.name} still has {names} after {DRAIN_S:.0f} s")
        time.sleep(LOOK_S)
    end_s = time.monotonic() + GO_S
    while there := node.node_id in {each.node_id for each in nodes()}:
        if time.monotonic() > end_s:
            break
        time.sleep(LOOK_S)
    return not there


def _on(node: Node, node_id: str) -> bool:
    return node.node_id == node_id


def _free(taken: list[int], count: int) -> list[int]:
    """Tell the *count* smallest numbers that are not taken."""
    numbers = (number for number in range(len(taken) + max(count, 0)) if number not in taken)
    return [next(numbers) for _ in range(max(count, 0))]


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the name that only one command of the cluster can have; it goes with our process."""
    try:
        held: Any = (
            ray.remote(_Mutex)
            .options(name=MUTEX, namespace=NAMESPACE, num_cpus=0, scheduling_strategy=_head())
            .remote()
        )
        ray.get(held.hold.remote())
    except ValueError:
        fail("another `heartline cluster` command is at work: try again when it is done")
    try:
        yield
    finally:
        ray.kill(held)


def _head() -> NodeAffinitySchedulingStrategy:
    """Keep off the nodes that may be drained."""
    return NodeAffinitySchedulingStrategy(nodes()[0].node_id, soft=False)


class _Mutex:
    """An actor that is there."""

    def hold(self) -> None:
        """Answer."""
