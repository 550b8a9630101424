import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.cable import Cable
from tests.servers.fleet import PROGRAMS
from tests.servers.ports import free_ports
from tests.servers.running import Running, launch, stop, wait_until_ready

PATIENCE_S = 10.0
MOMENT_S = 0.2


@pytest.fixture
def target() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE_S)
        yield listening


@pytest.fixture
def cable(target: socket.socket, tmp_path: Path) -> Iterator[Running]:
    (port,) = free_ports(1)
    made = Cable("cable", port, target.getsockname()[1])
    running = launch(made, tmp_path / made.name, PROGRAMS, usual_ports=True, with_us=True)
    try:
        wait_until_ready(running)
        target.accept()[0].close()  # of whoever asked whether it is ready
        yield running
    finally:
        if running.lives:
            os.kill(running.pid, signal.SIGCONT)
        stop(running)


@pytest.fixture
def ends(target: socket.socket, cable: Running) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A client, and the server's end of its connection."""
    with socket.create_connection(("127.0.0.1", cable.place.port), PATIENCE_S) as client:
        server, _ = target.accept()
        with server:
            server.settimeout(PATIENCE_S)
            yield client, server


def test_it_carries_both_ways(ends: tuple[socket.socket, socket.socket]) -> None:
    client, server = ends

    client.sendall(b"question")
    assert server.recv(100) == b"question"
    server.sendall(b"answer")
    assert client.recv(100) == b"answer"
    server.close()
    assert client.recv(100) == b""


def test_frozen_it_carries_nothing_and_woken_it_carries_on(
    cable: Running, ends: tuple[socket.socket, socket.socket]
) -> None:
    client, server = ends

    os.kill(cable.pid, signal.SIGSTOP)
    client.sendall(b"late")
    server.settimeout(MOMENT_S)
    with pytest.raises(TimeoutError):
        server.recv(100)
    os.kill(cable.pid, signal.SIGCONT)
    server.settimeout(PATIENCE_S)

    assert server.recv(100) == b"late"


def test_killed_it_loses_every_connection(
    cable: Running, ends: tuple[socket.socket, socket.socket]
) -> None:
    client, server = ends

    os.kill(cable.pid, signal.SIGKILL)

    for end in (client, server):
        assert end.recv(100) == b""


def test_where_nobody_listens_connections_end(target: socket.socket, cable: Running) -> None:
    target.close()

    with socket.create_connection(("127.0.0.1", cable.place.port), PATIENCE_S) as client:
        assert client.recv(100) == b""
