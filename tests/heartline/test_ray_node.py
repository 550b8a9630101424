import os
from pathlib import Path
from typing import Any

import pytest
from ray._private.node import Node
from ray._private.parameter import RayParams

from heartline.nursery import STUB
from heartline.nursery_stub import WORKER
from heartline.ray_node import (
    IDLE_PROCESSES,
    fork_workers,
    start_only_what_is_needed,
    take_a_free_agent_port,
)


def test_ray_knows_the_processes_that_we_leave_out() -> None:
    assert [name for name in IDLE_PROCESSES if not hasattr(Node, name)] == []


def test_they_are_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in IDLE_PROCESSES:
        monkeypatch.setattr(Node, name, getattr(Node, name))  # back to this afterwards

    start_only_what_is_needed()

    node = Node.__new__(Node)
    assert [getattr(node, name)() for name in IDLE_PROCESSES] == [None, None, None]


def test_what_a_later_ray_does_not_have_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in IDLE_PROCESSES:
        monkeypatch.delattr(Node, name)

    start_only_what_is_needed()

    assert [name for name in IDLE_PROCESSES if hasattr(Node, name)] == []


def test_two_on_one_machine_do_not_want_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []

    def begin(_self: Node, ray_params: RayParams, *, head: bool) -> None:
        begun.extend((ray_params.dashboard_agent_listen_port, head))

    monkeypatch.setattr(Node, "__init__", begin)
    assert RayParams().dashboard_agent_listen_port

    take_a_free_agent_port()
    Node(RayParams(), head=True)

    assert begun == [None, True]  # None: any that is free


def test_the_raylet_starts_stubs_and_these_know_rays_own_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[Any] = []

    def begin(_self: Node, ray_params: RayParams, *, head: bool) -> None:
        begun.extend((ray_params.worker_path, head))

    monkeypatch.setattr(Node, "__init__", begin)
    monkeypatch.setenv(WORKER, "")

    fork_workers()
    Node(RayParams(), head=True)

    assert begun == [str(STUB), True]
    assert "worker.main_loop()" in Path(os.environ[WORKER]).read_text()
