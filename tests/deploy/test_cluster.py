"""`cluster.yaml`: what Ray's launcher reads, and the same start on every node."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from heartline.command_parser import parser

ROOT = Path(__file__).resolve().parents[2]
CLUSTER: dict[str, Any] = yaml.safe_load((ROOT / "cluster.yaml").read_text())
(NODE,) = prepare_config(CLUSTER)["available_node_types"].values()
STARTS = ("head_start_ray_commands", "worker_start_ray_commands")


def test_ray_takes_the_file() -> None:
    validate_config(prepare_config(CLUSTER))


def test_workers_come_and_go_with_what_is_wanted() -> None:
    assert 0 < NODE["min_workers"] < NODE["max_workers"]
    assert NODE["max_workers"] == len(CLUSTER["provider"]["worker_ips"])


@pytest.mark.parametrize("commands", STARTS)
def test_every_node_starts_with_the_environment_that_we_print(commands: str) -> None:
    stop, start = CLUSTER[commands]

    (ours,) = re.findall(r"bin/heartline ([a-z ]+)\)", start)
    assert parser().parse_args(ours.split()).work == "environment"
    assert "RAY_AUTH_TOKEN_PATH=" in start
    assert stop.endswith("ray stop")


def test_the_head_holds_nothing_of_ours() -> None:
    assert "--num-cpus=0" in CLUSTER["head_start_ray_commands"][1]


def test_machines_make_their_own_environment_and_get_no_data() -> None:
    assert {".venv", "data", ".git"} <= set(CLUSTER["rsync_exclude"])
    assert CLUSTER["file_mounts"]["~/heartline"] == "."
    assert [command.split()[0] for command in CLUSTER["setup_commands"]] == ["make"]
