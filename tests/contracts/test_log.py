"""What every adapter of `domain.ports.Log` does. To add one, add its opener to `ADAPTERS`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from domain.ports import Log
from domain.positions import Generation
from stores.kafka_log import KafkaLog
from stores.sqlite_log import SqliteLog
from tests.clock import Clock, RunningClock
from tests.memory_log import MemoryLog

FIRST = Generation(0, 3)
ALL = 1 << 30

Open = Callable[[], Log]
IN_MEMORY: dict[Path, MemoryLog] = {}


def sqlite(folder: Path, clock: Clock, _kafka: str) -> Log:
    return SqliteLog.open(folder / "log.db", partitions=FIRST.partitions, now_ms=clock)


def memory(folder: Path, clock: Clock, _kafka: str) -> Log:
    """Open what stands for the folder: the fake that other tests rely on."""
    if folder not in IN_MEMORY:
        IN_MEMORY[folder] = MemoryLog(clock, FIRST.partitions)
    return IN_MEMORY[folder].another()


def kafka(folder: Path, clock: Clock, kafka: str) -> Log:
    """Open what the broker has under the folder's name."""
    servers, topic = kafka.removeprefix("kafka://"), f"{folder.parent.name}-{folder.name}"
    return KafkaLog(servers, partitions=FIRST.partitions, now_ms=clock, topic=topic)


ADAPTERS = {"sqlite": sqlite, "memory": memory, "kafka": kafka}


@pytest.fixture(
    params=["sqlite", "memory", pytest.param("kafka", marks=pytest.mark.servers)],
)
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def clock(adapter: str) -> Clock:
    return RunningClock(0) if adapter == "kafka" else Clock(1_000_000)


@pytest.fixture
def clock_to_turn(clock: Clock) -> Clock:
    if isinstance(clock, RunningClock):
        pytest.skip("the brokers have clocks of their own")
    return clock


@pytest.fixture
async def open_log(
    adapter: str, tmp_path: Path, clock: Clock, request: pytest.FixtureRequest
) -> AsyncIterator[Open]:
    """Open one more instance on the same log, as another process would."""
    opened: list[Log] = []
    address = request.getfixturevalue("kafka") if adapter == "kafka" else ""

    def open_one() -> Log:
        opened.append(ADAPTERS[adapter](tmp_path, clock, address))
        return opened[-1]

    yield open_one
    for log in opened:
        await log.close()


@pytest.fixture
def log(open_log: Open) -> Log:
    return open_log()


async def payloads(
    log: Log, partition: int = 0, offset: int = 0, most_bytes: int = ALL
) -> list[bytes]:
    records = await log.read(FIRST, partition, offset, most_bytes=most_bytes)
    return [record.payload for record in records]


async def append_times(log: Log, partition: int) -> list[int]:
    return [record.appended_ms for record in await log.read(FIRST, partition, 0, most_bytes=ALL)]


async def offsets(log: Log, partition: int = 0) -> list[int]:
    return [record.offset for record in await log.read(FIRST, partition, 0, most_bytes=ALL)]


async def test_a_new_log_is_empty(log: Log) -> None:
    assert await log.generation() == FIRST
    assert await log.generations() == [FIRST]
    assert await log.ends(FIRST) == [0, 0, 0]
    assert await payloads(log) == []
    assert await log.trimmed_ms() == 0


async def test_what_is_appended_is_read(log: Log, clock: Clock) -> None:
    before_ms = clock()
    assert await log.append([(1, b"one"), (1, b"")]) == [0, 1]

    records = await log.read(FIRST, 1, 0, most_bytes=ALL)

    assert [(record.offset, record.payload) for record in records] == [(0, b"one"), (1, b"")]
    assert all(before_ms <= record.appended_ms <= clock() for record in records)


async def test_offsets_of_each_partition_are_dense(log: Log) -> None:
    assert await log.append([(0, b"a"), (2, b"b"), (0, b"c")]) == [0, 0, 1]
    assert await log.append([(2, b"d"), (0, b"e")]) == [1, 2]

    assert await log.ends(FIRST) == [3, 0, 2]
    assert [await payloads(log, part) for part in range(3)] == [
        [b"a", b"c", b"e"],
        [],
        [b"b", b"d"],
    ]


async def test_many_records_at_once_keep_their_order(log: Log) -> None:
    records = [(number % 3, b"%d" % number) for number in range(1_000)]

    given = await log.append(records)

    assert given == [number // 3 for number in range(1_000)]
    assert await payloads(log, 1) == [b"%d" % number for number in range(1, 1_000, 3)]


async def test_appends_at_the_same_time_do_not_share_an_offset(open_log: Open) -> None:
    logs = [open_log(), open_log()] * 20

    given = await asyncio.gather(*(log.append([(0, b"a"), (0, b"b")]) for log in logs))

    assert sorted(offset for pair in given for offset in pair) == list(range(80))
    assert all(second == first + 1 for first, second in given)


async def test_nothing_is_appended(log: Log) -> None:
    assert await log.append([]) == []
    assert await log.ends(FIRST) == [0, 0, 0]


@pytest.mark.parametrize("partition", [-1, 3, 1 << 70])
async def test_a_partition_that_is_not_there_is_refused_alone(log: Log, partition: int) -> None:
    outcomes = await asyncio.gather(
        log.append([(0, b"a")]),
        log.append([(0, b"b"), (partition, b"c")]),
        log.append([(0, b"d")]),
        return_exceptions=True,
    )

    assert [outcomes[0], outcomes[2]] == [[0], [1]]
    assert isinstance(outcomes[1], ValueError)
    assert await payloads(log) == [b"a", b"d"]


@pytest.mark.parametrize(
    ("offset", "most_bytes", "expected"),
    [
        pytest.param(0, 6, [b"aaa", b"bbb"], id="up-to-most-bytes-inclusive"),
        pytest.param(0, 5, [b"aaa"], id="not-beyond-most-bytes"),
        pytest.param(0, 0, [b"aaa"], id="at-least-one"),
        pytest.param(1, ALL, [b"bbb", b"ccc"], id="from-the-offset-on"),
        pytest.param(3, ALL, [], id="at-the-end"),
        pytest.param(9, ALL, [], id="beyond-the-end"),
    ],
)
async def test_a_read_keeps_to_its_bounds(
    log: Log, offset: int, most_bytes: int, expected: list[bytes]
) -> None:
    await log.append([(0, b"aaa"), (0, b"bbb"), (1, b"zzz"), (0, b"ccc")])

    assert await payloads(log, 0, offset, most_bytes) == expected


async def test_a_long_read_stops_at_most_bytes(log: Log) -> None:
    await log.append([(0, b"x" * 100)] * 500)

    assert len(await payloads(log, most_bytes=12_345)) == 123


async def test_append_times_never_go_back(log: Log, clock_to_turn: Clock) -> None:
    clock = clock_to_turn
    await log.append([(0, b"a")])
    clock.advance(-500_000)
    await log.append([(0, b"b"), (1, b"c")])
    clock.advance(600_000)
    await log.append([(0, b"d")])

    times = [record.appended_ms for record in await log.read(FIRST, 0, 0, most_bytes=ALL)]
    assert (times[0], times[2]) == (1_000_000, 1_100_000)
    assert 1_000_000 <= times[1] < 1_100_000


async def test_no_later_record_is_earlier_than_the_logs_clock(open_log: Open, clock: Clock) -> None:
    log, other = open_log(), open_log()
    clock.advance(5_000)
    told_ms = await log.now_ms()
    clock.advance(-60_000)  # where it can be turned

    await other.append([(0, b"a")])

    (record,) = await log.read(FIRST, 0, 0, most_bytes=ALL)
    assert record.appended_ms >= told_ms


async def test_the_logs_clock_goes_on_while_nothing_is_appended(log: Log, clock: Clock) -> None:
    await log.append([(0, b"a")])

    for _ in range(3):
        clock.advance(60_000)
        assert abs(await log.now_ms() - clock()) < 1_000


async def test_waiting_ends_with_an_append_of_this_instance(log: Log) -> None:
    waiting = asyncio.create_task(log.wait(60))
    await asyncio.sleep(0)

    await log.append([(0, b"a")])

    async with asyncio.timeout(5):
        await waiting


async def test_waiting_ends_with_an_append_of_another_instance(open_log: Open) -> None:
    log, other = open_log(), open_log()
    waiting = asyncio.create_task(log.wait(60))
    await asyncio.sleep(0)

    await other.append([(0, b"a")])

    async with asyncio.timeout(5):
        await waiting
    assert await payloads(log) == [b"a"]


async def test_an_append_between_two_calls_is_not_waited_for(open_log: Open) -> None:
    log, other = open_log(), open_log()
    await log.wait(0)
    await other.append([(0, b"a")])

    async with asyncio.timeout(5):
        await log.wait(60)


async def test_only_appends_end_the_waiting(open_log: Open, clock: Clock) -> None:
    log, other = open_log(), open_log()
    await other.append([(0, b"a")])
    await log.wait(60)
    clock.advance(60_000)
    await other.now_ms()
    await log.now_ms()
    await other.commit("shards", FIRST, {0: 1})

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await log.wait(60)


async def test_a_commit_is_kept_by_group_and_generation(open_log: Open) -> None:
    log, other = open_log(), open_log()
    await log.append([(0, b"a")] * 5)

    await log.commit("shards", FIRST, {0: 5, 2: 0})

    assert await other.committed("shards", FIRST) == [5, 0, 0]
    assert await other.committed("archive", FIRST) == [0, 0, 0]
    assert await other.committed("shards", Generation(1, 2)) == [0, 0]


async def test_a_commit_never_goes_back(log: Log) -> None:
    await log.append([(0, b"a")] * 5 + [(1, b"b")] * 5)
    await log.commit("shards", FIRST, {0: 4, 1: 2})

    await log.commit("shards", FIRST, {0: 3, 1: 5})
    await log.commit("shards", FIRST, {})

    assert await log.committed("shards", FIRST) == [4, 5, 0]


async def test_a_commit_of_a_partition_that_is_not_there_is_refused(log: Log) -> None:
    with pytest.raises(ValueError, match="no partition 3"):
        await log.commit("shards", FIRST, {3: 1})


async def test_a_new_generation_begins_at_offset_zero(open_log: Open) -> None:
    log, other = open_log(), open_log()
    await log.append([(0, b"old")])

    begun = await log.begin_generation(5)

    assert begun == Generation(1, 5)
    assert await other.generation() == begun
    assert await other.generations() == [FIRST, begun]
    assert await other.append([(4, b"new"), (0, b"new")]) == [0, 0]
    assert await log.ends(begun) == [1, 0, 0, 0, 1]
    assert await payloads(log) == [b"old"]


@pytest.mark.parametrize("partitions", [0, -1, 1_025])
async def test_a_number_of_partitions_without_room_is_refused(log: Log, partitions: int) -> None:
    with pytest.raises(ValueError, match="1 to 1024"):
        await log.begin_generation(partitions)


async def test_old_records_are_trimmed(log: Log, clock: Clock) -> None:
    for _ in range(4):
        await log.append([(0, b"a"), (1, b"b")])
        clock.advance(1_000)
    await log.commit("shards", FIRST, {0: 4, 1: 4})
    times = [await append_times(log, partition) for partition in (0, 1)]
    before_ms = min(of_partition[2] for of_partition in times)

    assert await log.trim(before_ms=before_ms, keep_bytes=ALL) == 4

    assert await offsets(log, 0) == await offsets(log, 1) == [2, 3]
    assert await log.trimmed_ms() == max(of_partition[1] for of_partition in times)
    assert await log.trim(before_ms=before_ms, keep_bytes=ALL) == 0


async def test_the_oldest_records_beyond_the_bytes_are_trimmed(log: Log, clock: Clock) -> None:
    for partition in (0, 1, 0, 1):
        await log.append([(partition, b"x" * 100)])
        clock.advance(1_000)
    await log.commit("shards", FIRST, {0: 2, 1: 2})
    newest_of_0_ms = (await append_times(log, 0))[-1]

    assert await log.trim(before_ms=0, keep_bytes=150) == 3

    assert (await offsets(log, 0), await offsets(log, 1)) == ([], [1])
    assert await log.trimmed_ms() == newest_of_0_ms


async def test_what_fits_the_bytes_exactly_stays(log: Log) -> None:
    await log.append([(0, b"x" * 100)] * 3)
    await log.commit("shards", FIRST, {0: 3})

    assert await log.trim(before_ms=0, keep_bytes=300) == 0


async def test_what_a_group_has_yet_to_read_stays(log: Log) -> None:
    await log.append([(0, b"a")] * 5 + [(1, b"b")] * 5)
    await log.commit("shards", FIRST, {0: 5, 1: 5})
    await log.commit("archive", FIRST, {0: 2})

    assert await log.trim(before_ms=1 << 50, keep_bytes=0) == 2

    assert (await offsets(log, 0), await offsets(log, 1)) == ([2, 3, 4], [0, 1, 2, 3, 4])


async def test_before_any_group_has_read_nothing_is_trimmed(log: Log) -> None:
    await log.append([(0, b"a")])

    assert await log.trim(before_ms=1 << 50, keep_bytes=0) == 0


async def test_thousands_of_records_are_trimmed(log: Log) -> None:
    await log.append([(number % 3, b"x") for number in range(2_000)])
    await log.commit("shards", FIRST, dict(enumerate(await log.ends(FIRST))))

    assert await log.trim(before_ms=1 << 50, keep_bytes=0) == 2_000


async def test_trimmed_offsets_are_not_used_again(log: Log) -> None:
    await log.append([(0, b"a")] * 3)
    await log.commit("shards", FIRST, {0: 3})
    await log.trim(before_ms=1 << 50, keep_bytes=0)

    assert await log.append([(0, b"b")]) == [3]
    assert await offsets(log) == [3]
    assert await log.ends(FIRST) == [4, 0, 0]


async def test_old_generations_are_trimmed_too(log: Log) -> None:
    await log.append([(0, b"a")])
    await log.commit("shards", FIRST, {0: 1})
    begun = await log.begin_generation(1)
    await log.append([(0, b"b")])

    assert await log.trim(before_ms=1 << 50, keep_bytes=0) == 1

    assert len(await log.read(begun, 0, 0, most_bytes=ALL)) == 1


async def test_what_was_appended_is_there_when_opened_again(open_log: Open, clock: Clock) -> None:
    log = open_log()
    await log.append([(0, b"a")])
    await log.close()
    clock.advance(-1_000)

    again = open_log()

    assert await again.append([(0, b"b")]) == [1]
    first_ms, second_ms = await append_times(again, 0)
    assert first_ms <= second_ms


async def test_closing_twice_is_closing_once(log: Log) -> None:
    await log.close()
    await log.close()
