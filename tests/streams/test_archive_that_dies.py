import asyncio
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from domain.batches import batch_of
from domain.heartbeats import Heartbeat, Kind
from domain.payloads import encode
from domain.positions import ARCHIVE
from heartline.settings import Settings
from heartline.warehouses import open_warehouse
from heartline.wiring import open_log
from stores.warehouse import BUCKETS
from streams.archive import Archive
from tests.clock import MONDAY_MS

ROOT = Path(__file__).resolve().parents[2]
RECORDS = 120
DYING = "tests.streams.archive_that_dies"
CALL = "import sys; from heartline.cli import main; sys.exit(main())"


async def filled(settings: Settings) -> None:
    log = open_log(settings)
    for number in range(RECORDS):
        beat = Heartbeat(
            id=f"h{number}",
            listener_id=f"listener-{number}",
            track_id="t",
            kind=Kind.BEAT,
            at=MONDAY_MS + number,
        )
        await log.append([(number % settings.partitions, encode(batch_of([beat])))])
    await log.close()


async def held(settings: Settings) -> list[str]:
    """Archive what is left; tells the ids of all heartbeats that are then there."""
    log, warehouse = open_log(settings), open_warehouse(settings, make=True)
    await Archive(log, warehouse).write_all()
    generation = await log.generation()
    assert await log.committed(ARCHIVE, generation) == await log.ends(generation)
    await log.close()
    return sorted(
        name
        for bucket in range(BUCKETS)
        for name in warehouse.read(
            ["id"], bucket=bucket, first_ms=MONDAY_MS, last_ms=MONDAY_MS + RECORDS
        )
        .column("id")
        .to_pylist()
    )


@pytest.mark.parametrize("point", ["before", "after"])
def test_nothing_is_missing_or_there_twice_after_a_kill(point: str, tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    asyncio.run(filled(settings))

    killed = subprocess.run(
        [sys.executable, "-m", DYING, str(tmp_path), point], cwd=ROOT, timeout=60, check=False
    )

    assert killed.returncode == -signal.SIGKILL
    assert asyncio.run(held(settings)) == sorted(f"h{number}" for number in range(RECORDS))


@pytest.mark.parametrize("seed", range(1))
def test_archives_that_are_killed_at_any_moment_beside_another(seed: int, tmp_path: Path) -> None:
    settings, rng = Settings(tmp_path), random.Random(seed)
    asyncio.run(filled(settings))
    command = [sys.executable, "-c", CALL, "archive", "--once", "--data", str(tmp_path)]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) for _ in range(2)]

    written = tmp_path / "warehouse" / "heartbeats" / "_delta_log"
    until_s = time.monotonic() + 60
    while not written.exists() and time.monotonic() < until_s:
        assert any(each.poll() is None for each in running)
    moment_s = time.monotonic() + rng.random() / 2
    while time.monotonic() < moment_s:
        pass
    for each in running:
        with each:
            each.kill()

    assert asyncio.run(held(settings)) == sorted(f"h{number}" for number in range(RECORDS))
