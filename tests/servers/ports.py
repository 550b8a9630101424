"""Ports that nobody listens on."""

import random
import socket
from collections.abc import Iterator, Sequence
from itertools import chain

# Below what Linux hands out to connections by itself, and above the ports of Ray's workers.
RANGE = range(20_000, 30_000)


def free_ports(count: int, wanted: Sequence[int] = ()) -> list[int]:
    """Find *count* free ports on loopback: those *wanted* as far as they are free, then any."""
    found: list[int] = []
    for port in chain(wanted, _any()):
        if len(found) == count:
            break
        if port not in found and _is_free(port):
            found.append(port)
    return found


def _any() -> Iterator[int]:
    return iter(random.sample(RANGE, len(RANGE)))


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        # A port whose last connections linger is free: servers set this option as well.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
