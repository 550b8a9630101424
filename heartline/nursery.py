"""The nursery: a process with everything imported, of which Ray's workers are forked.

Each of a dozen workers would spend more than a second of a core on the same imports, at every start, and
at every death while somebody waits. So Ray starts `heartline.nursery_stub` in a worker's place, which
hands over here. Nothing depends on the nursery: without one, a stub becomes Ray's own worker.

It is a fork of the driver, made before that begins anything, so it has one thread, and neither Ray nor
gRPC nor an event loop runs in it: a child of it is what a process is that has just imported all this.
It reads nothing that anybody sends, its children do; so nobody can keep it waiting.
"""

import contextlib
import gc
import os
import resource
import runpy
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from heartline.nursery_stub import BEGIN, HERE, NURSERY, WORKER
from heartline.processes import die_with_parent

STUB = Path(__file__).with_name("nursery_stub.py")
SOCKET = "nursery"  # in the run directory
TITLE = "heartline nursery"
WAITING = 64  # stubs at once
RETRY_S = 0.05
LONGEST_REQUEST = 1 << 20
PEER = struct.Struct("3i")  # process, user, group
OOM_SCORE = "1000"  # when there is no memory left
ANY_JOB, ONLY_JOB = "ffffffff", "01000000"  # of a worker that may take any job; of the driver

OF_DRIVER = (  # what the driver imports anyway
    "heartline.applications",
    "heartline.cataloguing",
    "heartline.cluster",
    "heartline.ray_node",
    "heartline.warehousing",
)
OF_WORKERS = (
    "actors.listener_shard",
    "actors.shard_metrics",
    "domain.warm",
    "jinja2",
    "ray._private.arrow_serialization",
    "ray.serve._private.controller",
    "ray.serve._private.haproxy",
    "ray.serve._private.proxy",
    "stores.sqlite_log",
    "stores.sqlite_tables",
    "stores.tantivy_search",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a stub was started with."""

    directory: str
    arguments: list[str]
    environ: dict[str, str]

    @classmethod
    def parse(cls, message: bytes) -> "Request":
        """Read what `heartline.nursery_stub.request` made."""
        count, directory, *rest = map(os.fsdecode, message.split(b"\0"))
        arguments, environ = rest[: int(count)], rest[int(count) :]
        pairs = (each.partition("=") for each in environ)
        return cls(directory, arguments, {name: value for name, _, value in pairs})

    def take_on(self) -> None:
        """Be what Ray's worker would be, had it been started so."""
        script = self.environ[WORKER]
        os.chdir(self.directory)
        os.environ.clear()
        os.environ.update(self.environ)
        sys.argv[:] = [script, *self.arguments]
        sys.path[0] = str(Path(script).parent)


def be_as_the_raylets_child() -> None:
    """Have what the raylet gives to what it starts: no interrupts, and the first to be killed."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)


def take_after(stub: socket.socket) -> None:
    """Have what the stub has of the raylet: how many files it may open, and its process group.

    The raylet makes a group for each, which it kills when a worker ends. It knows the group by the
    stub's process id; as long as we are in it, no other process has that.
    """
    pid = PEER.unpack(stub.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))[0]
    resource.setrlimit(resource.RLIMIT_NOFILE, resource.prlimit(pid, resource.RLIMIT_NOFILE))
    with contextlib.suppress(OSError):  # of another session
        os.setpgid(0, os.getpgid(pid))


def draw_otherwise_than_others() -> None:
    """Seed what neither seeds itself after a fork nor asks the kernel each time."""
    import numpy as np

    np.random.seed()  # noqa: NPY002


def begin(run_dir: Path) -> None:
    """Fork the nursery, which ends with this process, and have stubs find it.

    Called before this process has imported Ray or begun a thread. The socket is there at once: a stub
    that is early waits until the nursery has imported the rest.
    """
    path, driver = run_dir / SOCKET, os.getpid()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        try:
            door.bind(str(path))
            door.listen(WAITING)
            with flags_of_workers():
                take_in(OF_DRIVER)
            is_driver = os.fork() != 0
        except OSError:
            return  # there is no room for it: workers do without
        if not is_driver:
            live(door, driver)
    os.environ[NURSERY] = str(path)


def live(door: socket.socket, driver: int) -> NoReturn:
    """Be the nursery, and then a child of it; whatever happens, never the driver that we are a fork of."""
    die_with_parent()
    status = 0
    if os.getppid() == driver:  # it has not died in between
        try:
            become(born(door))
        except Exception:
            traceback.print_exc()
            status = 1
    sys.exit(status)


@contextlib.contextmanager
def flags_of_workers() -> Iterator[None]:
    """Set what Ray reads of a worker's environment once and for all, when it is imported.

    A worker that asks for another job is refused. For the raylet, whose end a worker looks for, stands
    the driver: a raylet ends with it, and a worker whose raylet alone ends loses its connection.
    """
    flags = {"RAY_JOB_ID": ONLY_JOB, "RAY_RAYLET_PID": str(os.getpid())}
    os.environ.update(flags)
    try:
        yield
    finally:
        for name in flags:
            del os.environ[name]


def take_in(modules: Iterable[str]) -> None:
    """Import *modules* without a draw from Ray's random numbers.

    It draws an id for each class of actors. Its generator is seeded by the first draw, and cannot be
    seeded again: children would draw the same ids, of objects, too.
    """
    actor: Any = import_module("ray.actor")
    usual, actor.ActorClassID = actor.ActorClassID, _DrawnByKernel
    try:
        for name in modules:
            import_module(name)
    finally:
        actor.ActorClassID = usual


class _DrawnByKernel:
    @staticmethod
    def from_random() -> Any:
        """Draw an id as Ray does, but of the kernel's random numbers."""
        from ray import ActorClassID

        return ActorClassID(os.urandom(ActorClassID.size()))


def born(door: socket.socket) -> socket.socket:
    """Be the nursery; what returns from this is a child, with the stub that wants it."""
    raylet: Any = import_module("ray._raylet")
    raylet.setproctitle(TITLE)  # its first call finds the place of titles, for children, too
    take_in(OF_WORKERS)
    from domain.warm import warm

    warm()
    gc.collect()
    gc.freeze()  # a collection writes to whatever it visits, and would have children copy it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel lets go of children that end
    while True:
        try:
            stub, _ = door.accept()
        except OSError:
            time.sleep(RETRY_S)
            continue
        with contextlib.suppress(OSError):  # there is no room for another: the stub sees us hang up
            if not os.fork():
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                door.close()
                return stub
        stub.close()


def agreed(stub: socket.socket) -> Request | None:
    """Take what the stub has, and hear whether we are to begin; None: nobody wants us."""
    with stub:
        message, files, _, _ = socket.recv_fds(stub, LONGEST_REQUEST, 3)
        if not message:
            return None
        request = Request.parse(message)
        if request.environ.get("RAY_JOB_ID", ONLY_JOB) not in {ANY_JOB, ONLY_JOB}:
            return None
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        take_after(stub)
        stub.send(HERE)
        return request if stub.recv(1) == BEGIN else None


def become(stub: socket.socket) -> None:
    """Become the worker in whose place *stub* was started, unless it gives us up."""
    try:
        request = agreed(stub)
    except OSError:
        request = None
    if request is None:
        return
    request.take_on()
    be_as_the_raylets_child()
    draw_otherwise_than_others()
    runpy.run_path(sys.argv[0], run_name="__main__")
