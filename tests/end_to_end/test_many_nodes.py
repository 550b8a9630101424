"""A cluster of several Ray nodes: they come and go, freeze and die, while heartbeats flow."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from heartline.commands.cluster import CONFIG
from heartline.nodes.fleet import CONSUMER
from tests.end_to_end.many_nodes import WINDOW_MS, Flow, Nodes, ray_nodes

pytestmark = [
    pytest.mark.beside,
    pytest.mark.cluster,
    pytest.mark.end_to_end,
    pytest.mark.servers,
    pytest.mark.timeout(420),
]
RECOVERY_S = 120.0


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


@pytest.fixture
def applications(tmp_path: Path) -> Path:
    """What `serve/config.yaml` says, with half a core for one replica of the main application."""
    document = yaml.safe_load(CONFIG.read_text())
    main = next(each for each in document["applications"] if each["name"] == "main")
    options = {"name": "main", "num_replicas": 1, "ray_actor_options": {"num_cpus": 0.5}}
    path = tmp_path / "applications.yaml"
    path.write_text(
        yaml.safe_dump({**document, "applications": [{**main, "deployments": [options]}]})
    )
    return path


def where_shards_are(nodes: Nodes) -> set[str]:
    return {shard["node"] for shard in nodes.heartline("cluster", "status")["shards"]}


def test_nodes_come_go_freeze_and_die_and_everything_is_counted_once(
    nodes: Nodes, flow: Flow, applications: Path
) -> None:
    first = nodes.add()
    start = ("cluster", "start", "--one-machine", "--applications", str(applications))
    assert nodes.heartline(*start)["shards"] == [0, 1]
    assert nodes.heartline(*start)["started"] == 0
    assert httpx.get(f"{nodes.url}/healthz").status_code == 200
    flow.start()

    second = nodes.add()
    grown = nodes.heartline("cluster", "scale", "3", "--consumers", "2")
    assert grown["moved"] == 2
    assert where_shards_are(nodes) == {first[:8], second[:8]}

    drained = nodes.heartline("cluster", "drain", first)
    assert (drained["moved"] > 0, drained["gone"]) == (True, True)
    assert where_shards_are(nodes) == {second[:8]}
    assert httpx.get(f"{nodes.url}/readyz").json()["checks"]["shards"] == "ok"

    third = nodes.add()
    nodes.freeze(second)
    frozen_s = flow.seconds_until_durable(RECOVERY_S)
    assert where_shards_are(nodes) == {third[:8]}
    nodes.wake(second)  # its shards and consumers go on as if they were the only ones

    shrunk = nodes.heartline("cluster", "scale", "2", "--consumers", "1")
    there = nodes.heartline("cluster", "status")
    assert (shrunk["moved"] > 0, len(there["shards"])) == (True, 2)
    assert sum(each["follower"].startswith(CONSUMER) for each in there["followers"]) == 1

    fourth = nodes.add()
    nodes.kill(third)
    recovery_s = flow.seconds_until_durable(RECOVERY_S)
    assert where_shards_are(nodes) == {fourth[:8]}

    flow.finish()
    flow.seconds_until_durable(RECOVERY_S)
    nodes.heartline("cluster", "stop")

    assert nodes.heartline("recount")["differences"] == []
    seconds = grown["seconds"] + drained["seconds"] + shrunk["seconds"]
    print(  # noqa: T201
        f"moves: {seconds} s; until lag zero: a node frozen {frozen_s:.1f} s, dead {recovery_s:.1f} s"
    )
    assert max(seconds) < WINDOW_MS / 1_000
