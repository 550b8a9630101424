"""A whole Heartline under load whose files cannot be written for a while: it recovers by itself."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.numbered_load import NumberedLoad
from tests.end_to_end.running import Up, ended, start, until
from tests.immutable import immutable

pytestmark = [pytest.mark.beside, pytest.mark.end_to_end, pytest.mark.timeout(300)]

DISK_MIB = 64
LOCKED_S = 60.0
LOG_LOCKED_S = 8.0  # of these
STALE_MS = 20_000


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of its own, where root may make one; else a directory."""
    folder = tmp_path_factory.mktemp("disk")
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "none", str(folder)]
    mounted = bool(shutil.which("mount")) and not subprocess.run(command, check=False).returncode
    yield folder
    if mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def up(small_disk: Path) -> Iterator[Up]:
    started = start(small_disk / "data", "--stale-limit-ms", str(STALE_MS))
    yield started
    ended(started)


@contextmanager
def load(up: Up, name: str) -> Iterator[NumberedLoad]:
    """Have load meanwhile; afterwards everything is counted once, and nobody started afresh."""
    _, client = up.listener(name)
    running = NumberedLoad(client)
    raylets = up.find("/raylet/raylet ")
    running.start()
    until(lambda: running.acknowledged >= 20)
    yield running
    before = running.acknowledged
    until(lambda: running.acknowledged > before)
    running.finish()
    until(running.is_counted)
    told = json.loads(up.command("recount", "--json"))
    assert (told["differences"], told["unreadable_records"]) == ([], 0)
    assert up.find("/raylet/raylet ") == raylets
    refused = len(running.answers)
    print(f"{name}: {running.sent} requests, {refused} of them sent again, all counted once")  # noqa: T201


def checks_of(up: Up) -> dict[str, str]:
    """Tell which checks of readiness fail, and what they say."""
    checks: dict[str, str] = httpx.get(f"{up.url}/readyz", timeout=30).json()["checks"]
    return {name: found for name, found in checks.items() if found != "ok"}


def assert_refused_clearly(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert answer.json()["error"]["reason"] == "unavailable"


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Fill the disk to its last byte."""
    if not disk.is_mount():
        pytest.skip("a small file system needs root")
    filler = disk / "filler"
    with pytest.raises(OSError, match="No space left"):
        fill(filler)
    try:
        yield
    finally:
        filler.unlink()


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_full_disk_is_told_and_when_there_is_space_again_it_goes_on(
    up: Up, small_disk: Path
) -> None:
    with load(up, "full") as running:
        with full(small_disk):
            until(lambda: len(running.answers) >= 20)
            assert checks_of(up)["log"] == "unavailable"
            told = json.loads(up.command("status", "--json"))
            assert any("no space is left" in each["trouble"] for each in told["partitions"])
            assert_refused_clearly(running.answers[-1])
        until(lambda: checks_of(up) == {})


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=5)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_a_minute_under_a_lock_with_a_shard_that_dies_meanwhile(up: Up) -> None:
    begun_s = time.monotonic()
    with load(up, "locked") as running:
        with locked(up.data / "store.db"):
            shards = up.find("ray::_Shard")
            os.kill(shards[0], signal.SIGKILL)
            before = running.acknowledged
            until(lambda: time.monotonic() - begun_s > LOCKED_S - LOG_LOCKED_S)
            assert not running.answers  # the log took everything
            assert running.acknowledged > before
            assert len(up.find("ray::_Shard")) == len(shards)
            assert checks_of(up).keys() == {"rows", "store"}  # the alarm
            assert json.loads(up.command("status", "--json"))["stale"]
            with locked(up.data / "log.db"):
                log_s = time.monotonic()
                until(lambda: time.monotonic() - log_s > LOG_LOCKED_S)
                assert time.monotonic() - begun_s > LOCKED_S
                assert checks_of(up)["log"] == "no answer"
                assert_refused_clearly(running.answers[-1])
            told = json.loads(up.command("status", "--json"))
            assert told["waiting"] > 0
            assert any("locked by another" in each["trouble"] for each in told["partitions"])
        until(lambda: checks_of(up) == {})


def test_files_that_turn_read_only_are_told_and_it_goes_on_when_that_has_passed(
    tmp_path: Path,
) -> None:
    up = start(tmp_path / "data")
    try:
        with load(up, "read-only") as running:
            store, log = up.data / "store.db", up.data / "log.db"
            before = running.acknowledged
            with immutable(store, wal(store)):
                until(lambda: any_trouble(up, "cannot be written"))
                assert not running.answers
                assert running.acknowledged > before
                with immutable(log, wal(log)):
                    until(lambda: len(running.answers) >= 20)
                    assert checks_of(up)["log"] == "unavailable"
                    assert_refused_clearly(running.answers[-1])
            until(lambda: checks_of(up) == {})
    finally:
        ended(up)


def wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def any_trouble(up: Up, what: str) -> bool:
    told = json.loads(up.command("status", "--json"))
    return any(what in each["trouble"] for each in told["partitions"])
