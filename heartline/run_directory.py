"""The directory of one start: Ray's session, HAProxy's files. Made at each start, deleted at its end.

Its path is short, because Unix sockets under it may have 107 bytes, and carries the marker of the
data directory, so that the next start finds it.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

UNIX_SOCKET_BYTES = 107
LONGEST_BELOW = 76  # session_2026-11-21_03-55-58_778378_11037/sockets/plasma_store, and HAProxy's
KEPT_BYTES = 200_000  # of each log of Ray
KEPT_FILES = 60
KEPT_STARTS = 4


def marker_of(data: Path) -> str:
    """Name a data directory in eight letters."""
    return hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:8]


def _base() -> Path:
    base = Path(tempfile.gettempdir())
    fits = (
        len(os.fsencode(base)) + len("/hl-01234567-01234567") + LONGEST_BELOW <= UNIX_SOCKET_BYTES
    )
    return base if fits else Path("/tmp")  # noqa: S108


def run_prefix(marker: str) -> str:
    """Tell how the paths of every run directory of *marker* begin."""
    return str(_base() / f"hl-{marker}-")


def make_run_dir(marker: str) -> Path:
    """Make a new one, readable by us alone."""
    return Path(tempfile.mkdtemp(prefix=f"hl-{marker}-", dir=_base()))


def delete_run_dirs(marker: str) -> None:
    """Delete what earlier starts left."""
    for left in _base().glob(f"hl-{marker}-*"):
        shutil.rmtree(left, ignore_errors=True)


def fresh_log(path: Path) -> BinaryIO:
    """Open an empty log; those of the last starts stay beside it, numbered."""
    path.parent.mkdir(exist_ok=True)
    for number in range(KEPT_STARTS, 0, -1):
        older = path if number == 1 else path.with_suffix(f".log.{number - 1}")
        with contextlib.suppress(FileNotFoundError):
            older.replace(path.with_suffix(f".log.{number}"))
    return path.open("wb")


def keep_logs(run_dir: Path, kept: Path) -> None:
    """Copy the ends of Ray's logs to *kept*, in place of what is there."""
    shutil.rmtree(kept, ignore_errors=True)
    with contextlib.suppress(OSError):
        logs = [path for path in run_dir.glob("ray/session_2*/logs/**/*") if path.is_file()]
        logs.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in logs[:KEPT_FILES]:
            if path.stat().st_size:
                target = kept / str(path.relative_to(run_dir)).split("/logs/", 1)[1]
                target.parent.mkdir(parents=True, exist_ok=True)
                _copy_end(path, target)


def _copy_end(source: Path, target: Path) -> None:
    with source.open("rb") as file:
        file.seek(max(0, source.stat().st_size - KEPT_BYTES))
        target.write_bytes(file.read(KEPT_BYTES))
