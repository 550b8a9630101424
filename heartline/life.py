"""One start of the driver: begun, watched, ended, with nothing of it left."""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from heartline import haproxy, processes
from heartline.haproxy import PROBE_SOCKET
from heartline.probe import Answer, ask
from heartline.ray_environment import environment
from heartline.run_directory import fresh_log, keep_logs, make_run_dir, run_prefix
from heartline.settings import Settings
from heartline.vitals import one_gone

START_LIMIT_S = 180.0
STOP_LIMIT_S = 25.0  # a commit of every shard, then Serve's and Ray's own shutdown
PROBE_EVERY_S = 1.0
LOOK_S = 0.1  # while starting
PROBE_TIMEOUT_S = 5.0
SILENT_LIMIT_S = (
    15.0  # Ray brings a replica or HAProxy back within 10 s; after this we start afresh
)
FAILURE_FILE = "failure"  # in the run directory: why the driver refused to start, one line
APPLICATION_PATHS = ("/healthz", "/v1/heartbeats", "/v1/me/listening/minutes")


class Ending(Enum):
    """How a life ended."""

    ASKED = "asked"
    REFUSED = "refused"
    DIED = "died"


@dataclass(frozen=True, slots=True)
class End:
    """How a life ended, and why, in a sentence."""

    ending: Ending
    why: str = ""


class Life:
    """One driver with everything that it starts."""

    def __init__(self, settings: Settings, *, marker: str, environ: Mapping[str, str]) -> None:
        self._settings, self._marker, self._environ = settings, marker, environ
        self._run_dir = Path()
        self._driver: subprocess.Popen[bytes] | None = None
        self._vital: asyncio.Task[str] | None = None  # one watch for the whole life: no gap in it

    async def live(
        self, stop: asyncio.Event, hurry: asyncio.Event, ready: Callable[[], Awaitable[None]]
    ) -> End:
        """Start, call *ready* when everything answers, and watch until the end or until *stop*."""
        self._run_dir = make_run_dir(self._marker)
        try:
            self._driver = driver = self._spawn()
            self._vital = asyncio.create_task(
                one_gone(
                    lambda: processes.descendants(os.getpid()),
                    fallen=lambda: processes.fallen(driver.pid),
                )
            )
            end = await self._until_answered(stop) or await self._until_ready(stop)
            if end is None:
                await ready()
                end = await self._until_something_dies(stop)
            if end.ending is Ending.ASKED:
                await self._stop_driver(hurry)
            return end
        finally:
            if self._vital:
                self._vital.cancel()
            self._clear_away()

    def _spawn(self) -> subprocess.Popen[bytes]:
        wrapper = haproxy.install(self._run_dir, host=self._settings.host, port=self._settings.port)
        order = {
            "settings": self._settings.plain(),
            "run_dir": str(self._run_dir),
            "supervisor": os.getpid(),
        }
        with fresh_log(self._settings.data / "logs" / "driver.log") as output:
            driver = subprocess.Popen(
                [sys.executable, "-m", "heartline.driver"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is for the supervisor alone
                env=environment(
                    self._environ,
                    marker=self._marker,
                    run_dir=self._run_dir,
                    wrapper=wrapper,
                    token=secrets.token_hex(32),
                ),
            )
        with contextlib.suppress(BrokenPipeError), driver.stdin or contextlib.nullcontext() as pipe:
            if pipe:
                pipe.write(json.dumps(order).encode())
        return driver

    async def _until_answered(self, stop: asyncio.Event) -> End | None:
        """Wait for the first answer of every application; None: it is there."""
        try:
            async with asyncio.timeout(START_LIMIT_S):
                first = await first_of(**self._ends(stop), answered=self._all_answer())
        except TimeoutError:
            return End(Ending.DIED, f"nothing answered within {START_LIMIT_S:.0f} s")
        return self._end(first)

    async def _until_ready(self, stop: asyncio.Event) -> End | None:
        """Wait until rows are fresh, however long shards take to catch up; None: they are."""
        first = await first_of(**self._ends(stop), silence=self._silence(), ready=self._is_ready())
        return self._end(first)

    async def _until_something_dies(self, stop: asyncio.Event) -> End:
        first = await first_of(**self._ends(stop), silence=self._silence())
        return self._end(first) or End(Ending.ASKED)

    def _ends(self, stop: asyncio.Event) -> dict[str, Coroutine[Any, Any, object]]:
        return {
            "stop": stop.wait(),
            "driver": self._driver_gone(),
            "vital": self._vital_gone(),
        }

    def _end(self, first: tuple[str, object]) -> End | None:
        match first:
            case "stop", _:
                return End(Ending.ASKED)
            case "driver", _:
                return self._driver_end()
            case "vital", what:
                return End(Ending.DIED, f"{what} died")
            case "silence", _:
                return End(Ending.DIED, "the applications do not answer")
            case _:
                return None

    async def _all_answer(self) -> None:
        while True:
            answers = [await self._ask(path) for path in APPLICATION_PATHS]
            if all(each and each.alive for each in answers):
                return
            await asyncio.sleep(LOOK_S)

    async def _is_ready(self) -> None:
        while True:
            answer = await self._ask("/readyz")
            if answer and answer.status == 200:
                return
            await asyncio.sleep(LOOK_S)

    async def _vital_gone(self) -> str:
        return await asyncio.shield(self._vital) if self._vital else ""

    async def _driver_gone(self) -> None:
        if self._driver:
            await gone(self._driver.pid)

    def _driver_end(self) -> End:
        with contextlib.suppress(FileNotFoundError):
            return End(Ending.REFUSED, (self._run_dir / FAILURE_FILE).read_text().strip())
        status = self._driver.wait() if self._driver else None
        return End(Ending.DIED, f"the driver ended with status {status}")

    async def _silence(self) -> None:
        """Return when an application was silent for long."""
        heard = dict.fromkeys(APPLICATION_PATHS, time.monotonic())
        while True:
            await asyncio.sleep(PROBE_EVERY_S)
            processes.reap({self._driver.pid} if self._driver else ())
            answers = await asyncio.gather(*(self._ask(path) for path in heard))
            now = time.monotonic()
            for path, answer in zip(heard, answers, strict=True):
                heard[path] = now if answer and answer.alive else heard[path]
            if now - min(heard.values()) > SILENT_LIMIT_S:
                return

    async def _ask(self, path: str) -> Answer | None:
        return await ask(self._run_dir / PROBE_SOCKET, path, timeout_s=PROBE_TIMEOUT_S)

    async def _stop_driver(self, hurry: asyncio.Event) -> None:
        if self._driver is None:
            return
        self._driver.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_LIMIT_S):
                await first_of(driver=self._driver_gone(), hurry=hurry.wait())

    def _clear_away(self) -> None:
        """Kill whatever is left, keep what Ray wrote, delete the rest."""
        processes.kill_marked(self._marker, run_prefix(self._marker), family=True)
        keep_logs(self._run_dir, self._settings.data / "logs" / "ray")
        if self._driver:
            self._driver.wait()
        processes.reap(())
        shutil.rmtree(self._run_dir, ignore_errors=True)


async def gone(pid: int) -> None:
    """Return when the process *pid* has ended."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(watched, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(watched)
        os.close(watched)


async def first_of(**waits: Coroutine[Any, Any, object]) -> tuple[str, object]:
    """Wait for the first of several, its name and result, and give up the others.

    An earlier name wins a tie.
    """
    tasks = {name: asyncio.ensure_future(wait) for name, wait in waits.items()}
    try:
        await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        done = next(name for name, task in tasks.items() if task.done())
        return done, tasks[done].result()
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
