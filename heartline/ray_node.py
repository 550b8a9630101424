"""Ray's node without the processes that nobody asks on one machine."""

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


def _nothing(*_: object, **__: object) -> None:
    pass
