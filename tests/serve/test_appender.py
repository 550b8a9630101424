import asyncio
from collections.abc import Sequence

import pytest

from domain.batches import SCHEMA, batch_of
from domain.errors import Unavailable
from domain.heartbeat_items import Columns
from domain.heartbeats import Heartbeat, Kind
from serve import appender
from serve.appender import Appender
from serve.held_bodies import Overloaded
from tests.serve.recording_log import RecordingLog


def beats(count: int, listener_id: str = "ann", start: int = 0) -> list[Heartbeat]:
    return [
        Heartbeat(
            id=f"{listener_id}-{number}",
            listener_id=listener_id,
            track_id="t",
            kind=Kind.BEAT,
            at=1_795_000_000_000 + number,
        )
        for number in range(start, start + count)
    ]


def columns(taken: Sequence[Heartbeat]) -> Columns:
    return [[getattr(beat, name) for beat in taken] for name in SCHEMA.names]


def by_id(taken: Sequence[Heartbeat]) -> list[Heartbeat]:
    return sorted(taken, key=lambda beat: beat.id)


async def started(log: RecordingLog) -> None:
    async with asyncio.timeout(5):
        await log.asked.wait()
    log.asked.clear()


async def test_what_comes_together_is_appended_together() -> None:
    log = RecordingLog(partitions=1)
    door = Appender(log)

    await asyncio.gather(*(door.append(columns(beats(1, f"l{n}")), 100) for n in range(50)))

    assert len(log.appends) == 1
    assert len(log.appends[0]) == 1
    assert [beat.listener_id for beat in log.heartbeats()] == [f"l{n}" for n in range(50)]


async def test_what_comes_during_an_append_goes_with_the_next() -> None:
    log = RecordingLog(partitions=1)
    door = Appender(log, linger_ms=0)
    log.open.clear()
    first = asyncio.create_task(door.append(columns(beats(1, "first")), 100))
    await started(log)
    others = [asyncio.create_task(door.append(columns(beats(1, f"l{n}")), 100)) for n in range(9)]
    await asyncio.sleep(0)

    log.open.set()
    await asyncio.gather(first, *others)

    assert [len(records) for records in log.appends] == [1, 1]
    assert len(log.heartbeats()) == 10


async def test_a_large_group_does_not_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appender, "GROUP_ROWS", 10)
    log = RecordingLog()
    door = Appender(log, linger_ms=3_600_000)

    async with asyncio.timeout(5):
        await asyncio.gather(*(door.append(columns(beats(5, f"l{n}")), 100) for n in range(2)))

    assert len(log.appends) == 1


async def test_a_group_ends_where_it_would_grow_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appender, "GROUP_ROWS", 10)
    log = RecordingLog()
    door = Appender(log, linger_ms=3_600_000)

    async with asyncio.timeout(5):
        await asyncio.gather(
            *(door.append(columns(beats(6, f"l{n}")), 100) for n in range(2)),
            *(door.append(columns(beats(10, f"m{n}")), 100) for n in range(2)),
        )

    assert len(log.appends) == 4
    assert len(log.heartbeats()) == 32


async def test_a_large_group_is_encoded_in_a_thread_all_the_same() -> None:
    log = RecordingLog()
    taken = beats(appender.THREAD_ROWS, "ann")

    await Appender(log).append(batch_of(taken), 100)

    assert by_id(log.heartbeats()) == by_id(taken)


@pytest.mark.parametrize("failure", [Unavailable("away"), TimeoutError(), ZeroDivisionError()])
async def test_when_the_log_fails_everybody_hears_and_the_next_group_goes_on(
    failure: Exception,
) -> None:
    log = RecordingLog()
    log.failures.append(failure)
    door = Appender(log)

    outcomes = await asyncio.gather(
        *(door.append(columns(beats(1, f"l{n}")), 100) for n in range(5)), return_exceptions=True
    )
    await door.append(columns(beats(1, "later")), 100)

    kind = ZeroDivisionError if isinstance(failure, ZeroDivisionError) else Unavailable
    assert [type(outcome) for outcome in outcomes] == [kind] * 5
    assert [beat.listener_id for beat in log.heartbeats()] == ["later"]


async def test_a_log_that_hangs_is_unavailable_after_a_while() -> None:
    log = RecordingLog()
    log.open.clear()
    door = Appender(log, linger_ms=0, timeout_s=0.01)

    with pytest.raises(Unavailable, match=r"did not answer within 0\.01 s"):
        await door.append(columns(beats(1)), 100)

    log.open.set()
    await door.append(columns(beats(1)), 100)


async def test_a_request_that_is_cancelled_takes_nothing_with_it() -> None:
    log = RecordingLog()
    log.open.clear()
    door = Appender(log, linger_ms=0)
    requests = [asyncio.create_task(door.append(columns(beats(1, f"l{n}")), 100)) for n in range(3)]
    await started(log)

    requests[0].cancel()
    await asyncio.wait(requests[:1])
    log.open.set()
    await asyncio.gather(*requests[1:])

    assert requests[0].cancelled()
    assert len(log.heartbeats()) == 3


async def test_too_many_heartbeats_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appender, "MOST_WAITING_ROWS", 10)
    log = RecordingLog()
    log.open.clear()
    door = Appender(log, linger_ms=0)
    request = asyncio.create_task(door.append(columns(beats(8)), 100))
    await started(log)

    with pytest.raises(Overloaded):
        await door.append(columns(beats(3)), 100)

    log.open.set()
    await request
    await door.append(columns(beats(3)), 100)


async def test_too_many_bytes_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appender, "MOST_WAITING_BYTES", 1_000)
    log = RecordingLog()
    log.open.clear()
    door = Appender(log, linger_ms=0)
    request = asyncio.create_task(door.append(columns(beats(1)), 900))
    await started(log)

    with pytest.raises(Overloaded):
        await door.append(columns(beats(1)), 101)

    log.open.set()
    await request


async def test_what_is_too_large_for_waiting_is_taken_when_nothing_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(appender, "MOST_WAITING_ROWS", 10)
    log = RecordingLog()

    await Appender(log).append(columns(beats(11)), 100)

    assert len(log.heartbeats()) == 11


async def test_room_comes_back_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appender, "MOST_WAITING_ROWS", 10)
    log = RecordingLog()
    log.failures.append(Unavailable("away"))
    door = Appender(log)

    with pytest.raises(Unavailable):
        await door.append(columns(beats(10)), 100)

    await door.append(columns(beats(10)), 100)


async def test_closing_waits_for_what_was_brought() -> None:
    log = RecordingLog()
    door = Appender(log)
    request = asyncio.create_task(door.append(columns(beats(1)), 100))
    await asyncio.sleep(0)

    await door.close()

    assert len(log.heartbeats()) == 1
    await request


async def test_closing_what_was_never_used_is_quick() -> None:
    await Appender(RecordingLog()).close()


async def test_partitions_are_those_of_the_newest_generation() -> None:
    log = RecordingLog(partitions=1)
    door = Appender(log)
    await log.begin_generation(64)

    await asyncio.gather(*(door.append(columns(beats(1, f"l{n}")), 100) for n in range(50)))

    assert len(log.heartbeats()) == 50
    assert len(log.appends[0]) > 1
