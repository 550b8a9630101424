import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from heartline import nursery, processes
from heartline.nursery import OF_DRIVER, OF_WORKERS, STUB
from heartline.nursery_stub import HERE, NURSERY, WORKER

PARENT = """
import sys
from pathlib import Path
from heartline import nursery
nursery.begin(Path(sys.argv[1]))
print("begun", flush=True)
sys.stdin.read()
"""
TELLS = """
import json, os, signal, sys
print(json.dumps({
    "pid": os.getpid(), "parent": os.getppid(), "group": os.getpgid(0), "name": __name__,
    "arguments": sys.argv, "path": sys.path[0], "directory": os.getcwd(),
    "environment": dict(os.environ), "threads": len(os.listdir("/proc/self/task")),
    "files": os.listdir("/proc/self/fd"), "default": signal.getsignal(signal.SIGCHLD) == 0,
    "blocked": signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()),
    "score": open("/proc/self/oom_score_adj").read().strip(),
    "has": "ray.serve" in sys.modules, "read": sys.stdin.read(),
}))
print("told", file=sys.stderr)
"""
DRAWS = """
import json, random, secrets, uuid
import numpy as np
from ray._raylet import ActorID, JobID, ObjectID, PlacementGroupID, TaskID, UniqueID, WorkerID
job = JobID.from_int(1)
ids = [each.from_random().hex() for each in (ObjectID, UniqueID, WorkerID)]
ids += [ActorID.of(job, TaskID.nil(), 1).hex(), PlacementGroupID.of(job).hex()]
numbers = [random.random(), float(np.random.default_rng().random()), float(np.random.random())]
print(json.dumps([*ids, uuid.uuid4().hex, secrets.token_hex(), *numbers]))
"""
TITLED = """
import ray
ray._raylet.setproctitle("ray::" + "x" * 200)
print(open("/proc/self/cmdline").read().strip(chr(0)))
"""


@dataclass(frozen=True)
class Home:
    """A run directory with a nursery, and the process that has begun it."""

    directory: Path
    parent: "subprocess.Popen[str]"

    @property
    def nursery(self) -> int:
        of = processes.parents()
        return next(pid for pid, parent in of.items() if parent == self.parent.pid)

    def stub(self, program: str, *arguments: str, **more: str) -> "subprocess.Popen[str]":
        """Start a stub that is to become *program*."""
        worker = self.directory / f"worker-{hash(program):x}.py"
        worker.write_text(program)
        at = {NURSERY: str(self.directory / nursery.SOCKET), WORKER: str(worker)}
        return subprocess.Popen(
            [sys.executable, str(STUB), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**at, **more},
            cwd=self.directory,
            process_group=0,  # as the raylet does
        )

    def told(self, program: str, *arguments: str, **more: str) -> Any:
        """What *program* told, as JSON."""
        output, errors = self.stub(program, *arguments, **more).communicate("input")
        assert output, errors
        return json.loads(output)


@contextmanager
def begun(directory: Path) -> Iterator[Home]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    single = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**environ, **single},
    ) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "begun\n"
        yield Home(directory, parent)
        parent.kill()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with begun(tmp_path_factory.mktemp("home")) as home:
        yield home


def wait_for_end(watched: int) -> None:
    ended, _, _ = select.select([watched], [], [], 30)
    os.close(watched)
    assert ended


def test_a_child_is_started_as_the_stub_was(home: Home) -> None:
    told = home.told(TELLS, "--one=1", "", "two words", NAMED="a=b\nc", EMPTY="")

    assert told["arguments"][1:] == ["--one=1", "", "two words"]
    assert told["path"] == told["directory"] == str(home.directory)
    assert told["name"] == "__main__"
    assert set(told["environment"]) - {"LC_CTYPE"} == {NURSERY, WORKER, "NAMED", "EMPTY"}
    assert [told["environment"][name] for name in ("NAMED", "EMPTY")] == ["a=b\nc", ""]
    assert told["read"] == "input"


def test_a_child_is_the_nurserys_and_has_everything_imported(home: Home) -> None:
    stub = home.stub(TELLS)
    output, _ = stub.communicate()
    told = json.loads(output)

    assert told["parent"] == home.nursery
    assert told["group"] == stub.pid  # though that has ended
    assert told["blocked"]
    assert told["score"] == "1000"
    assert told["has"]
    assert told["threads"] == 1
    assert told["default"]  # else it could not wait for children of its own
    assert sorted(told["files"])[:3] == ["0", "1", "2"]
    assert len(told["files"]) == 4  # and the directory that it lists


def test_the_nursery_has_one_thread(home: Home) -> None:
    home.told(TELLS)  # so it has imported everything

    for pid in (home.nursery, home.parent.pid):  # of which it is a fork
        assert len(list(Path(f"/proc/{pid}/task").iterdir())) == 1


def test_two_children_draw_different_numbers(home: Home) -> None:
    first, second = home.told(DRAWS), home.told(DRAWS)

    assert len(first) == len(second)
    assert set(first).isdisjoint(second)


def test_two_children_number_their_requests_differently(home: Home) -> None:
    asks = (
        "import json; from serve.request_ids import request_id; print(json.dumps([request_id(())]))"
    )

    assert home.told(asks) != home.told(asks)


def test_a_child_may_open_as_many_files_as_the_stub(home: Home) -> None:
    tells = "import json, resource; print(json.dumps(resource.getrlimit(resource.RLIMIT_NOFILE)))"
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[0] - 1, limits[1]))
    try:
        told = home.told(tells)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert told == [limits[0] - 1, limits[1]]


def test_a_worker_that_fails_ends_and_is_never_the_driver(home: Home) -> None:
    output, errors = home.stub("raise ConnectionError('no GCS')").communicate()

    assert output == ""  # its parent goes on to say that it has begun
    assert "no GCS" in errors


def test_a_stub_that_says_nothing_is_let_go(home: Home) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stub:
        stub.connect(str(home.directory / nursery.SOCKET))

    assert home.told(TELLS)["parent"] == home.nursery


def test_a_child_may_have_a_long_title(home: Home) -> None:
    output, _ = home.stub(TITLED).communicate()

    assert output == "ray::" + "x" * 200 + "\n"


def test_the_nursery_lets_go_of_children_that_end(home: Home) -> None:
    with home.stub("import os, sys; print(os.getpid(), flush=True); sys.stdin.read()") as stub:
        assert stub.stdout
        assert stub.stdin
        child = int(stub.stdout.readline())
        assert processes.parent(child) == home.nursery
        watched = os.pidfd_open(child)
        stub.stdin.close()
        wait_for_end(watched)

    ignored = Path(f"/proc/{home.nursery}/status").read_text().partition("SigIgn:")[2].split()[0]
    assert int(ignored, 16) >> (signal.SIGCHLD - 1) & 1  # the kernel keeps no zombie of it


def test_a_child_that_was_given_up_ends(home: Home) -> None:
    request = b"\0".join([b"0", b"/", f"{WORKER}={home.directory / 'no-such.py'}".encode()])
    reading, writing = os.pipe()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stub:
        stub.connect(str(home.directory / nursery.SOCKET))
        socket.send_fds(stub, [request], [writing] * 3)
        os.close(writing)
        assert stub.recv(1) == HERE

    with os.fdopen(reading) as output:
        assert not output.read()  # it has ended, and complained of no missing script


def test_a_worker_of_another_job_becomes_rays_own(home: Home) -> None:
    stub = home.stub(TELLS, RAY_JOB_ID="02000000")
    output, _ = stub.communicate()

    assert json.loads(output)["pid"] == stub.pid


def test_without_a_nursery_a_stub_becomes_rays_own_worker(tmp_path: Path) -> None:
    with begun(tmp_path) as home:
        os.kill(home.nursery, signal.SIGKILL)
        stub = home.stub(TELLS, "--one=1", "", NAMED="a=b\nc")
        output, _ = stub.communicate("input")

    told = json.loads(output)
    assert told["pid"] == stub.pid
    assert told["arguments"][1:] == ["--one=1", ""]
    assert told["environment"]["NAMED"] == "a=b\nc"
    assert told["read"] == "input"


def test_a_nursery_that_ends_while_stubs_wait_lets_them_go_on(tmp_path: Path) -> None:
    with begun(tmp_path) as home:
        os.kill(home.nursery, signal.SIGSTOP)
        stub = home.stub(TELLS)
        os.kill(home.nursery, signal.SIGKILL)
        output, _ = stub.communicate()

    assert json.loads(output)["pid"] == stub.pid


def test_the_nursery_ends_with_its_parent(tmp_path: Path) -> None:
    with begun(tmp_path) as home:
        watched = os.pidfd_open(home.nursery)
        home.parent.kill()
        wait_for_end(watched)


def test_all_that_it_imports_is_there() -> None:
    assert [name for name in OF_DRIVER + OF_WORKERS if not find_spec(name)] == []
