"""A cluster of several Ray nodes: they come, are drained and are killed while heartbeats flow."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.many_nodes import WINDOW_MS, Flow, Nodes, ray_nodes

pytestmark = [
    pytest.mark.beside,
    pytest.mark.cluster,
    pytest.mark.end_to_end,
    pytest.mark.servers,
    pytest.mark.timeout(300),
]
RECOVERY_S = 60.0


@pytest.fixture
def flow(kafka: str, tmp_path: Path) -> Iterator[Flow]:
    made = Flow(kafka.removeprefix("kafka://"), f"nodes-{tmp_path.parent.name}")
    yield made
    if made.is_alive():
        made.finish()


@pytest.fixture
def nodes(kafka: str, flow: Flow, tmp_path: Path) -> Iterator[Nodes]:
    with ray_nodes(tmp_path / "data", f"{kafka}/{flow._topic}") as made:
        yield made


def where_shards_are(nodes: Nodes) -> set[str]:
    return {shard["node"] for shard in nodes.heartline("cluster", "status")["shards"]}


def test_nodes_come_are_drained_and_are_killed_and_everything_is_counted_once(
    nodes: Nodes, flow: Flow
) -> None:
    first = nodes.add()
    assert nodes.heartline("cluster", "start", "--one-machine")["shards"] == [0, 1]
    assert nodes.heartline("cluster", "start", "--one-machine")["started"] == 0
    flow.start()

    second = nodes.add()
    grown = nodes.heartline("cluster", "scale", "3")
    assert grown["moved"] == 2
    assert where_shards_are(nodes) == {first[:8], second[:8]}

    drained = nodes.heartline("cluster", "drain", first)
    assert drained["moved"] > 0
    assert where_shards_are(nodes) == {second[:8]}

    third = nodes.add()
    nodes.kill(second)
    recovery_s = flow.seconds_until_durable(RECOVERY_S)
    assert where_shards_are(nodes) == {third[:8]}

    flow.finish()
    flow.seconds_until_durable(RECOVERY_S)
    nodes.heartline("cluster", "stop")

    assert nodes.heartline("recount")["differences"] == []
    seconds = grown["seconds"] + drained["seconds"]
    print(f"moves: {seconds} s; a node's death to lag zero: {recovery_s:.1f} s")  # noqa: T201
    assert max(seconds) < WINDOW_MS / 1_000
