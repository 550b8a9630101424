"""A log's file that was put back beside the ``-wal`` of a newer one."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from domain.errors import Unavailable
from stores.sqlite_log import SqliteLog
from stores.wal_pairs import check_pair, renew_pair
from tests.clock import Clock


class Files:
    """A log's directory, as starts and crashes leave it."""

    def __init__(self, folder: Path) -> None:
        self.log, self.wal = folder / "log.db", folder / "log.db-wal"
        self.starts = 0

    async def live(self, records: int = 3) -> None:
        """Start, append, and crash: the ``-wal`` stays."""
        log = SqliteLog.open(self.log, partitions=1, now_ms=Clock())
        self.starts += 1
        renew_pair(self.log, self.starts)
        for _ in range(records):
            await log.append([(0, b"payload")])
        for path in (self.log, self.wal):
            shutil.copy(path, path.with_name(f"{path.name}.crashed"))
        await log.close()
        for path in (self.log, self.wal):
            path.with_name(f"{path.name}.crashed").replace(path)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


async def test_what_was_left_together_belongs_together(files: Files) -> None:
    for _ in range(3):
        await files.live()

    check_pair(files.log)


async def test_an_older_file_beside_a_newer_wal_is_refused(files: Files, tmp_path: Path) -> None:
    await files.live()
    shutil.copy(files.log, tmp_path / "backup")
    await files.live()
    shutil.copy(tmp_path / "backup", files.log)

    with pytest.raises(Unavailable, match="put back the files that were saved together"):
        await files.live()


async def test_an_older_file_with_its_own_wal_or_with_none_is_taken(
    files: Files, tmp_path: Path
) -> None:
    await files.live()
    for path in (files.log, files.wal):
        shutil.copy(path, tmp_path / f"backup-{path.name}")
    await files.live()

    for path in (files.log, files.wal):
        shutil.copy(tmp_path / f"backup-{path.name}", path)
    check_pair(files.log)
    files.wal.unlink()
    check_pair(files.log)


@pytest.mark.parametrize("steps", [1, 2])
async def test_a_start_that_was_cut_short_is_no_pair_of_others(files: Files, steps: int) -> None:
    await files.live()
    with closing(sqlite3.connect(files.log, isolation_level=None)) as connection:
        connection.execute("UPDATE marks SET before = start, start = 77")
        if steps == 2:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        check_pair(files.log)


async def test_a_file_that_is_locked_keeps_its_number(files: Files) -> None:
    await files.live()
    with closing(sqlite3.connect(files.log, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        renew_pair(files.log, 2)

    check_pair(files.log)


def test_what_is_no_log_yet_is_left_to_others(tmp_path: Path) -> None:
    check_pair(tmp_path / "none.db")
    (tmp_path / "empty.db").touch()
    check_pair(tmp_path / "empty.db")
