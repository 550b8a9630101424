"""Clients that are slow, silent, hasty or broken: the service stays up, and others are served."""

import resource
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from heartline import processes
from tests.end_to_end.numbered_load import NumberedLoad
from tests.end_to_end.running import MINUTE_MS, Up, ended, listen, listened_ms, start, until

pytestmark = [pytest.mark.beside, pytest.mark.end_to_end, pytest.mark.timeout(300)]

CROWD = 10_000
SLOW_S = 6.0  # how long others are watched beside slow ones
SLOWEST_S = 4.0  # for others: two SYNs that a busy machine loses cost 1 and 2 s
MOST_GROWTH_MIB = 256
TRICKLING = 200
ANNOUNCED = 2 << 20
BUFFERED = 20_000  # more than HAProxy keeps back


@dataclass
class Others:
    """A whole Heartline, and clients of it who behave."""

    up: Up
    client: httpx.Client
    token: str

    def connect(self) -> socket.socket:
        address = urlsplit(self.up.url)
        return socket.create_connection((str(address.hostname), address.port or 0), timeout=10)

    def head(self, length: int) -> bytes:
        lines = ("POST /v1/heartbeats HTTP/1.1", "host: x", f"authorization: Bearer {self.token}")
        return "\r\n".join([*lines, f"content-length: {length}", "", ""]).encode()

    def memory_mib(self) -> int:
        """What all processes have resident, what they share counted once."""
        pids = [self.up.process.pid, *processes.descendants(self.up.process.pid)]
        return sum(proportional_kib(pid) for pid in pids) >> 10


def proportional_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0  # it has ended
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Others]:
    up = start(tmp_path_factory.mktemp("up") / "data")
    _, client = up.listener("one who behaves")
    yield Others(up, client, up.command("token", "one who behaves"))
    ended(up)


@contextmanager
def served(others: Others, what: str, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """See that meanwhile others are served, nothing is started afresh, and memory stays bounded."""
    up = others.up
    vital = [up.find(title) for title in ("raylet/raylet ", "heartline.driver", "ray::_Shard")]
    before = others.memory_mib()
    yield
    took_s = [answer_s(others, path) for path in PATHS for _ in range(5)]
    after = others.memory_mib()
    with capfd.disabled():
        print(  # noqa: T201  (a figure of the run)
            f"\n{what}: others wait {sorted(took_s)[len(took_s) // 2] * 1000:.0f} ms, at most "
            f"{max(took_s) * 1000:.0f} ms; memory {before} to {after} MiB"
        )
    assert max(took_s) < SLOWEST_S
    assert after - before < MOST_GROWTH_MIB
    assert vital == [
        up.find(title) for title in ("raylet/raylet ", "heartline.driver", "ray::_Shard")
    ]


PATHS = ("/v1/me", "/v1/me/listening/minutes", "/v1/heartbeats")


def answer_s(others: Others, path: str) -> float:
    begun_s = time.monotonic()
    with httpx.Client(base_url=others.up.url, headers=others.client.headers, timeout=30) as new:
        answer = new.post(path, json={"heartbeats": [BEAT]}) if "beats" in path else new.get(path)
    assert answer.status_code in {200, 202}, answer.text
    return time.monotonic() - begun_s


BEAT = {"id": "b", "track_id": "t", "kind": "start", "at": time.time_ns() // 1_000_000 - 86_400_000}


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CROWD + 1_000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"only {hard} files may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("said", ["nothing", "half a head", "half a body", "one request"])
def test_ten_thousand_connections_that_say_no_more(
    others: Others, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    first = {
        "nothing": b"",
        "half a head": others.head(1_000)[:40],
        "half a body": others.head(1_000) + b"{",
        "one request": b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n",
    }[said]
    with ExitStack() as crowd, served(others, f"{CROWD} that say {said}", capfd):
        silent = [crowd.enter_context(others.connect()) for _ in range(CROWD)]
        for one in silent:
            one.sendall(first)
        if said == "one request":
            assert all(one.recv(4096) for one in silent)


def test_bodies_that_trickle(others: Others, capfd: pytest.CaptureFixture[str]) -> None:
    with ExitStack() as crowd, served(others, f"{2 * TRICKLING} that trickle", capfd):
        slow = [crowd.enter_context(others.connect()) for _ in range(2 * TRICKLING)]
        for place, one in enumerate(slow):
            one.sendall(others.head(ANNOUNCED) + b" " * (BUFFERED if place % 2 else 1))
        end_s = time.monotonic() + SLOW_S
        while time.monotonic() < end_s:
            for one in slow:
                one.sendall(b" ")
            assert answer_s(others, "/v1/heartbeats") < SLOWEST_S
            time.sleep(1)  # a byte a second is what is tested


def test_a_request_that_comes_five_times_at_once_is_counted_once(
    others: Others, capfd: pytest.CaptureFixture[str]
) -> None:
    _, hasty = others.up.listener("hasty")
    load = NumberedLoad(hasty)
    with served(others, "each request five times at once", capfd), ThreadPoolExecutor(20) as pool:
        numbers = [number for number in range(100) for _ in range(5)]
        assert all(pool.map(load.post, numbers))
        load.sent = 100
    until(load.is_counted)


def test_requests_that_are_cut_anywhere(others: Others, capfd: pytest.CaptureFixture[str]) -> None:
    whole = others.head(1_000) + b'{"heartbeats": [' + b" " * 984
    with served(others, "requests cut in the middle", capfd):
        for end in range(1, len(whole), 9):
            with others.connect() as cut:
                cut.sendall(whole[:end])
                if end % 2:  # a reset instead of an end
                    cut.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"\x16\x03\x01\x02\x00" + bytes(500), id="tls"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 100_000, id="long-header"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000, id="many-headers"),
        pytest.param(b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", id="long-path"),
        pytest.param(
            b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n" * 500 + b"\x00\xff", id="pipelined"
        ),
        pytest.param(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", id="length"),
        pytest.param(
            b"POST /v1/heartbeats HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
            b"content-length: 5\r\n\r\nffffffffffffffff\r\n",
            id="chunked",
        ),
    ],
)
def test_garbage_is_refused_and_others_are_served(
    others: Others, garbage: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with served(others, "garbage", capfd):
        for _ in range(20):
            with others.connect() as broken:
                try:
                    broken.sendall(garbage)
                    answer = broken.recv(1 << 16)
                except ConnectionError:
                    continue  # cut before all was said
                assert b" 500 " not in answer.partition(b"\r\n")[0]


def test_afterwards_nothing_that_was_acknowledged_is_lost(others: Others) -> None:
    _, late = others.up.listener("late")
    listen(late, "one", minutes=3)

    until(lambda: listened_ms(late) == 3 * MINUTE_MS)
    assert others.up.command("recount").endswith("0 differences.")
