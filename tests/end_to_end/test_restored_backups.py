"""A log or a store that was restored from a backup, and `up` on it."""

import shutil
from pathlib import Path

import pytest

from actors.listener_shard import ListenerShard
from domain.batches import batch_of
from domain.payloads import encode
from domain.positions import Generation
from stores.listening import Listening
from stores.sqlite_log import SqliteLog
from stores.sqlite_tables import SqliteTables
from tests.actors.test_partition import WEEK_TTL_S, beats
from tests.clock import Clock
from tests.end_to_end.running import heartline

pytestmark = pytest.mark.end_to_end

PARTITIONS = 8
GENERATION = Generation(0, PARTITIONS)


async def listened(data: Path, clock: Clock, *seconds: int) -> None:
    """Append a heartbeat to every partition and make its rows durable, as a running `up` does."""
    tables = SqliteTables.open(data / "store.db", now_ms=clock)
    log = SqliteLog.open(data / "log.db", now_ms=clock, partitions=PARTITIONS)
    rows = Listening(tables, week_ttl_s=WEEK_TTL_S)
    shard = ListenerShard(
        GENERATION, listening=rows, log=log, commit_window_ms=60_000, now_ms=clock
    )
    clock.advance(1_000)
    payload = encode(batch_of(beats(*seconds)))
    await log.append([(partition, payload) for partition in range(PARTITIONS)])
    for partition in range(PARTITIONS):
        wanted = await shard.open(partition)
        records = await log.read(GENERATION, partition, wanted, most_bytes=1 << 20)
        await shard.apply(partition, wanted, records)
    await shard.close()
    await tables.close()
    await log.close()


async def test_a_log_that_is_shorter_than_what_was_committed_is_refused_in_a_line(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    clock = Clock()
    await listened(data, clock, 0, 30)
    shutil.copy(data / "log.db", tmp_path / "backup.db")
    await listened(data, clock, 60)
    shutil.copy(tmp_path / "backup.db", data / "log.db")

    done = heartline("up", "--data", str(data), "--port", "1")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "heartline: the log of partition 0 ends at 1, but 2 was committed: restore the newer log,"
        " or begin a new generation with --new-generation\n"
    )


async def test_a_database_that_is_damaged_is_refused_in_a_line(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    clock = Clock()
    await listened(data, clock, 0, 30)
    store = data / "store.db"
    store.write_bytes(store.read_bytes()[:4096] + bytes(8192))

    done = heartline("up", "--data", str(data), "--port", "1")

    assert done.returncode == 1
    assert done.stderr.startswith(f"heartline: {store} is damaged (")
    assert done.stderr.endswith("restore it from a backup\n")
    assert done.stderr.count("\n") == 1
