"""Files that not even root may write, as on a disk that turned read-only: those who have them open too."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def immutable(*paths: Path) -> Iterator[None]:
    """Let nobody write *paths* for a while; skips the test where that cannot be had."""
    _check(paths[0].parent)
    _chattr("+i", *paths)
    try:
        yield
    finally:
        _chattr("-i", *paths)


def _check(folder: Path) -> None:
    """See that the flag binds a file that is open already."""
    probe = folder / "probe"
    with probe.open("wb", buffering=0) as file:
        if shutil.which("chattr") is None or _chattr("+i", probe, check=False):
            pytest.skip("chattr +i needs root and a file system that knows it")
        try:
            file.write(b"x")
        except OSError:
            return
        else:
            pytest.skip("on this file system chattr +i does not bind files that are open")
        finally:
            _chattr("-i", probe)
            probe.unlink()


def _chattr(flag: str, *paths: Path, check: bool = True) -> int:
    command = ["chattr", flag, *map(os.fspath, paths)]
    return subprocess.run(command, check=check, capture_output=True).returncode
