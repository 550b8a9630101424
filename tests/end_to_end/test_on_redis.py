"""The whole of Heartline with presence on a real Redis, which falls silent."""

import json
import os
import signal
from collections.abc import Iterator

import httpx
import pytest

from tests.end_to_end.running import MINUTE_MS, Up, ended, listen, listened_ms, start, until
from tests.servers.fleet import PROGRAMS
from tests.servers.programs import Missing
from tests.servers.redis import Redis
from tests.servers.running import Running, launch, stop, wait_until_ready

pytestmark = [
    pytest.mark.beside,
    pytest.mark.end_to_end,
    pytest.mark.servers,
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A Redis of our own, since it is hurt."""
    try:
        Redis().install(PROGRAMS)
    except Missing as missing:
        pytest.skip(str(missing))
    home = tmp_path_factory.mktemp("redis")
    running = launch(Redis(), home, PROGRAMS, usual_ports=False, with_us=True)
    wait_until_ready(running)
    yield running
    os.kill(running.pid, signal.SIGCONT)
    stop(running)


@pytest.fixture(scope="module")
def up(redis: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    url = redis.settings["HEARTLINE_PRESENCE"]
    started = start(tmp_path_factory.mktemp("up") / "data", "--presence", url)
    yield started
    ended(started)


def plays(client: httpx.Client) -> bool:
    answer = client.get("/v1/me/player")
    assert answer.status_code in {200, 204}, answer.text
    return answer.status_code == 200


def trouble(up: Up) -> str:
    return str(json.loads(up.command("status", "--json"))["presence"])


def test_a_frozen_redis_is_missed_by_nothing_but_presence(up: Up, redis: Running) -> None:
    _, ann = up.listener("ann")
    listen(ann, "one", minutes=2, device_id="car")
    until(lambda: plays(ann))
    device = ann.get("/v1/me/player").json()["device"]["id"]

    os.kill(redis.pid, signal.SIGSTOP)
    shown = plays(ann)
    listen(ann, "two", minutes=1)
    until(lambda: "does not answer" in trouble(up))
    until(lambda: listened_ms(ann) >= 2 * MINUTE_MS)
    ready = ann.get("/readyz").status_code
    os.kill(redis.pid, signal.SIGCONT)

    assert (device, shown, ready) == ("car", False, 200)
    until(lambda: plays(ann))
    until(lambda: not trouble(up))


def test_a_shard_that_was_killed_leaves_presence_as_it_was(up: Up) -> None:
    _, eve = up.listener("eve")
    listen(eve, "one", minutes=2)
    until(lambda: plays(eve) and listened_ms(eve) == 2 * MINUTE_MS)

    for pid in up.find("ray::_Shard"):
        os.kill(pid, signal.SIGKILL)

    assert plays(eve)
