import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar

import pytest

from heartline import supervisor
from heartline.life import End, Ending
from heartline.settings import Settings
from heartline.supervisor import (
    Supervisor,
    check_port,
    data_locked,
    running_file,
    running_url,
    write_running,
)
from heartline.terminal import Failure


def test_a_data_directory_is_made_and_had_by_one_alone(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"

    with data_locked(data):
        assert data.stat().st_mode & 0o777 == 0o700
        with pytest.raises(Failure, match="another `heartline up` uses"), data_locked(data):
            pass

    with data_locked(data):
        pass


def test_a_directory_that_cannot_be_made_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Failure, match=r"cannot write in .*--data"), data_locked(tmp_path / "file"):
        pass


def test_a_port_in_use_is_told_in_a_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Failure, match=f"port {port}: something else listens there.*--port"):
            check_port(Settings(tmp_path, port=port))

    check_port(Settings(tmp_path, port=port))


def test_a_host_that_is_not_ours_is_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"cannot listen on 192\.0\.2\.1 .*--host"):
        check_port(Settings(tmp_path, host="192.0.2.1", port=8000))


def test_other_commands_find_the_one_that_runs(tmp_path: Path) -> None:
    assert running_url(tmp_path) is None

    with data_locked(tmp_path):
        assert running_url(tmp_path) is None
        write_running(Settings(tmp_path, port=1234))
        assert running_url(tmp_path) == "http://127.0.0.1:1234"
        assert json.loads(running_file(tmp_path).read_text())["pid"] == os.getpid()

    assert running_url(tmp_path) is None  # it was killed: the file is left


def test_a_damaged_file_is_as_good_as_none(tmp_path: Path) -> None:
    with data_locked(tmp_path):
        running_file(tmp_path).write_text("{")

        assert running_url(tmp_path) is None


class ShortLife:
    """A life that answers, unless told otherwise, and dies at once; the last one is asked to stop."""

    left: ClassVar[int]
    answers: ClassVar[bool]

    def __init__(self, *_: object, **__: object) -> None:
        pass

    async def live(
        self, _stop: asyncio.Event, _hurry: asyncio.Event, ready: Callable[[], Awaitable[None]]
    ) -> End:
        if self.answers:
            await ready()
        ShortLife.left -= 1
        return End(Ending.DIED, "the raylet died") if self.left else End(Ending.ASKED)


@pytest.fixture
def lives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Supervisor:
    monkeypatch.setattr(supervisor, "Life", ShortLife)
    monkeypatch.setattr(supervisor, "BACKOFF_S", (0.0, 3_600.0))
    return Supervisor(Settings(tmp_path), marker="cafe0123", environ={}, demo=False)


async def test_lives_that_answered_follow_one_another_without_a_pause(lives: Supervisor) -> None:
    ShortLife.left, ShortLife.answers = 4, True

    async with asyncio.timeout(10):
        assert await lives.supervise() == 0


async def test_after_starts_that_never_answered_there_is_a_pause(lives: Supervisor) -> None:
    ShortLife.left, ShortLife.answers = 2, False

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await lives.supervise()


async def test_when_no_start_ever_answered_it_gives_up(
    lives: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "BACKOFF_S", (0.0,))
    ShortLife.left, ShortLife.answers = 10, False

    with pytest.raises(Failure, match="the raylet died; see"):
        await lives.supervise()
