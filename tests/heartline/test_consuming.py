from dataclasses import replace
from pathlib import Path

from domain.positions import SHARDS, Generation
from heartline.consuming import align
from heartline.settings import Settings
from tests.clock import Clock
from tests.memory_log import MemoryLog

EMBEDDED = Settings(Path())
ON_KAFKA = replace(EMBEDDED, log="kafka://host:9092/plays")


async def test_the_consumers_group_is_brought_to_where_the_shards_are_in_every_generation() -> None:
    log = MemoryLog(Clock(0), partitions=2)
    await log.commit(SHARDS, Generation(0, 2), {0: 5, 1: 7})
    await log.begin_generation(3)
    await log.commit(SHARDS, Generation(1, 3), {2: 4})

    await align(log, ON_KAFKA)

    assert await log.committed("plays.consumers", Generation(0, 2)) == [5, 7]
    assert await log.committed("plays.consumers", Generation(1, 3)) == [0, 0, 4]


async def test_a_log_in_the_data_directory_has_no_such_group() -> None:
    log = MemoryLog(Clock(0), partitions=1)
    await log.commit(SHARDS, Generation(0, 1), {0: 5})

    await align(log, EMBEDDED)

    assert {group for group, *_ in log.commits} == {SHARDS}
