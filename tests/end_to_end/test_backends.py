import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from heartline import processes
from tests.end_to_end.chaos import backends as module
from tests.end_to_end.chaos.backends import backends
from tests.servers.cable import Cable
from tests.servers.place import Place
from tests.servers.ports import free_ports
from tests.servers.running import Failed


class Broken(Cable):
    def command(self, place: Place) -> list[str]:
        return ["ls", f"{place.home}/not-there"]


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def running_in(folder: Path) -> list[str]:
    commands = (processes.command(pid) for pid in processes.parents())
    return [command for command in commands if str(folder) in command]


def test_what_runs_is_stopped_when_another_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = free_ports(2)
    servers = Cable("well", first, second), Broken("broken", second, first)
    monkeypatch.setattr(module, "SERVERS", servers)

    with pytest.raises(Failed, match="broken ended at its start"), backends(tmp_path):
        pass

    assert running_in(tmp_path) == []


def test_a_cable_whose_port_is_taken_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    port, target = free_ports(2)
    monkeypatch.setattr(module, "SERVERS", (Cable("server", port, target),))
    monkeypatch.setattr(module, "free_ports", lambda *_: [taken])

    with (
        pytest.raises(Failed, match=f"told port {taken} of server-cable; it is taken"),
        backends(tmp_path, cables=True),
    ):
        pass

    assert running_in(tmp_path) == []
