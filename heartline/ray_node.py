"""Ray's node as one machine wants it: without processes that nobody asks, on ports of its own."""

import os
from pathlib import Path
from typing import Any

from heartline.nursery import STUB
from heartline.nursery_stub import WORKER

IDLE_PROCESSES = (
    "start_monitor",  # the autoscaler: one machine does not grow
    "start_log_monitor",  # sends what workers print to the driver, which does not listen
    "start_api_server",  # the dashboard's server; without a dashboard it starts all the same
)


def start_only_what_is_needed() -> None:
    """Have `ray.init` leave out `IDLE_PROCESSES`. Called before it.

    Ray 2.60 has no setting for that through `ray.init`. They take 280 MB and 2.4 s of a core at each
    start, and `ray.init` waits for the last one. What a later version does not have, it may start.
    """
    from ray._private.node import Node

    for name in IDLE_PROCESSES:
        if hasattr(Node, name):
            setattr(Node, name, _nothing)


def take_a_free_agent_port() -> None:
    """Have the dashboard's agent listen where nobody does: on its usual port there is room for one.

    Ray 2.60 has no setting for that through `ray.init`; its own tests do the same.
    """
    from ray._private.node import Node

    usual = Node.__init__

    def begin(self: Any, ray_params: Any, *given: Any, **named: Any) -> None:
        ray_params.dashboard_agent_listen_port = None
        usual(self, ray_params, *given, **named)

    setattr(Node, "__init__", begin)  # noqa: B010  (mypy wants no other method there)


def fork_workers() -> None:
    """Have the raylet start the stub of `heartline.nursery` wherever it would start a worker."""
    from ray._private import node

    usual = node.Node.__init__
    os.environ[WORKER] = str(Path(node.__file__).with_name("workers") / "default_worker.py")

    def begin(self: Any, ray_params: Any, *given: Any, **named: Any) -> None:
        ray_params.worker_path = str(STUB)
        usual(self, ray_params, *given, **named)

    setattr(node.Node, "__init__", begin)  # noqa: B010


def _nothing(*_: object, **__: object) -> None:
    pass
