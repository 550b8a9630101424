"""One log and one store, used by several processes at once, and by one that is killed."""

import asyncio
import subprocess
import sys
from pathlib import Path

from domain.ports import StampedRow
from stores.sqlite_log import SqliteLog
from stores.sqlite_tables import SqliteTables
from stores.tables import LISTENING_HOURS
from tests.clock import Clock

ROOT = Path(__file__).parents[2]
PROCESSES, APPENDS = 3, 100

APPENDER = f"""
import asyncio, sys
from stores.sqlite_log import SqliteLog

async def main():
    log = SqliteLog.open(sys.argv[1], partitions=2, now_ms=lambda: 1)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range({APPENDS} // 4):
        name = f"{{sys.argv[2]}} {{number}}".encode()
        given = await asyncio.gather(*(log.append([(0, name), (1, name)]) for _ in range(4)))
        print(*(offset for offset, _ in given), flush=True)
    await log.close()

asyncio.run(main())
"""

ENDLESS = """
import asyncio, itertools, sys
from stores.sqlite_log import SqliteLog

async def main():
    log = SqliteLog.open(sys.argv[1], partitions=1, now_ms=lambda: 1)
    for number in itertools.count():
        await log.append([(0, b"%d" % number)])
        print(number, flush=True)

asyncio.run(main())
"""

ERASER = """
import asyncio, sys
from stores.sqlite_tables import SqliteTables
from stores.tables import LISTENING_HOURS

async def main():
    tables = SqliteTables.open(sys.argv[1], now_ms=lambda: 1)
    await tables.erase_stamped(LISTENING_HOURS, ("ann",), stamp=8)
    await tables.close()

asyncio.run(main())
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def test_processes_that_append_at_once_share_no_offset(tmp_path: Path) -> None:
    path = tmp_path / "log.db"  # which all of them make at once
    processes = [start(APPENDER, path, number) for number in range(PROCESSES)]
    for process in processes:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == "ready\n"
    log = SqliteLog.open(path, partitions=2, now_ms=Clock(5))
    generation = await log.generation()

    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    seen: list[bytes] = []
    async with asyncio.timeout(60):
        while len(seen) < PROCESSES * APPENDS:
            await log.wait(10)
            records = await log.read(generation, 0, len(seen), most_bytes=1 << 20)
            assert [record.offset for record in records] == [
                *range(len(seen), len(seen) + len(records))
            ]
            seen += [record.payload for record in records]
    told = [(await asyncio.to_thread(process.communicate))[0].split() for process in processes]

    assert sorted(int(offset) for offsets in told for offset in offsets) == list(range(len(seen)))
    assert await log.ends(generation) == [PROCESSES * APPENDS] * 2
    for number, offsets in enumerate(told):
        assert {seen[int(offset)].split()[0] for offset in offsets} == {b"%d" % number}
    await log.close()


async def test_what_a_killed_process_was_told_is_there(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with start(ENDLESS, path) as process:
        assert process.stdout is not None
        told = [await asyncio.to_thread(process.stdout.readline) for _ in range(50)]
        process.kill()

    log = SqliteLog.open(path, partitions=1, now_ms=Clock(5))
    records = await log.read(await log.generation(), 0, 0, most_bytes=1 << 20)

    assert len(records) > int(told[-1])
    assert [record.payload for record in records] == [b"%d" % n for n in range(len(records))]
    assert await log.append([(0, b"")]) == [len(records)]
    await log.close()


async def test_what_another_process_erased_stays_erased(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    tables = SqliteTables.open(path, now_ms=Clock())
    rows = [StampedRow(("ann", number), b"x", number) for number in (7, 8)]
    await tables.write_stamped([(LISTENING_HOURS, rows)])

    with start(ERASER, path) as eraser:
        await asyncio.to_thread(eraser.communicate)
    assert eraser.returncode == 0
    await tables.write_stamped([(LISTENING_HOURS, rows)])

    assert await tables.scan_stamped(LISTENING_HOURS, ("ann",)) == [rows[1]]
    await tables.close()
