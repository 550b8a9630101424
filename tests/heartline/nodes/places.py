"""Nodes for tests, each named by a hexadecimal digit."""

from collections.abc import Mapping

from heartline.nodes.ray_cluster import Node

NODE_ID = 56  # digits


def node(
    digit: str,
    *,
    host: str = "here",
    cpus: float = 4.0,
    draining: bool = False,
    labels: Mapping[str, str] | None = None,
) -> Node:
    return Node(
        node_id=digit * NODE_ID,
        address="127.0.0.1",
        host=host,
        head=False,
        draining=draining,
        cpus=cpus,
        memory_bytes=1 << 30,
        labels=labels or {},
    )
