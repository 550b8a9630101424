"""A machine that loses its power: what lies behind the last fsync is garbage, or is not there.

Each round writes, takes the files as they were after some write was acknowledged, tears the
write-ahead log behind (or before) that point, and opens what is left.
"""

import random
import struct
from pathlib import Path

import pytest

from domain.errors import Unavailable
from domain.ports import StampedRow
from domain.positions import Generation
from stores.sqlite_log import SqliteLog
from stores.sqlite_tables import SqliteTables
from stores.tables import LISTENING_HOURS
from tests.clock import Clock

ROUNDS = 40
WRITES = 12
WAL_HEAD, FRAME_HEAD = 32, 24
GENERATION = Generation(0, 1)
SIDES = ("", "-wal", "-shm")


def snapshot(path: Path) -> dict[str, bytes]:
    """Take the files of a database as a power failure would leave them, at best."""
    return {side: beside(path, side).read_bytes() for side in SIDES if beside(path, side).exists()}


def restore(path: Path, files: dict[str, bytes]) -> None:
    for side in SIDES:
        beside(path, side).unlink(missing_ok=True)
    for side, content in files.items():
        beside(path, side).write_bytes(content)


def beside(path: Path, side: str) -> Path:
    return path.with_name(path.name + side)


def committed_end(wal: bytes) -> int:
    """Find where the last commit of a write-ahead log ends (sqlite.org/fileformat2.html#walformat)."""
    if len(wal) < WAL_HEAD:
        return 0
    (page,), salts = struct.unpack(">I", wal[8:12]), wal[16:24]
    end, at = 0, WAL_HEAD
    while at + FRAME_HEAD + page <= len(wal) and wal[at + 8 : at + 16] == salts:
        pages_after_commit = struct.unpack(">I", wal[at + 4 : at + 8])[0]
        at += FRAME_HEAD + page
        end = at if pages_after_commit else end
    return end


def torn_behind(rng: random.Random, files: dict[str, bytes]) -> dict[str, bytes]:
    """Tear what lies behind the last commit: cut it off, or put garbage or an older frame there."""
    wal = files.get("-wal", b"")
    end = committed_end(wal)
    kept, stale = wal[:end], wal[WAL_HEAD:end] or bytes(64)
    start = rng.randrange(len(stale))
    tail = rng.choice(
        (
            b"",
            rng.randbytes(rng.randrange(1, 20_000)),
            bytes(rng.randrange(1, 20_000)),
            stale[start : start + rng.randrange(1, 10_000)],
            stale[-rng.randrange(1, len(stale) + 1) :],
        )
    )
    return {**files, "-wal": kept + tail, "-shm": torn_index(rng, files.get("-shm", b""))}


def torn_index(rng: random.Random, index: bytes) -> bytes:
    """Tear the shared-memory index, which nothing durable is in."""
    cut = rng.randrange(len(index) + 1)
    return rng.choice(
        (b"", index, index[:cut], rng.randbytes(len(index)), index[:cut] + rng.randbytes(999))
    )


async def kept_by_the_log(path: Path) -> list[bytes]:
    log = SqliteLog.open(path, partitions=1, now_ms=Clock())
    try:
        records = await log.read(GENERATION, 0, 0, most_bytes=1 << 30)
        assert [record.offset for record in records] == list(range(len(records)))
        assert await log.ends(GENERATION) == [len(records)]
        assert await log.append([(0, b"goes on")]) == [len(records)]
        return [record.payload for record in records]
    finally:
        await log.close()


async def kept_by_the_store(path: Path) -> dict[str, tuple[int, bytes]]:
    tables = SqliteTables.open(path, now_ms=Clock())
    try:
        keys = [(f"ann{number}", 1) for number in range(WRITES)]
        rows = await tables.read_stamped(LISTENING_HOURS, keys)
        await tables.write_stamped([(LISTENING_HOURS, [StampedRow(("bob", 1), b"on", 4)])])
        return {str(row.key[0]): (row.stamp, row.state) for row in rows if row}
    finally:
        await tables.close()


def payloads(rng: random.Random) -> list[bytes]:
    return [rng.randbytes(rng.choice((1, 50, 3_000, 30_000))) for _ in range(WRITES)]


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_a_log_that_was_torn_behind_its_last_commit_has_all_that_was_acknowledged(
    tmp_path: Path, seed: int
) -> None:
    rng, path = random.Random(seed), tmp_path / "log.db"
    acknowledged, survives = payloads(rng), rng.randrange(1, WRITES + 1)
    log = SqliteLog.open(path, partitions=1, now_ms=Clock())
    for payload in acknowledged[:survives]:
        await log.append([(0, payload)])
    files = snapshot(path)
    await log.close()

    restore(path, torn_behind(rng, files))

    assert await kept_by_the_log(path) == acknowledged[:survives]


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_a_store_that_was_torn_behind_its_last_commit_has_all_that_was_acknowledged(
    tmp_path: Path, seed: int
) -> None:
    rng, path = random.Random(seed), tmp_path / "store.db"
    states, expected = payloads(rng), {}
    tables = SqliteTables.open(path, now_ms=Clock())
    for number in range(rng.randrange(1, WRITES + 1)):
        name, stamp = f"ann{rng.randrange(WRITES)}", 4 * (number + 1)
        row = StampedRow((name, 1), states[number], stamp)
        await tables.write_stamped([(LISTENING_HOURS, [row])])
        expected[name] = (stamp, states[number])
    files = snapshot(path)
    await tables.close()

    restore(path, torn_behind(rng, files))

    assert await kept_by_the_store(path) == expected


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_a_log_that_was_torn_anywhere_has_what_was_acknowledged_before_that_point(
    tmp_path: Path, seed: int
) -> None:
    rng, path = random.Random(seed), tmp_path / "log.db"
    acknowledged, ends = payloads(rng), []
    log = SqliteLog.open(path, partitions=1, now_ms=Clock())
    for payload in acknowledged:
        await log.append([(0, payload)])
        ends.append(committed_end(beside(path, "-wal").read_bytes()))
    files = snapshot(path)
    await log.close()
    tear = rng.randrange(ends[0], ends[-1] + 1)
    wal = files["-wal"]
    rest = wal[tear : ends[-1]]
    files["-wal"] = wal[:tear] + rng.choice((b"", rng.randbytes(len(rest))))

    restore(path, {**files, "-shm": torn_index(rng, files["-shm"])})

    assert await kept_by_the_log(path) == acknowledged[: sum(end <= tear for end in ends)]


@pytest.mark.parametrize("seed", range(20))
async def test_after_a_checkpoint_a_tear_behind_the_last_commit_loses_nothing(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stores.sqlite.PRAGMAS", ("PRAGMA wal_autocheckpoint = 8",))
    rng, path = random.Random(seed), tmp_path / "log.db"
    acknowledged = payloads(rng)
    log = SqliteLog.open(path, partitions=1, now_ms=Clock())
    for payload in acknowledged:  # old frames are overwritten, round and round
        await log.append([(0, payload)])
    files = snapshot(path)
    await log.close()
    assert committed_end(files["-wal"]) <= len(files["-wal"])

    restore(path, torn_behind(rng, files))

    assert await kept_by_the_log(path) == acknowledged


async def test_a_torn_database_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    log = SqliteLog.open(path, partitions=1, now_ms=Clock())
    await log.append([(0, bytes(100_000))])
    await log.close()
    content = path.read_bytes()
    path.write_bytes(content[:5000])

    with pytest.raises(Unavailable, match=r"is damaged .*: restore it from a backup"):
        await kept_by_the_log(path)
