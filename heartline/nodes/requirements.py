"""What a cluster wants: nodes share no files, so servers, and the same key and code on each of them."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from heartline import wiring
from heartline.addresses import KAFKA_WANTS, OPENSEARCH_WANTS, REDIS_WANTS, S3_WANTS, SCYLLA_WANTS
from heartline.keys import SIGNING_KEY, signing_key
from heartline.nodes.ray_cluster import Node
from heartline.settings import BadSettings, Settings, variable
from heartline.terminal import fail

ANSWER_S = 60.0
Seen: TypeAlias = tuple[str, str]  # a release, the fingerprint of a key or ""

SHARED = {
    "log": KAFKA_WANTS,
    "store": SCYLLA_WANTS,
    "presence": REDIS_WANTS,
    "search": OPENSEARCH_WANTS,
}


def check(settings: Settings, nodes: Sequence[Node], *, one_machine: bool) -> None:
    """See that every node finds the same log, rows, presence, search index and keys.

    Raises
    ------
    BadSettings
        With every problem, not only the first.
    """
    problems = tuple(_of_one_machine(nodes) if one_machine else _of_many(settings))
    if problems:
        raise BadSettings(problems)


def check_nodes(settings: Settings, nodes: Sequence[Node]) -> None:
    """See that every node has our release and the signing key that we have.

    Raises
    ------
    Failure
        One has not.
    """
    ours = wiring.release(), fingerprint(signing_key(settings.data, settings.secrets))
    asked = {node.name: _ask(node, settings.secrets) for node in nodes}
    told = {name: ray.get(call, timeout=ANSWER_S) for name, call in asked.items()}
    if wrong := [problem for name in told for problem in differences(name, told[name], ours)]:
        fail("; ".join(wrong))


def differences(name: str, theirs: Seen, ours: Seen) -> Iterable[str]:
    """Tell what a node has otherwise than we."""
    if theirs[0] != ours[0]:
        yield f"node {name} has heartline {theirs[0]}, this one {ours[0]}"
    if theirs[1] != ours[1]:
        what = "another signing key" if theirs[1] else "no signing key"
        yield f"node {name} has {what} where {variable('secrets')} says"


def fingerprint(key: bytes) -> str:
    """Tell keys apart without telling them."""
    return sha256(key).hexdigest()


def _ask(node: Node, secrets: str) -> Any:
    def look() -> Seen:
        path = Path(secrets) / SIGNING_KEY
        return wiring.release(), fingerprint(path.read_bytes()) if path.is_file() else ""

    there = NodeAffinitySchedulingStrategy(node.node_id, soft=False)
    return ray.remote(look).options(num_cpus=0, scheduling_strategy=there).remote()


def _of_one_machine(nodes: Sequence[Node]) -> Iterable[str]:
    hosts = sorted({node.host for node in nodes})
    if len(hosts) > 1:
        yield f"--one-machine: the nodes are on {', '.join(hosts)}, which share no files"


def _of_many(settings: Settings) -> Iterable[str]:
    given = settings.plain()
    for name, shape in SHARED.items():
        if not given.get(name):
            yield f"{variable(name)}: a cluster wants {shape}, since its nodes share no files"
    if settings.archive and not settings.objects:
        yield (
            f"{variable('objects')}: a cluster wants {S3_WANTS} for its warehouse,"
            f" or {variable('archive')}=no"
        )
    if not given.get("secrets"):
        yield (
            f"{variable('secrets')}: a cluster refuses to start without: it wants a directory that"
            " every node has, with the signing key in it"
        )
