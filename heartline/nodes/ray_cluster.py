"""The Ray cluster that runs: its nodes, and the actors on them."""

import logging
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray
from ray._private import services, state
from ray.core.generated import autoscaler_pb2
from ray.exceptions import RaySystemError

from actors.shard_handles import NAMESPACE
from heartline.terminal import fail

ADDRESS = "RAY_ADDRESS"
HEAD = "node:__internal_head__"
ANSWER_S = 5.0
SHORT = 8  # digits of a node's id that tell it from the others


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster, or one of several Rays on one machine."""

    node_id: str
    address: str
    host: str
    head: bool
    draining: bool
    cpus: float
    memory_bytes: int
    labels: Mapping[str, str]

    @property
    def name(self) -> str:
        """What people call it."""
        return self.node_id[:SHORT]


@dataclass(frozen=True, slots=True)
class Actor:
    """An actor that runs, or is about to."""

    name: str
    kind: str
    node_id: str  # "" while it has none
    pid: int


@contextmanager
def connected(environ: Mapping[str, str]) -> Iterator[None]:
    """Be connected to the cluster of ``RAY_ADDRESS`` for a while.

    Raises
    ------
    Failure
        There is none.
    """
    address = environ.get(ADDRESS, "")
    if not address:
        fail(f"set {ADDRESS} to the Ray cluster, as host:port; `auto` is the one on this machine")
    _see_whether_it_answers(address)
    try:
        ray.init(
            address=address,
            namespace=NAMESPACE,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (ConnectionError, RaySystemError, RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0][:200]
        fail(f"{ADDRESS}={address}: no Ray cluster that this machine is part of: {reason}")
    try:
        yield
    finally:
        ray.shutdown()


def _see_whether_it_answers(address: str) -> None:
    """Say at once what Ray would take more than a minute to find out."""
    found = services.find_bootstrap_address(None) if address == "auto" else address
    host, _, port = (found or "").rpartition(":")
    if address == "auto" and not found:
        fail(f"{ADDRESS}=auto: no Ray cluster runs on this machine")
    if not host or not port.isdigit() or "/" in host:
        fail(f"{ADDRESS}: wants host:port or auto, not {address[:80]!r}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_S).close()
    except (OSError, OverflowError) as error:
        fail(f"{ADDRESS}={address}: nothing answers at {found}: {error}")


def nodes() -> list[Node]:
    """Tell the nodes that are alive, the head first."""
    draining = _gcs().get_draining_nodes()
    table = ray.nodes()  # type: ignore[no-untyped-call]
    found = [_node(told, draining) for told in table if told["Alive"]]
    return sorted(found, key=lambda node: (not node.head, node.address, node.node_id))


def _node(told: Mapping[str, Any], draining: Mapping[str, int]) -> Node:
    return Node(
        node_id=told["NodeID"],
        address=told["NodeManagerAddress"],
        host=told["NodeManagerHostname"],
        head=HEAD in told["Resources"],
        draining=told["NodeID"] in draining,
        cpus=told["Resources"].get("CPU", 0.0),
        memory_bytes=int(told["Resources"].get("memory", 0)),
        labels=told["Labels"],
    )


def node_named(name: str) -> Node:
    """Find the node of that id (its first digits will do), address or host name.

    Raises
    ------
    Failure
        There is none, or more than one.
    """
    known = nodes()
    found = [
        node for node in known if node.node_id.startswith(name) or name in {node.address, node.host}
    ]
    if len(found) != 1:
        there = ", ".join(f"{node.name} ({node.address})" for node in known)
        fail(f"{len(found) or 'no'} nodes are called {name!r}; there are {there}")
    return found[0]


def actors() -> list[Actor]:
    """Tell all actors that are alive or being started."""
    return [
        Actor(
            name=told["Name"],
            kind=told["ActorClassName"],
            node_id=told["Address"]["NodeID"] if told["State"] == "ALIVE" else "",
            pid=told["Pid"],
        )
        for told in state.actors().values()
        if told["State"] != "DEAD"
    ]


def drain(node: Node, why: str) -> None:
    """Have nothing new come to *node*; when its last actor has left, Ray ends it there.

    Raises
    ------
    Failure
        Ray does not want to.
    """
    reasons: Any = autoscaler_pb2
    reason = reasons.DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")  # is never declined
    accepted, why_not = _gcs().drain_node(node.node_id, reason, why, 0)
    if not accepted:
        fail(f"Ray does not drain node {node.name}: {why_not}")


def _gcs() -> Any:
    worker: Any = ray._private.worker.global_worker  # noqa: SLF001  (no public way to drain)
    return worker.gcs_client
