"""Holds the Ray nodes of a test in a process of its own, whose environment Ray reads when it is imported.

Each line of standard input is a command, each line of standard output its answer: ``add`` a node
(its id), ``kill`` the node of an id (nothing). At the end of the input, which is also when the test
dies, all nodes are stopped. Ray's files are below RAY_TMPDIR, also the one that tells its address.
"""

import sys
from typing import Any

from ray._private.node import Node
from ray.cluster_utils import Cluster

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
            else:
                cluster.remove_node(nodes.pop(node_id), allow_graceful=False)
                tell("")
    finally:
        cluster.shutdown()


def tell(line: str) -> None:
    """Answer."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
