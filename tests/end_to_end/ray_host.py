"""Holds the Ray nodes of a test in a process of its own, whose environment Ray reads when it is imported.

Each line of standard input is a command, each line of standard output its answer: ``add`` a node
(its id); ``freeze``, ``wake`` or ``kill`` the node of an id (nothing). At the end of the input, which is also when the test
dies, all nodes are stopped. Ray's files are below RAY_TMPDIR, also the one that tells its address.
"""

import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from typing import Any

from ray._private.node import Node
from ray.cluster_utils import Cluster

from heartline.processes import descendants
from heartline.ray_node import start_only_what_is_needed

CPUS = 6
STORE_BYTES = 80 << 20  # the least that Ray takes


def main() -> None:
    """Start a head that holds nothing of ours; tell its address, and obey."""
    start_only_what_is_needed()
    cluster: Any = Cluster()
    nodes: dict[str, Node] = {}
    try:
        cluster.add_node(num_cpus=0, include_dashboard=False, object_store_memory=STORE_BYTES)
        tell(str(cluster.address))
        for line in sys.stdin:
            command, _, node_id = line.strip().partition(" ")
            if command == "add":
                node = cluster.add_node(num_cpus=CPUS, object_store_memory=STORE_BYTES)
                nodes[node.node_id] = node
                tell(node.node_id)
            elif command == "kill":
                cluster.remove_node(nodes.pop(node_id), allow_graceful=False)
                tell("")
            else:
                SIGNALS[command](nodes[node_id])
                tell("")
    finally:
        cluster.shutdown()


def freeze(node: Node) -> None:
    """Stop all processes of a node where they stand."""
    _signal((*(raylets := _begun(node)), *_workers(raylets)), signal.SIGSTOP)


def wake(node: Node) -> None:
    """Let them go on, workers first: they have not heard that others took their place."""
    _signal((*_workers(raylets := _begun(node)), *raylets), signal.SIGCONT)


SIGNALS = {"freeze": freeze, "wake": wake}


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.kill(pid, number)


def _begun(node: Node) -> list[int]:
    return [info.process.pid for infos in node.all_processes.values() for info in infos]


def _workers(raylets: Iterable[int]) -> set[int]:
    return set(chain.from_iterable(map(descendants, raylets)))


def tell(line: str) -> None:
    """Answer."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
