"""The rows of listeners: what shards load and write, and what the reading side answers from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.errors import UnreadableRecord
from domain.hashing import play_key
from domain.ports import Key, StampedRow, Table, Tables
from domain.positions import ERASED_STAMP, STAMP_STEP, part_key, stamp
from domain.quarters import Quarters
from domain.rows import (
    Play,
    Rows,
    encode_week,
    hour_quarters,
    play_of,
    read_hour,
    read_weeks,
    signed,
)
from domain.units import (
    HOUR_MS,
    QUARTER_MS,
    SECOND_MS,
    WEEK_MS,
    utc_week,
    week_start_ms,
)
from stores.tables import (
    ERASURES,
    LISTENING_HOURS,
    LISTENING_WEEKS,
    PLAYS,
    PROGRESS,
    TRACK_PLAYS,
)
from stores.track_plays import TrackPlays

HOURS_PER_DAY = 24
HOURS_PER_SCAN = 24
MOST_HOUR = 1 << 31


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a partition's rows go: complete up to an append time, and the next offset wanted."""

    complete_ms: int = 0
    next_offset: int = 0


@dataclass(frozen=True, slots=True)
class Subtotal:
    """How many plays of a track a partition counted, up to and with the record at *position*."""

    count: int
    position: int


class Listening:
    """Reads and writes the rows of listeners; written once, over any adapter of `Tables`."""

    def __init__(self, tables: Tables, *, week_ttl_s: int, plays_ttl_s: int | None = None) -> None:
        self._tables = tables
        self._week_ttl_s = week_ttl_s
        self._plays_ttl_s = plays_ttl_s

    # --- what shards need ------------------------------------------------------------------------

    async def are_erased(self, listener_ids: Sequence[str]) -> list[bool]:
        """Tell which listeners were erased."""
        rows = await self._tables.read_stamped(ERASURES, [(name,) for name in listener_ids])
        return [row is not None for row in rows]

    async def hours(self, keys: Sequence[Key]) -> list[bytes | None]:
        """Read hour rows by (listener id, UTC hour)."""
        return await self._states(LISTENING_HOURS, keys)

    async def plays(self, keys: Sequence[Key]) -> list[bytes | None]:
        """Read play rows by (listener id, key as stores keep it)."""
        return await self._states(PLAYS, keys)

    async def weeks(self, keys: Sequence[Key], now_ms: int) -> list[bytes | None]:
        """Read week rows by (listener id, UTC week); one that may have expired is made from its hours."""
        states = await self._states(LISTENING_WEEKS, keys)
        for place, (listener_id, week) in enumerate(keys):
            if states[place] is None and self._may_have_expired(int(week or 0), now_ms):
                states[place] = await self._week_from_hours(str(listener_id), int(week or 0))
        return states

    async def write(self, rows: Rows, position: int) -> None:
        """Write rows that hold every record up to *position*; durable on return."""
        at = stamp(position)
        await self._tables.write_stamped(
            [
                (LISTENING_HOURS, _stamped(rows.hours, at, None)),
                (LISTENING_WEEKS, _stamped(rows.weeks, at, self._week_ttl_s)),
                (PLAYS, _stamped(rows.plays, at, self._plays_ttl_s)),
            ]
        )

    async def erase(self, listener_id: str) -> None:
        """Delete every row of a listener, those written later included. Doing it again changes nothing."""
        mark = StampedRow((listener_id,), b"erased", ERASED_STAMP)
        await self._tables.write_stamped([(ERASURES, [mark])])
        for table in (LISTENING_HOURS, LISTENING_WEEKS, PLAYS):
            await self._tables.erase_stamped(table, (listener_id,), stamp=ERASED_STAMP)

    async def subtotals(self, part: int, track_ids: Sequence[str]) -> list[Subtotal]:
        """Read a partition's play counts of some tracks."""
        rows = await self._tables.read_stamped(TRACK_PLAYS, [(track, part) for track in track_ids])
        return [
            Subtotal(0, 0) if row is None else Subtotal(int(row.state), row.stamp // STAMP_STEP)
            for row in rows
        ]

    async def write_totals(
        self, part: int, counts: Mapping[str, int], position: int, progress: Progress
    ) -> None:
        """Write a partition's play counts and how far its rows go, after its rows."""
        at = stamp(position)
        totals = [
            StampedRow((track, part), str(count).encode(), at)
            for track, count in sorted(counts.items())
        ]
        state = f"{progress.complete_ms} {progress.next_offset}".encode()
        reached = StampedRow((part,), state, progress.complete_ms)
        await self._tables.write_stamped([(TRACK_PLAYS, totals), (PROGRESS, [reached])])

    # --- what readers need -----------------------------------------------------------------------

    async def quarters(self, listener_id: str, first: int, last: int, *, now_ms: int) -> Quarters:
        """Read the quarter-hours *first* to *last*, inclusive."""
        first_week, last_week = utc_week(first * QUARTER_MS), utc_week(last * QUARTER_MS)
        rows = await self._tables.scan_stamped(
            LISTENING_WEEKS, (listener_id,), first=first_week, last=last_week
        )
        states = {_integer(row.key[1]): row.state for row in rows}
        for week in range(first_week, last_week + 1):
            if week not in states and self._may_have_expired(week, now_ms):
                states[week] = await self._week_from_hours(listener_id, week) or encode_week(
                    week, {}
                )
        return read_weeks(states).between(first, last)

    async def plays_before(
        self, listener_id: str, before: tuple[int, int] | None, limit: int
    ) -> list[Play]:
        """Read up to *limit* plays, newest first, that come before the mark (played_at_ms, key)."""
        found: list[Play] = []
        last = MOST_HOUR if before is None else before[0] // HOUR_MS
        while len(found) < limit:
            rows = await self._hour_rows(listener_id, last=last, descending=True)
            for row in rows:
                plays = await self._plays_begun(listener_id, row)
                found += [
                    play for play in reversed(plays) if before is None or _mark(play) < before
                ]
            if len(rows) < HOURS_PER_SCAN:
                break
            last = _integer(rows[-1].key[1]) - 1
        return found[:limit]

    async def plays_after(self, listener_id: str, after: tuple[int, int], limit: int) -> list[Play]:
        """Read the *limit* plays that follow the mark (played_at_ms, key), newest first."""
        found: list[Play] = []
        first = after[0] // HOUR_MS
        while len(found) < limit:
            rows = await self._hour_rows(listener_id, first=first, descending=False)
            for row in rows:
                plays = await self._plays_begun(listener_id, row)
                found += [play for play in plays if _mark(play) > after]
            if len(rows) < HOURS_PER_SCAN:
                break
            first = _integer(rows[-1].key[1]) + 1
        return found[:limit][::-1]

    async def progress(self, generation: int, partition: int) -> Progress:
        """Read how far a partition's rows go."""
        return (await self.progress_of(generation, [partition]))[0]

    async def progress_of(self, generation: int, partitions: Sequence[int]) -> list[Progress]:
        """Read how far the rows of several partitions go."""
        keys = [(part_key(generation, partition),) for partition in partitions]
        rows = await self._tables.read_stamped(PROGRESS, keys)
        return [
            Progress() if row is None else Progress(*map(int, row.state.split())) for row in rows
        ]

    async def progress_ms(self, generation: int, partition: int) -> int:
        """Read up to which append time a partition's rows are complete; 0 if nothing is known."""
        return (await self.progress(generation, partition)).complete_ms

    async def track_plays(self, track_ids: Sequence[str]) -> list[int]:
        """Read how often each track was played, by all listeners."""
        return await TrackPlays(self._tables).of(track_ids)

    # --- in here ---------------------------------------------------------------------------------

    async def _states(self, table: Table, keys: Sequence[Key]) -> list[bytes | None]:
        rows = await self._tables.read_stamped(table, keys)
        return [None if row is None else row.state for row in rows]

    def _may_have_expired(self, week: int, now_ms: int) -> bool:
        """A week row lives at least its TTL from the beginning of its week."""
        return now_ms >= week_start_ms(week) + self._week_ttl_s * SECOND_MS

    async def _week_from_hours(self, listener_id: str, week: int) -> bytes | None:
        first = week_start_ms(week) // HOUR_MS
        rows = await self._tables.scan_stamped(
            LISTENING_HOURS, (listener_id,), first=first, last=first + WEEK_MS // HOUR_MS - 1
        )
        quarters: dict[int, int] = {}
        for row in rows:
            quarters |= hour_quarters(_integer(row.key[1]), row.state)
        return encode_week(week, quarters) if quarters else None

    async def _hour_rows(
        self,
        listener_id: str,
        *,
        first: int | None = None,
        last: int | None = None,
        descending: bool,
    ) -> list[StampedRow]:
        return await self._tables.scan_stamped(
            LISTENING_HOURS,
            (listener_id,),
            first=first,
            last=last,
            descending=descending,
            limit=HOURS_PER_SCAN,
        )

    async def _plays_begun(self, listener_id: str, row: StampedRow) -> list[Play]:
        """The plays whose first instant lies in the hour of *row*, in order."""
        hour = _integer(row.key[1])
        runs = read_hour(row.state)
        inside = runs[(runs["end"] >= 0) & (runs["start"] < HOUR_MS)]
        keys = {signed(play_key(lane, hour // HOURS_PER_DAY)) for lane in inside["play"].tolist()}
        ordered = sorted(keys)
        states = await self.plays([(listener_id, key) for key in ordered])
        plays = [
            play
            for key, state in zip(ordered, states, strict=True)
            if state is not None and (play := play_of(key, state)) is not None
        ]
        return sorted((play for play in plays if play.played_at_ms // HOUR_MS == hour), key=_mark)


def _mark(play: Play) -> tuple[int, int]:
    return play.played_at_ms, play.key


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise UnreadableRecord(f"a key is not an integer: {value!r}")
    return value


def _stamped(
    rows: Sequence[tuple[str, int, bytes]], at: int, ttl_s: int | None
) -> list[StampedRow]:
    return [StampedRow((listener_id, key), state, at, ttl_s) for listener_id, key, state in rows]
