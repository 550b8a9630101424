"""What a cluster refuses to start without, each with the setting's name and what it wants."""

from dataclasses import replace
from pathlib import Path

import pytest

from heartline.nodes.ray_cluster import Node
from heartline.nodes.requirements import check, differences
from heartline.settings import BadSettings, Settings
from tests.heartline.nodes.places import node

WHOLE = Settings(
    Path("/data"),
    log="kafka://kafka:9092",
    store="scylla://scylla/heartline",
    presence="redis://redis:6379/0",
    search="opensearch://search",
    objects="s3://bucket/warehouse",
    secrets="/run/secrets",
)
NODES: list[Node] = [node("a"), node("b")]


def problems(settings: Settings, *, one_machine: bool = False) -> tuple[str, ...]:
    with pytest.raises(BadSettings) as refused:
        check(settings, NODES, one_machine=one_machine)
    return refused.value.problems


def test_servers_and_a_key_are_enough() -> None:
    check(WHOLE, NODES, one_machine=False)


@pytest.mark.parametrize(
    ("name", "wants"),
    [
        ("log", "kafka://"),
        ("store", "scylla://"),
        ("presence", "redis://"),
        ("search", "opensearch://"),
        ("objects", "HEARTLINE_ARCHIVE=no"),
        ("secrets", "signing key"),
    ],
)
def test_what_is_missing_is_named(name: str, wants: str) -> None:
    (problem,) = problems(Settings.of_plain({**WHOLE.plain(), name: ""}))

    assert problem.startswith(f"HEARTLINE_{name.upper()}: ")
    assert wants in problem


def test_everything_that_is_missing_is_told_at_once() -> None:
    assert len(problems(Settings(Path("/data")))) == 6


def test_a_cluster_without_a_warehouse_wants_no_bucket() -> None:
    check(replace(WHOLE, objects="", archive=False), NODES, one_machine=False)


def test_nodes_of_one_machine_share_its_files() -> None:
    check(Settings(Path("/data")), NODES, one_machine=True)


def test_nodes_of_several_machines_do_not() -> None:
    settings = Settings(Path("/data"))

    with pytest.raises(BadSettings, match="elsewhere, here, which share no files"):
        check(settings, [*NODES, node("c", host="elsewhere")], one_machine=True)


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (("1", "key"), []),
        (("0", "key"), ["node a has heartline 0, this one 1"]),
        (("1", ""), ["node a has no signing key where HEARTLINE_SECRETS says"]),
        (("1", "k"), ["node a has another signing key where HEARTLINE_SECRETS says"]),
    ],
)
def test_a_node_that_differs_is_named(theirs: tuple[str, str], said: list[str]) -> None:
    assert list(differences("a", theirs, ("1", "key"))) == said
