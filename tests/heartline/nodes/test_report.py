"""The picture of a cluster: what runs, and what does not."""

from io import StringIO
from typing import Any

from rich.console import Console

from heartline.nodes.report import picture

NODE = {
    "node": "0123abcd",
    "address": "192.0.2.1",
    "host": "one",
    "head": False,
    "draining": True,
    "cpus": 4.0,
    "memory_bytes": 2 << 30,
    "actors": 3,
}
SHARD = {
    "shard": 2,
    "node": "0123abcd",
    "alive": False,
    "owns": 4,
    "partitions": [1, 3],
    "listeners": 7,
    "rows_waiting": 9,
    "memory_bytes": 300 << 20,
}
RUNNING = {
    "running": True,
    "nodes": [NODE],
    "shards": [SHARD],
    "followers": [{"follower": "consumer-0", "node": "0123abcd", "trouble": "the broker is away"}],
    "partitions": [{}] * 8,
    "lag": 5,
    "rows_waiting": 9,
    "staleness_ms": 1_500,
}


def drawn(told: dict[str, Any]) -> str:
    console = Console(width=200, file=StringIO())
    with console.capture() as capture:
        console.print(picture(told))
    return capture.get()


def test_nodes_shards_and_followers_are_shown_with_their_troubles() -> None:
    shown = drawn(RUNNING)

    assert "draining" in shown
    assert "no answer" in shown
    assert "300 MiB" in shown
    assert "the broker is away" in shown
    assert "8 partitions, 5 records to be applied" in shown


def test_a_cluster_on_which_nothing_runs_says_so() -> None:
    shown = drawn({**RUNNING, "running": False, "shards": [], "followers": []})

    assert "192.0.2.1" in shown
    assert "nothing runs: `heartline cluster start`" in shown
