"""Processes of Linux: which belong to one start of Heartline, and how to end all of them.

Ray gives some of its processes a title that overwrites their environment, others a session of their
own. So a start is known by three things together: a marker in the environment, open files in its run
directory (whose name carries the marker), and descent from the supervisor, which adopts orphans.
"""

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PROC = Path("/proc")
MARKER = "HEARTLINE_START"


def die_with_parent() -> None:
    """Have the kernel kill this process when the one that started it dies."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def parents() -> dict[int, int]:
    """Tell the parent of every process that has not ended."""
    found = {}
    for pid in _pids():
        with contextlib.suppress(OSError, IndexError):
            state, parent = _state_and_parent(pid)
            if state != "Z":
                found[pid] = parent
    return found


def lives(pid: int) -> bool:
    """Whether the process *pid* is there and has not ended."""
    try:
        return _state_and_parent(pid)[0] != "Z"
    except (OSError, IndexError):
        return False


def parent(pid: int) -> int:
    """Tell the parent of a process; 0 when it is gone."""
    try:
        return _state_and_parent(pid)[1]
    except (OSError, IndexError):
        return 0


def fallen(parent: int) -> set[str]:
    """Tell the programs of a process's children that have ended, and that it has not waited for."""
    found = set()
    for pid in _pids():
        with contextlib.suppress(OSError, IndexError):
            if _state_and_parent(pid) == ("Z", parent):
                found.add(_text(pid, "comm").strip())
    return found


def descendants(ancestor: int) -> set[int]:
    """Find every living process that descends from *ancestor*."""
    parent_of, found, wave = parents(), set[int](), {ancestor}
    while wave:
        wave = {pid for pid, parent in parent_of.items() if parent in wave} - found
        found |= wave
    return found


def marked(marker: str, run_prefix: str) -> set[int]:
    """Find processes with *marker* in their environment or files open under *run_prefix*.

    This process and its ancestors are never among them.
    """
    return {pid for pid in _pids() - _lineage() if _carries(pid, marker, run_prefix)}


def _carries(pid: int, marker: str, run_prefix: str) -> bool:
    home = PROC / str(pid)
    with contextlib.suppress(OSError):
        if f"{MARKER}={marker}".encode() in home.joinpath("environ").read_bytes().split(b"\0"):
            return True
    with contextlib.suppress(OSError):
        for link in home.joinpath("fd").iterdir():
            with contextlib.suppress(OSError):
                if str(link.readlink()).startswith(run_prefix):
                    return True
    return False


def _lineage() -> set[int]:
    parent_of, pid, found = parents(), os.getpid(), set[int]()
    while pid and pid not in found:
        found.add(pid)
        pid = parent_of.get(pid, 0)
    return found


def _pids() -> set[int]:
    return {int(entry) for entry in os.listdir(PROC) if entry.isdigit()}  # noqa: PTH208


def command(pid: int) -> str:
    """Tell a process's command line or title; empty when it is gone."""
    try:
        return _text(pid, "cmdline").replace("\0", " ")
    except OSError:
        return ""


def kill(pids: Iterable[int]) -> None:
    """Kill processes at once; those already gone are passed over."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def kill_marked(
    marker: str, run_prefix: str, *, family: bool = False, patience_s: float = 5.0
) -> int:
    """Kill what carries *marker* until nothing does; with *family*, what descends from us as well.

    Returns how many there were.
    """
    deadline, killed = time.monotonic() + patience_s, set[int]()
    while time.monotonic() < deadline:
        found = marked(marker, run_prefix) | (descendants(os.getpid()) if family else set())
        if not found:
            break
        kill(found)
        killed |= found
        time.sleep(0.02)
    return len(killed)


def reap(keep: Iterable[int]) -> None:
    """Let go of adopted processes that have ended, but not of those in *keep*, which others wait for."""
    ours, kept = os.getpid(), set(keep)
    for pid in _pids():
        with contextlib.suppress(OSError, IndexError):
            state, parent = _state_and_parent(pid)
            if state == "Z" and parent == ours and pid not in kept:
                os.waitpid(pid, os.WNOHANG)


def _state_and_parent(pid: int) -> tuple[str, int]:
    # The command's name stands in parentheses and may hold anything.
    fields = _text(pid, "stat").rpartition(")")[2].split()
    return fields[0], int(fields[1])


def _text(pid: int, file: str) -> str:
    # Names are what their owners made of them: any bytes, cut anywhere.
    return (PROC / str(pid) / file).read_bytes().decode("utf-8", "replace")
