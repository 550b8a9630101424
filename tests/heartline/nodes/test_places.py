"""An actor begins where fewest of its kind are, and where it may."""

from typing import Any

from heartline.nodes.places import Places
from heartline.nodes.ray_cluster import Actor, Node
from tests.heartline.nodes.places import NODE_ID, node


def shard(number: int, digit: str) -> Actor:
    return Actor(f"shard-{number}", "_Shard", digit * NODE_ID, 1)


def where(nodes: list[Node], count: int, *beside: Actor) -> list[str]:
    places = Places(nodes, 1.0, beside)
    return [chosen(places.next()) for _ in range(count)]


def chosen(options: dict[str, Any]) -> str:
    strategy = options["scheduling_strategy"]
    assert strategy.soft  # it begins elsewhere when its node is gone
    return str(strategy.node_id)[0]


def test_a_new_node_gets_the_next_ones() -> None:
    there = [shard(0, "a"), shard(1, "a"), shard(2, "b")]

    assert where([node("a"), node("b"), node("c")], 3, *there) == ["c", "b", "c"]


def test_a_node_that_is_drained_or_too_small_gets_none() -> None:
    nodes = [node("a", draining=True), node("b", cpus=0.5), node("c")]

    assert where(nodes, 2) == ["c", "c"]


def test_where_nodes_are_labelled_only_those_are_taken() -> None:
    nodes = [node("a"), node("b", labels={"heartline-state": "yes"})]

    options = Places(nodes, 1.0, []).next()

    assert options["label_selector"] == {"heartline-state": "yes"}
    assert options["num_cpus"] == 1.0


def test_without_any_node_ray_decides_when_one_comes() -> None:
    assert Places([], 1.0, []).next() == {"num_cpus": 1.0}
