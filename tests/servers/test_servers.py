import os
import re
import signal
import subprocess
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from heartline import processes
from tests.servers.fixtures import Servers
from tests.servers.fleet import PROGRAMS, ROOT, SERVERS
from tests.servers.programs import Missing
from tests.servers.redis import Redis
from tests.servers.running import Failed, Running, find, launch, stop, wait_until_ready

pytestmark = pytest.mark.servers


@pytest.fixture
def launched(tmp_path: Path) -> Iterator[Callable[[], Running]]:
    """Start a Redis in the test's directory."""
    running: list[Running] = []

    def launch_one() -> Running:
        try:
            Redis().install(PROGRAMS)
        except Missing as missing:
            pytest.skip(str(missing))
        running.append(launch(Redis(), tmp_path, PROGRAMS, usual_ports=False, with_us=True))
        return running[-1]

    yield launch_one
    for each in running:
        stop(each)


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_a_server_answers_where_its_setting_says(servers: Servers, server: Redis) -> None:
    url = urllib.parse.urlsplit(servers.settings(server.name)[server.variable])
    endpoint = urllib.parse.parse_qs(url.query).get("endpoint", [url.geturl()])[0]

    port = urllib.parse.urlsplit(endpoint).port

    assert port
    assert server.answers(port)


def test_a_server_that_runs_is_found_until_it_is_stopped(
    launched: Callable[[], Running], tmp_path: Path
) -> None:
    running = launched()
    wait_until_ready(running)

    found = find(Redis(), tmp_path, PROGRAMS)
    assert found
    assert (found.pid, found.place) == (running.pid, running.place)
    assert stop(running)
    assert find(Redis(), tmp_path, PROGRAMS) is None


def test_a_server_comes_back_where_it_was(launched: Callable[[], Running]) -> None:
    before = launched()
    wait_until_ready(before)
    stop(before)

    again = launched()
    wait_until_ready(again)

    assert again.place.port == before.place.port


def test_another_process_with_its_number_is_not_the_server(
    launched: Callable[[], Running], tmp_path: Path
) -> None:
    running = launched()
    wait_until_ready(running)
    stop(running)
    kept = tmp_path / "server.json"
    kept.write_text(kept.read_text().replace(str(running.pid), str(os.getpid())))

    assert find(Redis(), tmp_path, PROGRAMS) is None


def test_a_server_that_does_not_start_says_what_its_log_says(
    launched: Callable[[], Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Redis, "command", lambda _self, _place: ["ls", "/not/there"])

    with pytest.raises(Failed, match=r"redis ended at its start:\n.*/not/there"):
        wait_until_ready(launched())


def test_a_server_that_cannot_stop_is_killed(launched: Callable[[], Running]) -> None:
    running = launched()
    wait_until_ready(running)
    os.kill(running.pid, signal.SIGSTOP)

    assert not stop(running, patience_s=0.2)
    assert not processes.lives(running.pid)


def make_servers(action: str, homes: Path, **named: str) -> str:
    elsewhere = {each.variable: f"there://{each.name}" for each in SERVERS if each.name != "redis"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.servers", action, "--homes", str(homes)],
        cwd=ROOT,
        env={**os.environ, **elsewhere, **named},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def test_make_servers_starts_what_is_not_named_and_finds_it_the_second_time(
    tmp_path: Path,
) -> None:
    first = make_servers("start", tmp_path)
    if "skipped" in first:
        pytest.skip(first)
    (ours,) = re.findall(r"HEARTLINE_PRESENCE=(\S+)", first)
    second = make_servers("start", tmp_path, HEARTLINE_PRESENCE=ours)
    stopped = make_servers("stop", tmp_path)
    third = make_servers("start", tmp_path, HEARTLINE_PRESENCE=ours)
    make_servers("stop", tmp_path)

    assert re.search(r"redis +127.0.0.1:\d+ +started in", first)
    assert re.search(r"redis +127.0.0.1:\d+ +runs already", second)
    assert re.search(r"redis +127.0.0.1:\d+ +started in", third)
    assert first.splitlines()[-4:] == second.splitlines()[-4:] == third.splitlines()[-4:]
    assert "HEARTLINE_LOG=there://kafka" in second.splitlines()
    assert re.match(r"redis +stopped\n", stopped)
