"""A Kafka of a test's own, to be hurt."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from heartline import processes
from tests.servers.fleet import PROGRAMS
from tests.servers.kafka import Kafka
from tests.servers.programs import Missing
from tests.servers.running import Running, launch, stop, wait_until_ready


class Broker:
    """One broker; its data outlives its process."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._running = self._launch()

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self._running.place.port}"

    def freeze(self) -> None:
        """Stop every thread; on a busy machine the last of them stops some time after the signal."""
        os.kill(self._running.pid, signal.SIGSTOP)
        threads = Path(f"/proc/{self._running.pid}/task")
        end_s = time.monotonic() + 30
        while any(state_of(thread) != "T" for thread in threads.iterdir()):
            assert time.monotonic() < end_s, "it never stopped"

    def thaw(self) -> None:
        os.kill(self._running.pid, signal.SIGCONT)

    def kill(self) -> None:
        processes.kill([self._running.pid])
        stop(self._running)

    def start_again(self) -> None:
        self._running = self._launch()

    def stop(self) -> None:
        self.thaw()
        stop(self._running)

    def _launch(self) -> Running:
        running = launch(Kafka(), self._home, PROGRAMS, usual_ports=False, with_us=True)
        wait_until_ready(running)
        return running


def state_of(thread: Path) -> str:
    return (thread / "stat").read_text().rpartition(")")[2].split()[0]


@contextmanager
def own_broker(home: Path) -> Iterator[Broker]:
    """Have a broker whose files are in *home* for a while."""
    try:
        Kafka().install(PROGRAMS)
    except Missing as missing:
        pytest.skip(str(missing))
    started = Broker(home)
    try:
        yield started
    finally:
        started.stop()
