import pytest

from domain.positions import ARCHIVE, SHARDS
from streams.housekeeping import Retention, tidy
from tests.clock import Clock
from tests.memory_log import MemoryLog
from tests.memory_tables import MemoryTables

LONG_AFTER_MS = 1 << 50


@pytest.mark.parametrize(
    ("readers", "read", "removed"),
    [
        pytest.param((), 0, 2, id="nobody-else-reads"),
        pytest.param((ARCHIVE,), 0, 0, id="who-shall-read-has-not-begun"),
        pytest.param((ARCHIVE,), 1, 1, id="who-reads-has-read-one"),
    ],
)
async def test_what_somebody_has_yet_to_read_stays(
    readers: tuple[str, ...], read: int, removed: int
) -> None:
    log = MemoryLog(Clock(), partitions=1)
    for payload in (b"one", b"two"):
        await log.append([(0, payload)])
    await log.commit(SHARDS, await log.generation(), {0: 2})
    if read:
        await log.commit(ARCHIVE, await log.generation(), {0: read})

    retention = Retention(days=1, most_bytes=0, readers=readers)
    records, _ = await tidy(log, MemoryTables(Clock()), retention, LONG_AFTER_MS)

    assert records == removed
