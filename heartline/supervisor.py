"""`heartline up`: a small process without Ray that starts the driver, watches it, and starts it afresh.

locked --> nothing left of earlier starts --> a life --> asked to stop --> 0
                                               ^  |
                                               |  +--> refused ---------> 1
                                               +-- died (backoff)
"""

import asyncio
import contextlib
import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

from heartline import processes
from heartline.life import End, Ending, Life
from heartline.run_directory import delete_run_dirs, marker_of, run_prefix
from heartline.settings import Settings
from heartline.terminal import fail, note, say

BACKOFF_S = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)  # before a start, by those that never answered
GIVE_UP_AFTER = 3  # starts in a row that never answered, when none ever has
LOCK_TRIES, LOCK_RETRY_S = 5, 0.05


def run(settings: Settings, *, environ: Mapping[str, str], demo: bool = False) -> int:
    """Run Heartline in the foreground until it is told to stop; the exit status.

    Raises
    ------
    Failure
        The directory or the port cannot be had, or the driver refuses the data.
    """
    with data_locked(settings.data):
        marker = marker_of(settings.data)
        processes.adopt_orphans()
        killed = processes.kill_marked(marker, run_prefix(marker))
        delete_run_dirs(marker)
        if killed:
            note(f"ended {killed} processes that an earlier start had left")
        check_port(settings)
        up = Supervisor(settings, marker=marker, environ=environ, demo=demo)
        try:
            return asyncio.run(up.supervise())
        finally:
            running_file(settings.data).unlink(missing_ok=True)


class Supervisor:
    """Lives one after another, until asked to stop."""

    def __init__(
        self, settings: Settings, *, marker: str, environ: Mapping[str, str], demo: bool
    ) -> None:
        self._settings, self._marker, self._environ = settings, marker, environ
        self._demo = demo
        self._stop, self._hurry = asyncio.Event(), asyncio.Event()
        self._answered = False  # in this life
        self._announced = False

    async def supervise(self) -> int:
        """Start, watch, start afresh; return the exit status."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._asked_to_stop)
        failures = 0
        while True:
            self._answered = False
            life = Life(self._settings, marker=self._marker, environ=self._environ)
            end = await life.live(self._stop, self._hurry, self._ready)
            if end.ending is Ending.ASKED:
                return 0
            if end.ending is Ending.REFUSED and not self._announced:
                fail(end.why)  # later on, what is in the way may pass by itself
            failures = 0 if self._answered else failures + 1
            await self._before_next(end, failures)
            if self._stop.is_set():
                return 0

    async def _before_next(self, end: End, failures: int) -> None:
        if not self._announced and failures >= GIVE_UP_AFTER:
            fail(f"{end.why}; see {self._settings.data / 'logs'}")
        note(f"{end.why}; starting afresh")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]):
                await self._stop.wait()

    def _asked_to_stop(self) -> None:
        if self._stop.is_set():
            self._hurry.set()
        else:
            note("stopping (once more to stop at once)")
            self._stop.set()

    async def _ready(self) -> None:
        self._answered = True
        if self._announced:
            note("answers again")
        else:
            self._announced = True
            write_running(self._settings)
            say(f"Heartline is ready at {self._settings.url}")
        if self._demo:
            self._start_demo()

    def _start_demo(self) -> None:
        """Start the simulated crowd; it ends with this life, as everything that descends from us."""
        subprocess.Popen(
            [sys.executable, "-m", "heartline.demo", self._settings.url],
            stdin=subprocess.DEVNULL,
            env={**self._environ, "HEARTLINE_DATA": str(self._settings.data)},
            start_new_session=True,
        )


@contextlib.contextmanager
def data_locked(data: Path) -> Iterator[None]:
    """Have the data directory for ourselves; it is made if it is not there.

    Raises
    ------
    Failure
        It cannot be made or written, or another `up` has it.
    """
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (data / "up.lock").open("a")
    except OSError as error:
        fail(f"cannot write in {data}: {error.strerror}; choose another directory with --data")
    with file:
        if not _lock(file):
            fail(f"another `heartline up` uses {data}: stop it, or choose another one with --data")
        yield


def _lock(file: TextIO) -> bool:
    """Lock *file*; another command may hold it for an instant, to see whether we run."""
    for _ in range(LOCK_TRIES):
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(LOCK_RETRY_S)
    return False


def check_port(settings: Settings) -> None:
    """See that we can listen where we are told to.

    Raises
    ------
    Failure
        Somebody else does, or we may not.
    """
    host, port = settings.host, settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)  # on Linux only this finds a listener that allows reuse
        except OSError as error:
            in_use = error.errno == errno.EADDRINUSE
            why = "something else listens there" if in_use else error.strerror or str(error)
            fail(f"cannot listen on {host} port {port}: {why}; choose others with --host, --port")


def running_file(data: Path) -> Path:
    """Name the file that tells other commands where the running `up` is."""
    return data / "up.json"


def write_running(settings: Settings) -> None:
    """Tell other commands that we run, and where."""
    path = running_file(settings.data)
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"pid": os.getpid(), "url": settings.url}))
    new.replace(path)


def running_url(data: Path) -> str | None:
    """Tell the URL of the `up` that runs on *data*; None when none does."""
    try:
        url = str(json.loads(running_file(data).read_text())["url"])
    except (OSError, ValueError, KeyError):
        return None
    try:
        with (data / "up.lock").open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return url
    except OSError:
        return None
    return None  # the lock was free: the file is of one that was killed
