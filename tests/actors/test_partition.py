"""One partition: exactly once, whatever dies or wakes up late."""

from collections.abc import AsyncIterator, Callable, Sequence
from operator import attrgetter
from pathlib import Path

import pytest

from actors.partition import Partition
from domain import recount
from domain.errors import LogBehindStore, Unavailable
from domain.heartbeats import Heartbeat, Kind
from domain.payloads import encode_erase
from domain.ports import DeadLetters, Key, StampedRow, Table
from domain.positions import SHARDS, Generation
from domain.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from stores.listening import Listening, Progress
from stores.sqlite_tables import SqliteTables
from stores.tables import LISTENING_HOURS, PLAYS, TRACK_PLAYS
from tests.clock import Clock
from tests.memory_dead_letters import Drawer
from tests.memory_log import MemoryLog

START = 1_795_000_000_000 // HOUR_MS * HOUR_MS + 10 * MINUTE_MS
GENERATION = Generation(0, 1)
WEEK_TTL_S = 90 * 86_400

Noted = Callable[[int, Sequence[str]], None]


def beats(
    *seconds: float, listener: str = "ann", play: str = "p1", track: str = "t1", base: int = START
) -> list[Heartbeat]:
    return [
        Heartbeat(
            id=f"{play}-{second}",
            listener_id=listener,
            track_id=track,
            play_id=play,
            kind=Kind.BEAT,
            at=base + int(second * SECOND_MS),
            context="album:1",
        )
        for second in seconds
    ]


class Broken(Exception):
    """Raised by a store for a reason that nobody expects."""


class Flaky:
    """A store that fails to write stamped rows when told to, or breaks at a table."""

    failures = 0
    breaks_at: Table | None = None
    erases_at: Table | None = None

    def __init__(self, tables: SqliteTables) -> None:
        self.tables = tables
        self.scan_stamped, self.slice_stamped = tables.scan_stamped, tables.slice_stamped
        self.count_stamped = tables.count_stamped
        self.erase_stamped, self.close = tables.erase_stamped, tables.close
        self.read, self.scan, self.sweep = tables.read, tables.scan, tables.sweep
        self.write_if, self.delete_if = tables.write_if, tables.delete_if

    async def read_stamped(self, table: Table, keys: Sequence[Key]) -> list[StampedRow | None]:
        self._break(table)
        if table is self.erases_at:
            self.erases_at = None
            await Listening(self, week_ttl_s=WEEK_TTL_S).erase("ann")
        return await self.tables.read_stamped(table, keys)

    async def write_stamped(self, writes: Sequence[tuple[Table, Sequence[StampedRow]]]) -> None:
        for table, _ in writes:
            self._break(table)
        if self.failures:
            self.failures -= 1
            raise Unavailable("the store is away")
        await self.tables.write_stamped(writes)

    def _break(self, table: Table) -> None:
        if table is self.breaks_at:
            self.breaks_at = None
            raise Broken(table.name)


class House:
    """A log, a store, and as many partitions over them as a test wants."""

    def __init__(self, directory: Path) -> None:
        self.clock = Clock(START)
        self.log = MemoryLog(self.clock, partitions=1)
        self.tables = Flaky(SqliteTables.open(directory / "store.db", now_ms=self.clock))
        self.listening = Listening(self.tables, week_ttl_s=WEEK_TTL_S)
        self.slept: list[float] = []

    def partition(
        self, noted: Noted | None = None, dead_letters: DeadLetters | None = None
    ) -> Partition:
        return Partition(
            GENERATION,
            0,
            listening=self.listening,
            log=self.log,
            now_ms=self.clock,
            dead_letters=dead_letters,
            sleep=self._sleep,
            noted=noted,
        )

    async def feed(self, partition: Partition, *, until: int | None = None) -> int:
        wanted = await partition.open()
        records = await self.log.read(GENERATION, 0, wanted, most_bytes=1 << 20)
        return await partition.apply(
            wanted, [r for r in records if until is None or r.offset < until]
        )

    async def listened_ms(self, listener: str = "ann") -> int:
        first = (START - 40 * DAY_MS) // (15 * MINUTE_MS)
        last = (START + DAY_MS) // (15 * MINUTE_MS)
        quarters = await self.listening.quarters(listener, first, last, now_ms=self.clock())
        return int(quarters.listened_ms.sum())

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    yield made
    await made.tables.close()


async def test_what_was_applied_is_in_the_rows_after_a_flush(house: House) -> None:
    await house.log.put(beats(0, 30, 60))
    partition = house.partition()

    await house.feed(partition)
    await partition.flush()

    assert await house.listened_ms() == MINUTE_MS
    (play,) = await house.listening.plays_before("ann", None, 10)
    assert (play.track_id, play.ms_played, play.counted) == ("t1", MINUTE_MS, True)
    assert (play.played_at_ms, play.context) == (START, "album:1")
    assert await house.listening.track_plays(["t1"]) == [1]
    assert await house.log.committed(SHARDS, GENERATION) == [1]


async def test_a_record_that_comes_too_early_is_not_applied(house: House) -> None:
    await house.log.put(beats(0))
    await house.log.put(beats(30))
    partition = house.partition()
    records = await house.log.read(GENERATION, 0, 1, most_bytes=1 << 20)

    assert await partition.apply(1, records) == 0
    await partition.flush()

    assert await house.listened_ms() == 0


async def test_a_record_that_comes_again_changes_nothing(house: House) -> None:
    await house.log.put(beats(0, 30))
    await house.log.put(beats(60))
    partition = house.partition()
    records = await house.log.read(GENERATION, 0, 0, most_bytes=1 << 20)

    assert await partition.apply(0, records) == 2
    assert await partition.apply(0, records) == 2
    await partition.flush()

    assert await house.listened_ms() == MINUTE_MS
    assert await house.listening.track_plays(["t1"]) == [1]


async def test_a_crash_before_the_flush_loses_nothing(house: House) -> None:
    await house.log.put(beats(0, 30))
    first = house.partition()
    await house.feed(first)
    await first.flush()
    await house.log.put(beats(60))
    await house.feed(first)

    second = house.partition()
    await house.feed(second)
    await second.flush()

    assert await house.listened_ms() == MINUTE_MS
    assert await house.listening.track_plays(["t1"]) == [1]


async def test_a_zombie_that_wakes_up_late_changes_nothing(house: House) -> None:
    await house.log.put(beats(0))
    zombie = house.partition()
    await house.feed(zombie)
    await house.log.put(beats(30, 60))
    heir = house.partition()
    await house.feed(heir)
    await heir.flush()

    await zombie.flush()

    assert await house.listened_ms() == MINUTE_MS
    assert await house.listening.track_plays(["t1"]) == [1]
    assert await house.log.committed(SHARDS, GENERATION) == [2]


async def test_an_owner_that_slept_until_records_were_trimmed_begins_with_the_rows_of_others(
    house: House,
) -> None:
    await house.log.put(beats(0))
    sleeper = house.partition()
    await house.feed(sleeper)
    await house.log.put(beats(30, 60))
    heir = house.partition()
    await house.feed(heir)
    await heir.flush()
    await house.log.trim(before_ms=0, keep_bytes=0)
    await house.log.put(beats(90))

    assert await house.feed(sleeper) == 3
    await sleeper.flush()

    assert await house.listened_ms() == 90 * SECOND_MS
    assert await house.listening.track_plays(["t1"]) == [1]
    assert await house.log.committed(SHARDS, GENERATION) == [3]


async def test_the_store_being_away_delays_and_loses_nothing(house: House) -> None:
    await house.log.put(beats(0, 30, 60))
    partition = house.partition()
    await house.feed(partition)

    house.tables.failures = 3
    await partition.flush()

    assert len(house.slept) == 3
    assert await house.listened_ms() == MINUTE_MS


async def test_a_play_is_counted_once_over_a_crash_between_rows_and_subtotals(house: House) -> None:
    await house.log.put(beats(0, 30))
    first = house.partition()
    await house.feed(first)
    dues = first._take()
    await house.listening.write(dues.rows, 1)

    second = house.partition()
    await house.feed(second)
    await second.flush()

    assert await house.listening.track_plays(["t1"]) == [1]


@pytest.mark.parametrize("table", [LISTENING_HOURS, PLAYS], ids=attrgetter("name"))
async def test_an_apply_that_breaks_leaves_nothing_behind(house: House, table: Table) -> None:
    await house.log.put(beats(0, 20))
    first = house.partition()
    await house.feed(first)
    await first.flush()
    await house.log.put(beats(40))
    second = house.partition()
    house.tables.breaks_at = table
    with pytest.raises(Broken):
        await house.feed(second)
    await second.flush()
    between = await house.listening.progress(0, 0)

    await house.feed(second)
    await second.flush()

    assert between == Progress(START, 1)
    assert await house.listened_ms() == 40 * SECOND_MS
    assert await house.listening.track_plays(["t1"]) == [1]
    assert await house.log.committed(SHARDS, GENERATION) == [2]


@pytest.mark.parametrize("table", [LISTENING_HOURS, TRACK_PLAYS], ids=attrgetter("name"))
async def test_what_a_broken_flush_had_taken_is_written_by_the_next(
    house: House, table: Table
) -> None:
    await house.log.put(beats(0, 30))
    partition = house.partition()
    await house.feed(partition)
    house.tables.breaks_at = table
    with pytest.raises(Broken):
        await partition.flush()

    await partition.flush()

    assert await house.listened_ms() == 30 * SECOND_MS
    assert await house.listening.track_plays(["t1"]) == [1]
    assert await house.log.committed(SHARDS, GENERATION) == [1]


async def test_a_store_from_an_older_backup_is_made_good_from_the_log(house: House) -> None:
    await house.log.put(beats(0, 30))
    await house.log.commit(SHARDS, GENERATION, {0: 1})
    partition = house.partition()

    assert await house.feed(partition) == 1
    await partition.flush()

    assert await house.listened_ms() == 30 * SECOND_MS


async def test_old_hours_are_loaded_when_a_late_heartbeat_touches_them(house: House) -> None:
    await house.log.put(beats(0, 60))
    first = house.partition()
    await house.feed(first)
    await first.flush()
    await house.log.put(beats(30, 90))

    second = house.partition()
    await house.feed(second)
    await second.flush()

    assert await house.listened_ms() == 90 * SECOND_MS


async def test_rows_survive_forgetting_and_coming_back(house: House) -> None:
    partition = house.partition()
    for number in range(45):
        await house.log.put(beats(number * 60, number * 60 + 30, play=f"p{number}"))
        await house.feed(partition)
        await partition.flush()
    await house.log.put(beats(45, play="p0"))
    await house.feed(partition)
    await partition.flush()

    assert await house.listened_ms() == 45 * 30 * SECOND_MS + 15 * SECOND_MS
    assert await house.listening.track_plays(["t1"]) == [45]
    assert len(await house.listening.plays_before("ann", None, 100)) == 45


async def test_an_expired_week_row_is_made_from_its_hours(house: House) -> None:
    await house.log.put(beats(0, 30, 60))
    first = house.partition()
    await house.feed(first)
    await first.flush()
    house.clock.advance(100 * DAY_MS)
    await house.log.put(beats(90))

    second = house.partition()
    await house.feed(second)
    before = await house.listened_ms()
    await second.flush()

    assert before == MINUTE_MS
    assert await house.listened_ms() == 90 * SECOND_MS


async def test_an_erased_listener_stays_erased(house: House) -> None:
    await house.log.put(beats(0, 30))
    partition = house.partition()
    await house.feed(partition)
    await partition.flush()
    await house.log.append([(0, encode_erase("ann"))])
    await house.log.put(beats(60))
    await house.feed(partition)
    await partition.flush()
    await house.log.put(beats(90, 120))
    second = house.partition()

    await house.feed(second)
    await second.flush()

    assert await house.listened_ms() == 0
    assert await house.listening.plays_before("ann", None, 10) == []
    assert await house.listening.track_plays(["t1"]) == [1]


async def written(house: House, *seconds: float) -> None:
    """Append, and have a shard write it, which then is gone."""
    await house.log.put(beats(*seconds))
    first = house.partition()
    await house.feed(first)
    await first.flush()


async def test_a_play_is_not_counted_again_when_it_is_erased_while_it_is_loaded(
    house: House,
) -> None:
    await written(house, 0, 30)
    await house.log.put(beats(60, 90))

    second = house.partition()
    house.tables.erases_at = LISTENING_HOURS
    await house.feed(second)
    await second.flush()

    assert await house.listening.track_plays(["t1"]) == [1]


async def test_a_play_is_not_counted_again_when_it_is_erased_before_it_is_loaded(
    house: House,
) -> None:
    await written(house, 0, 30)
    await house.log.put(beats(0, play="p2", track="t2"))
    await house.log.put(beats(60, 90))

    second = house.partition()
    await house.feed(second, until=2)
    await house.listening.erase("ann")
    await house.feed(second)
    await second.flush()

    assert await house.listening.track_plays(["t1"]) == [1]


async def test_progress_is_the_append_time_up_to_which_rows_are_complete(house: House) -> None:
    await house.log.put(beats(0))
    partition = house.partition()
    await house.feed(partition)
    await partition.flush()
    busy = await house.listening.progress(0, 0)
    house.clock.advance(5_000)
    await partition.caught_up(1, house.clock())
    await partition.flush()

    assert busy == Progress(START, 1)
    assert await house.listening.progress(0, 0) == Progress(START + 5_000, 1)


async def test_being_caught_up_to_another_offset_says_nothing(house: House) -> None:
    await house.log.put(beats(0))
    partition = house.partition()
    assert await partition.caught_up(1, START + 9_000) == 0
    await partition.flush()

    assert (await house.listening.progress(0, 0)).complete_ms == 0


async def test_a_log_that_ends_before_what_was_written_is_refused(house: House) -> None:
    await house.log.put(beats(0))
    await house.log.put(beats(30))
    partition = house.partition()
    await house.feed(partition)
    await partition.flush()
    house.log.records[0, 0].pop()
    house.log.commits.clear()

    with pytest.raises(LogBehindStore, match="ends at 1, but 2 was committed"):
        await house.partition().open()


async def test_a_record_that_does_not_decode_is_left_out(house: House) -> None:
    await house.log.append([(0, b"\x01nonsense")])
    await house.log.put(beats(0, 30))
    partition = house.partition()

    assert await house.feed(partition) == 2
    await partition.flush()

    assert await house.listened_ms() == 30 * SECOND_MS


async def test_what_is_left_out_is_put_aside_before_it_is_passed(house: House) -> None:
    await house.log.put(beats(0, 30))
    await house.log.append([(0, b"\x01nonsense"), (0, b"")])
    drawer = Drawer(failures=2)
    partition = house.partition(dead_letters=drawer)

    assert await house.feed(partition) == 3
    await partition.flush()

    assert [letter[:2] for letter in drawer.letters] == [(0, 1), (0, 2)]
    assert all(reason for *_, reason in drawer.letters)
    assert len(house.slept) == 2
    assert await house.listened_ms() == 30 * SECOND_MS


async def test_what_was_put_aside_and_not_committed_is_put_aside_again(house: House) -> None:
    await house.log.append([(0, b"\x01nonsense")])
    drawer = Drawer()
    await house.feed(house.partition(dead_letters=drawer))

    after = house.partition(dead_letters=drawer)
    await house.feed(after)
    await after.flush()
    await house.feed(house.partition(dead_letters=drawer))

    assert [offset for _, offset, _ in drawer.letters] == [0, 0]


async def test_history_pages_forward_and_back_without_loss(house: House) -> None:
    partition = house.partition()
    for number in range(30):
        base = START - number * 7 * HOUR_MS
        await house.log.put(beats(0, 40, play=f"p{number}", track=f"t{number % 3}", base=base))
        await house.log.put(beats(0, 40, play=f"q{number}", track="same instant", base=base))
    await house.feed(partition)
    await partition.flush()

    pages, mark = [], None
    while page := await house.listening.plays_before("ann", mark, 7):
        pages += page
        mark = page[-1].played_at_ms, page[-1].key
    after = await house.listening.plays_after("ann", (pages[20].played_at_ms, pages[20].key), 5)

    assert len({play.play_id for play in pages}) == len(pages) == 60
    assert pages == sorted(pages, key=lambda play: (play.played_at_ms, play.key), reverse=True)
    assert after == pages[15:20]


async def test_a_day_play_is_listed_on_its_own_day_only(house: House) -> None:
    midnight = START // DAY_MS * DAY_MS
    await house.log.put(beats(-40, 0, 40, play="", base=midnight))
    partition = house.partition()
    await house.feed(partition)
    await partition.flush()

    plays = await house.listening.plays_before("ann", None, 10)

    own = beats(-40, 0, 40, play="", base=midnight)
    assert {(p.played_at_ms, p.ms_played) for p in plays} == {
        (count.first_ms, count.ms_played) for count in recount.plays(own).values()
    }
    assert len(plays) == 2


async def test_a_collect_that_fails_is_made_good_from_the_log(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.log.put(beats(0, 30, 60))
    partition = house.partition()
    await house.feed(partition)
    with monkeypatch.context() as broken:
        broken.setattr(partition._fold, "collect", _out_of_memory)
        with pytest.raises(MemoryError):
            await partition.flush()

    await house.feed(partition)
    await partition.flush()

    assert await house.listened_ms() == MINUTE_MS
    assert await house.listening.track_plays(["t1"]) == [1]


def _out_of_memory() -> None:
    raise MemoryError
