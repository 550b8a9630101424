"""How a cluster is: nodes, shards with what they hold, followers, as one document and as a picture."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import ray
from ray.exceptions import RayError
from rich.console import Group, RenderableType
from rich.table import Table

from actors.ray_assignment import take_assignment
from actors.shard_handles import NAMESPACE, FoundShards
from domain.errors import Unavailable
from heartline import wiring
from heartline.nodes.fleet import followers_there, shards_there
from heartline.nodes.ray_cluster import SHORT, Actor, Node, actors, nodes
from heartline.settings import Settings
from heartline.status import status_of

ANSWER_S = 2.0
MIB = 1 << 20


def report(settings: Settings) -> dict[str, Any]:
    """Observe the cluster, writing nothing."""
    every, there = nodes(), actors()
    assignment = take_assignment()
    shards = shards_there(there)
    numbers = sorted(set(shards) | set(assignment.shards if assignment else ()))
    told = asyncio.run(_asked(settings, numbers)) if assignment else {"shards": []}
    for shard in told["shards"]:
        actor = shards.get(shard["shard"])
        shard["node"] = actor.node_id[:SHORT] if actor else ""
        shard["owns"] = len(assignment.owned_by(shard["shard"])) if assignment else 0
    return {
        **told,
        "running": assignment is not None,
        "version": assignment.version if assignment else 0,
        "nodes": [_of_node(node, there) for node in every],
        "followers": [_of_follower(each) for each in followers_there(there).values()],
    }


async def _asked(settings: Settings, numbers: Sequence[int]) -> dict[str, Any]:
    find = FoundShards()
    async with wiring.store(settings) as tables, wiring.log_of(settings) as log:
        told = await status_of(
            log,
            wiring.listening(tables, settings),
            await log.generation(),
            {number: find(number) for number in numbers},
            now_ms=wiring.now_ms,
            stale_ms=settings.stale_limit_ms,
        )
    for shard in told["shards"]:
        shard["memory_bytes"] = await _memory(find, shard["shard"]) if shard["alive"] else 0
    return told


async def _memory(find: FoundShards, number: int) -> int:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await find(number).resident_bytes()
    except (Unavailable, TimeoutError):
        return 0


def _of_node(node: Node, there: Sequence[Actor]) -> dict[str, Any]:
    return {
        "node": node.name,
        "address": node.address,
        "host": node.host,
        "head": node.head,
        "draining": node.draining,
        "cpus": node.cpus,
        "memory_bytes": node.memory_bytes,
        "actors": sum(actor.node_id == node.node_id for actor in there),
    }


def _of_follower(actor: Actor) -> dict[str, Any]:
    try:
        handle: Any = ray.get_actor(actor.name, NAMESPACE)
        trouble = str(ray.get(handle.trouble.remote(), timeout=ANSWER_S))
    except (RayError, ValueError):
        trouble = "no answer"
    return {"follower": actor.name, "node": actor.node_id[:SHORT], "trouble": trouble}


def picture(told: Mapping[str, Any]) -> RenderableType:
    """Draw the report for a terminal."""
    lines: list[RenderableType] = [_nodes(told["nodes"])]
    if told["running"]:
        lines += ["", _shards(told["shards"]), "", _followers(told["followers"]), "", _sums(told)]
    else:
        lines += ["", "nothing runs: `heartline cluster start`"]
    return Group(*lines)


def _nodes(nodes: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("node", "address", "host", "", "cpus", "memory", "actors")
    for node in nodes:
        state = "head" if node["head"] else "draining" if node["draining"] else ""
        table.add_row(
            node["node"],
            node["address"],
            node["host"],
            state,
            f"{node['cpus']:g}",
            _mib(node["memory_bytes"]),
            str(node["actors"]),
        )
    return table


def _shards(shards: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("shard", "node", "", "owns", "holds", "listeners", "rows waiting", "memory")
    for shard in shards:
        table.add_row(
            str(shard["shard"]),
            shard["node"],
            "alive" if shard["alive"] else "[red]no answer[/red]",
            str(shard["owns"]),
            str(len(shard["partitions"])),
            str(shard["listeners"]),
            str(shard["rows_waiting"]),
            _mib(shard["memory_bytes"]),
        )
    return table


def _followers(followers: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("follower", "node", "")
    for each in followers:
        table.add_row(each["follower"], each["node"], f"[red]{each['trouble']}[/red]")
    return table


def _sums(told: Mapping[str, Any]) -> str:
    return (
        f"{len(told['partitions'])} partitions, {told['lag']} records to be applied,"
        f" {told['rows_waiting']} rows to be written;"
        f" readers see everything but the last {told['staleness_ms'] / 1000:.1f} s"
    )


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column)
    return table


def _mib(size: int) -> str:
    return f"{size / MIB:.0f} MiB"
