import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from heartline import processes

WAITS = "import sys; print('up', flush=True); sys.stdin.read()"


@pytest.fixture
def child(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", WAITS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"HEARTLINE_START": "cafe0123"},
        text=True,
    ) as started:
        assert started.stdout
        assert started.stdout.readline() == "up\n"
        yield started
        started.kill()


def test_a_process_is_known_by_the_marker_in_its_environment(
    child: subprocess.Popen[str],
) -> None:
    assert processes.marked("cafe0123", "/nowhere/hl-") == {child.pid}
    assert processes.marked("cafe012", "/nowhere/hl-") == set()


def test_a_process_is_known_by_the_files_that_it_has_open(tmp_path: Path) -> None:
    with (
        (tmp_path / "hl-1").open("w") as file,
        subprocess.Popen(
            [sys.executable, "-c", WAITS], stdin=subprocess.PIPE, stdout=file, env={}
        ) as started,
    ):
        found = processes.marked("none", str(tmp_path / "hl-"))
        started.kill()

    assert found == {started.pid}


def test_we_are_never_among_those_to_be_killed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "hl-1").open("w"):
        assert os.getpid() not in processes.marked("none", str(tmp_path / "hl-"))


def test_children_that_ended_are_told_until_they_are_waited_for(
    child: subprocess.Popen[str],
) -> None:
    name = Path(f"/proc/{child.pid}/comm").read_text().strip()
    living = processes.fallen(os.getpid())
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    ended = processes.fallen(os.getpid())
    child.wait()

    assert (name in living, name in ended, name in processes.fallen(os.getpid())) == (
        False,
        True,
        False,
    )


def test_names_that_are_no_text_disturb_nobody() -> None:
    name = "import ctypes; ctypes.CDLL(None).prctl(15, b'\\xff)\\xff ')"
    with subprocess.Popen(
        [sys.executable, "-c", f"{name}; {WAITS}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={},
    ) as started:
        assert started.stdout
        started.stdout.readline()
        found, parent = processes.descendants(os.getpid()), processes.parent(started.pid)
        started.kill()
        os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOWAIT)
        fallen = processes.fallen(os.getpid())

    assert (started.pid in found, parent) == (True, os.getpid())
    assert "\ufffd)\ufffd" in fallen


def test_descendants_are_found_and_their_command(child: subprocess.Popen[str]) -> None:
    assert child.pid in processes.descendants(os.getpid())
    assert "sys.stdin.read()" in processes.command(child.pid)


def test_an_adopted_process_that_ended_is_let_go(child: subprocess.Popen[str]) -> None:
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    processes.reap({child.pid})
    assert Path(f"/proc/{child.pid}").exists()

    processes.reap(())
    assert not Path(f"/proc/{child.pid}").exists()


def test_a_process_that_is_gone_has_no_command() -> None:
    assert not processes.command(2**22 + 1)
    processes.kill([2**22 + 1])
