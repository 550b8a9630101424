"""Closing the one port that Ray Serve has no setting for."""

from functools import wraps
from typing import Any

EVERYWHERE, LOOPBACK = "[::]:0", "127.0.0.1:0"


def bind_replicas_to_loopback() -> None:
    """Have this replica's internal gRPC server listen on loopback. Called before it starts.

    Ray Serve 2.60 hard-codes ``[::]:0`` there, and what that port receives is unpickled: whoever
    reaches it runs code. If a later version has no such function, nothing is changed.
    """
    from ray.serve._private import replica

    original = getattr(replica, "add_port_to_grpc_server", None)
    if original is None or hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def on_loopback(server: Any, address: str) -> int:
        return int(original(server, LOOPBACK if address == EVERYWHERE else address))

    setattr(replica, "add_port_to_grpc_server", on_loopback)  # noqa: B010
