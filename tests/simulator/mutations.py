"""Mistakes that somebody could make, as small patches of the real code: the simulator must see each."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import actors.partition
import heartline.generations
import stores.cql_conditions
from actors.listener_shard import ListenerShard
from actors.partition import Dues, Partition
from domain.counted import Counted
from domain.errors import Unavailable
from domain.fold import Fold
from domain.ports import Key, Record, Table
from domain.positions import SHARDS, position
from domain.rows import FORMAT, Rows, encode_week, hour_quarters, read_hour, read_week
from domain.units import HOUR_MS, quarter_of, utc_week, week_start_ms
from domain.wanted import Stored, Wanted
from stores.accounts import Accounts
from stores.cql_conditions import TRIES, Conditions
from stores.listening import Listening
from stores.refresh_families import RefreshFamilies
from stores.table_cql import TableCql
from stores.tables import LISTENING_WEEKS
from streams.arrivals import Arrivals
from streams.following import Following
from tests.memory_tables import MemoryTables, Standing
from tests.simulator.tuning import replaced
from tests.simulator.world import Fault, Stress

Patch = tuple[Any, str, Any]  # whose attribute, which, and what stands in its place

_apply, _committed, _flush = Partition.apply, Partition._committed, Partition.flush
_take, _write = Partition._take, Partition._write
_collect, _install = Fold.collect, Fold.install
_acknowledge = Arrivals.acknowledge
_write_family, _take_name = RefreshFamilies._write, Accounts._take_name
_write_rows, _drain = Listening.write, heartline.generations.drain


@contextmanager
def mutated(name: str) -> Iterator[None]:
    """Make a mistake for a while."""
    with ExitStack() as stack:
        for patch in MUTATIONS[name]:
            stack.enter_context(replaced(*patch))
        yield


async def _commit_first(self: Partition, dues: Dues) -> None:
    if dues.next_offset > self.durable:
        await self._log.commit(SHARDS, self._generation, {self._number: dues.next_offset})
    await _write(self, dues)


async def _write_totals_first(self: Partition, dues: Dues) -> None:
    no_rows = Dues(Rows([], [], []), dues.counted, [], dues.next_offset, dues.complete_ms)
    await _write(self, no_rows)
    await _write(self, dues)


async def _stamp_by_clock(self: Listening, rows: Rows, position: int) -> None:
    await _write_rows(self, rows, 10**12 + int(asyncio.get_running_loop().time() * 1_000))


async def _apply_out_of_order(self: Partition, offset: int, records: Sequence[Record]) -> int:
    async with self._applying:
        if offset > await self._opened():
            self._next = offset
    return await _apply(self, offset, records)


async def _skip_load(self: Partition, wanted: Wanted) -> None:
    keys = wanted.listeners, wanted.hours, wanted.weeks, wanted.plays
    none: list[list[None]] = [[None] * len(each) for each in keys]
    self._fold.install(wanted, Stored([False] * len(wanted.listeners), *none[1:]))


async def _ask_first_who_is_erased(self: Partition, wanted: Wanted) -> None:
    listening = self._listening
    stored = Stored(
        erased=await self._insist(lambda: listening.are_erased(wanted.listeners)),
        hours=await self._insist(lambda: listening.hours(wanted.hours)),
        weeks=await self._insist(lambda: listening.weeks(wanted.weeks, self._now_ms())),
        plays=await self._insist(lambda: listening.plays(wanted.plays)),
    )
    self._fold.install(wanted, stored)


def _install_and_remember(self: Any, wanted: Wanted, stored: Stored) -> None:
    known = self.__dict__.setdefault("known", {})
    for table in ("hours", "weeks", "plays"):
        for key, state in zip(getattr(wanted, table), getattr(stored, table), strict=True):
            known[table, *key] = state
    touched = {(name, utc_week(hour * HOUR_MS)) for name, hour in wanted.hours}
    for name, week in sorted(touched | {*wanted.weeks}):
        known["weeks", name, week] = _measured(known, name, week)
    _install(self, wanted, stored)


def _measured(known: Mapping[Any, bytes | None], name: str, week: int) -> bytes:
    """What a fold makes of a week row that it loads: the hours that are in memory are measured anew."""
    state = known.get(("weeks", name, week))
    quarters = _quarters(week, state) if state else {}
    for (table, listener, hour), runs in known.items():
        if runs and (table, listener, utc_week(hour * HOUR_MS)) == ("hours", name, week):
            quarters |= hour_quarters(hour, runs)
    return encode_week(week, quarters)


def _collect_changed(self: Any) -> Rows:
    known, rows = self.__dict__.setdefault("known", {}), _collect(self)
    changed = {
        table: [row for row in getattr(rows, table) if known.get((table, *row[:2])) != row[2]]
        for table in ("hours", "weeks", "plays")
    }
    known |= {(table, *row[:2]): row[2] for table, of in changed.items() for row in of}
    return Rows(**changed)


def _collect_within_hours(self: Fold) -> Rows:
    rows = _collect(self)
    hours = [(name, hour, _clipped(state)) for name, hour, state in rows.hours]
    return Rows(hours, rows.weeks, rows.plays)


def _clipped(state: bytes) -> bytes:
    runs = read_hour(state)
    inside = runs[(runs["end"] >= 0) & (runs["start"] < HOUR_MS)].copy()
    inside["start"], inside["end"] = inside["start"].clip(0), inside["end"].clip(0, HOUR_MS)
    return bytes([FORMAT]) + inside.tobytes()


def _evict_dirty(self: Partition) -> Dues:
    if self._flushes % 3 == 2:
        self._fold = Fold()
    return _take(self)


def _evict_what_is_written(self: Partition) -> Dues:
    dues = _take(self)
    self._fold.sweep(self._fold.epoch)
    return dues


async def _add_differences(self: Any, rows: Rows, position: int) -> None:
    last = self.__dict__.setdefault("last", {})
    weeks = []
    for name, week, state in rows.weeks:
        (stands,) = await self._tables.read_stamped(LISTENING_WEEKS, [(name, week)])
        now, before = _quarters(week, state), last.get((name, week))
        last[name, week] = now
        if stands and before is not None:
            held = _quarters(week, stands.state)
            now = {q: held.get(q, 0) + now.get(q, 0) - before.get(q, 0) for q in held | now}
        weeks.append((name, week, encode_week(week, now)))
    await _write_rows(self, Rows(rows.hours, weeks, rows.plays), position)


def _quarters(week: int, state: bytes) -> dict[int, int]:
    first, rows = quarter_of(week_start_ms(week)), read_week(state)
    return {first + int(row["quarter"]): int(row["ms"]) for row in rows}


async def _settle_whatever_happens(self: Partition, dues: Dues) -> None:
    with suppress(Unavailable):
        await self._write(dues)
    self.durable, self._dues = dues.next_offset, None


async def _nobody_is_erased(self: Listening, listener_ids: Sequence[str]) -> list[bool]:
    return [False] * len(listener_ids)


async def _erase_by_mark_only(self: Listening, listener_id: str) -> None:
    """The rows stay."""


async def _resume_too_late(self: Partition) -> int:
    end = (await self._log.ends(self._generation))[self._number]
    return min(end, await _committed(self) + 1)


async def _resume_from_the_end(self: Partition) -> int:
    return (await self._log.ends(self._generation))[self._number]


async def _flush_without_whole(self: Partition) -> None:
    async with self._flushing:
        if self._dues:
            await self._settle(self._dues)
        async with self._applying:
            await self._opened()
            self._dues = self._take()
        await self._settle(self._dues)


async def _flush_without_dues(self: Partition) -> None:
    self._dues = None
    await _flush(self)


def _count_again(self: Counted, known: Sequence[int]) -> list[int]:
    return [self.of.tolist().count(track) for track in range(len(known))]


@contextmanager
def _by_half(self: Partition) -> Iterator[None]:
    yield


async def _complete_at_once(self: Partition, offset: int, at_ms: int) -> int:
    self._complete_ms = max(self._complete_ms, at_ms)
    return await self.open()


async def _tell_nothing(self: ListenerShard, partition: int, offset: int, at_ms: int) -> int:
    await self._partition(partition).caught_up(offset, at_ms)
    return offset


def _skip_and_keep(self: Partition, wanted: int, oldest: int) -> None:
    self._next = oldest


async def _drain_as_far_as_it_goes(*given: Any, **named: Any) -> None:
    with suppress(Exception):
        await _drain(*given, **named)


def _last_write_stands(self: MemoryTables, table: Table, row: Any) -> None:
    self._put(table, row.key, Standing(row.stamp, row.state, self._expiry(row.ttl_s)))


def _acknowledge_all(self: Arrivals, _durable: int) -> None:
    _acknowledge(self, 1 << 40)


async def _lost_is_refused(
    _self: Conditions, _cql: TableCql, _key: Key, ask: Any, _judge: Any
) -> bool:
    try:
        return bool(await ask())
    except Unavailable:
        return False


async def _ask_blindly(_self: Conditions, _cql: TableCql, _key: Key, ask: Any, _judge: Any) -> bool:
    for _ in range(TRIES):
        with suppress(Unavailable):
            return bool(await ask())
    raise Unavailable


async def _believe_every_refusal(
    self: Conditions, cql: TableCql, key: Key, ask: Any, judge: Any
) -> bool:
    for _ in range(TRIES):
        with suppress(Unavailable):
            return bool(await ask())
        outcome = judge(await self._settled(cql, key))
        if outcome is not None:
            return bool(outcome)
    raise Unavailable


async def _write_whatever_stands(self: RefreshFamilies, *given: Any, **named: Any) -> bool:
    await _write_family(self, *given, **named)
    return True


async def _take_whatever_name(self: Accounts, *given: Any) -> bool:
    await _take_name(self, *given)
    return True


MUTATIONS: Mapping[str, Sequence[Patch]] = {
    "commit before the flush": [(Partition, "_write", _commit_first)],
    "write subtotals and progress before rows": [(Partition, "_write", _write_totals_first)],
    "stamp by the wall clock": [(Listening, "write", _stamp_by_clock)],
    "ignore the order of generations": [
        (actors.partition, "position", lambda _, offset: position(0, offset))
    ],
    "let the last write stand, whatever its stamp": [(MemoryTables, "_write", _last_write_stands)],
    "apply out of order": [(Partition, "apply", _apply_out_of_order)],
    "skip the load": [(Partition, "_load", _skip_load)],
    "ask who is erased before the rows are read": [(Partition, "_load", _ask_first_who_is_erased)],
    "flush only rows that changed": [
        (Fold, "install", _install_and_remember),
        (Fold, "collect", _collect_changed),
    ],
    "forget the minute beyond the hour": [(Fold, "collect", _collect_within_hours)],
    "evict what is dirty": [(Partition, "_take", _evict_dirty)],
    "evict what is being written": [(Partition, "_take", _evict_what_is_written)],
    "add differences to a loaded week": [(Listening, "write", _add_differences)],
    "lose a batch that was applied by half": [(Partition, "_settle", _settle_whatever_happens)],
    "drop what an interrupted flush has left": [(Partition, "flush", _flush_without_dues)],
    "go on after a collect that failed": [(Partition, "flush", _flush_without_whole)],
    "go on after a record that was applied by half": [(Partition, "_whole", _by_half)],
    "go on with old rows behind what was trimmed": [(Partition, "_skip", _skip_and_keep)],
    "resume one record too late": [(Partition, "_committed", _resume_too_late)],
    "resume from the end of the log": [(Partition, "_committed", _resume_from_the_end)],
    "count a play at each replay": [(Counted, "beyond", _count_again)],
    "count for a listener who was erased": [(Listening, "are_erased", _nobody_is_erased)],
    "leave the rows of who was erased": [(Listening, "erase", _erase_by_mark_only)],
    "say too early that all is complete": [(Partition, "caught_up", _complete_at_once)],
    "keep from the tailer what was forgotten": [(ListenerShard, "caught_up", _tell_nothing)],
    "acknowledge to Faust what is not durable": [(Arrivals, "acknowledge", _acknowledge_all)],
    "wait for what Faust does not bring again": [(Arrivals, "lacks", lambda *_: False)],
    "keep silence from the shard": [(Following, "see", lambda *_: None)],
    "begin a generation before the last is written": [
        (heartline.generations, "drain", _drain_as_far_as_it_goes)
    ],
    "take a lost answer for a refusal": [(Conditions, "_known", _lost_is_refused)],
    "repeat a conditional write blindly": [(Conditions, "_known", _ask_blindly)],
    "believe a refusal after a lost answer": [(Conditions, "_known", _believe_every_refusal)],
    "let two use one refresh token": [(RefreshFamilies, "_write", _write_whatever_stands)],
    "let what was deleted vanish at once": [(stores.cql_conditions, "GONE_S", 1)],
    "give a name to two": [(Accounts, "_take_name", _take_whatever_name)],
}

# Mistakes that few seeds see as they are drawn, and what a run must have often to see them.
STRESSES: Mapping[str, Stress] = {
    "flush only rows that changed": Stress(rates={Fault.KILLED: 0.3, Fault.HALF: 0.3}),
    "go on after a collect that failed": Stress(rates={Fault.MEMORY: 0.1}),
    "ask who is erased before the rows are read": Stress(
        rates={Fault.REFUSED: 0.02}, rare=(Fault.ERASE, Fault.CRASH), slow_plays_s=5.0
    ),
}
