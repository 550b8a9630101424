"""Rows of a past week beside what the warehouse makes of them, corrected where they differ.

A correction has one of the three stamps between that of the row that stands and that of the next
record: it wins over what stands, and loses to anything later. So it needs no lock beside shards that
run; and done again it finds nothing to do.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from domain.errors import UnreadableRecord
from domain.ports import StampedRow, Table, Tables
from domain.positions import STAMP_STEP, stamp
from domain.rows import (
    FORMAT,
    Play,
    encode_week,
    hour_quarters,
    play_of,
    read_hour,
    read_weeks,
)
from domain.units import QUARTER_MS, QUARTERS_PER_HOUR, SECOND_MS, utc_week, week_start_ms
from heartline.recount_bounds import Window, anywhere
from heartline.reprocessed_rows import Made
from serve.instants import iso
from stores.listening import Listening
from stores.tables import LISTENING_HOURS, LISTENING_WEEKS, PLAYS

NO_RUNS = bytes([FORMAT])  # an hour in which nothing was heard after all

State = bytes | None


class Change(NamedTuple):
    """One number of a listener that is another now."""

    of: str
    what: str
    before: int
    after: int

    def __str__(self) -> str:
        return f"{self.of}: {self.what}: the store had {self.before}, has {self.after} now"


@dataclass(slots=True)
class Corrected:
    """What was looked at, written, and changed by it."""

    heartbeats: int = 0
    listeners: int = 0
    hours: int = 0
    weeks: int = 0
    plays: int = 0
    left: int = 0  # plays that reach farther than a day, rows corrected three times already
    changes: list[Change] = field(default_factory=list)

    def add(self, other: "Corrected") -> None:
        """Add what came of other listeners."""
        for name in ("heartbeats", "listeners", "hours", "weeks", "plays", "left"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.changes += other.changes


class Correcting:
    """Corrects the listeners of one bucket."""

    def __init__(
        self,
        tables: Tables,
        rows: Listening,
        window: Window,
        made: Made,
        *,
        ttls_s: Mapping[str, int | None],
        plays_since_ms: int,
        now_ms: int,
    ) -> None:
        self._tables, self._rows, self._window = tables, rows, window
        self._ttls_s, self._plays_since_ms, self._now_ms = ttls_s, plays_since_ms, now_ms
        bounds = anywhere(window.week)
        self._first, self._last = bounds.first, bounds.last  # quarters; whole hours
        self._last_position = made.last
        self._hours, self._plays = _by_listener(made.rows.hours), _by_listener(made.rows.plays)
        self.corrected = Corrected()

    async def correct(self) -> Corrected:
        """Correct everybody of whom the warehouse has heartbeats."""
        names = sorted(self._last_position)
        erased = await self._rows.are_erased(names)
        for name, is_erased in zip(names, erased, strict=True):
            if not is_erased:
                self.corrected.listeners += 1
                await self._correct(name)
        return self.corrected

    async def _correct(self, name: str) -> None:
        quarters, hours = await self._hours_of(name)
        weeks = await self._weeks_of(name, quarters)
        plays = await self._plays_of(name)
        writes = [(LISTENING_HOURS, hours), (LISTENING_WEEKS, weeks), (PLAYS, plays)]
        if any(rows for _, rows in writes):
            await self._tables.write_stamped(writes)
        self.corrected.hours += len(hours)
        self.corrected.weeks += len(weeks)
        self.corrected.plays += len(plays)

    async def _hours_of(self, name: str) -> tuple[dict[int, int], list[StampedRow]]:
        """What was listened by quarter, and the hour rows that say otherwise."""
        first, last = self._first // QUARTERS_PER_HOUR, self._last // QUARTERS_PER_HOUR
        made = {hour: s for hour, s in self._hours.get(name, {}).items() if first <= hour <= last}
        standing = await self._standing(LISTENING_HOURS, name, first, last)
        quarters: dict[int, int] = {}
        for hour, state in made.items():
            quarters |= hour_quarters(hour, state)
        wrong = [
            self._correction(LISTENING_HOURS, (name, hour), made.get(hour, NO_RUNS), standing)
            for hour in sorted(made.keys() | standing.keys())
            if not _same_hour(_state(standing, hour), made.get(hour))
        ]
        return quarters, [row for row in wrong if row]

    async def _weeks_of(self, name: str, quarters: Mapping[int, int]) -> list[StampedRow]:
        """The week rows that lack those quarters; one that has expired is made of its hours by readers."""
        numbers = [utc_week(quarter * QUARTER_MS) for quarter in (self._first, self._last)]
        standing = await self._standing(LISTENING_WEEKS, name, *numbers)
        rows = []
        for week in range(numbers[0], numbers[1] + 1):
            stands = _state(standing, week)
            before = _quarters(week, stands)
            kept = {q: ms for q, ms in before.items() if not self._first <= q <= self._last}
            after = kept | {q: ms for q, ms in quarters.items() if utc_week(q * QUARTER_MS) == week}
            if before == after or (stands is None and self._may_have_expired(week)):
                continue
            row = self._correction(
                LISTENING_WEEKS, (name, week), encode_week(week, after), standing
            )
            if row:
                rows.append(row)
                self._tell_quarters(name, before, after)
        return rows

    async def _plays_of(self, name: str) -> list[StampedRow]:
        made = self._plays.get(name, {})
        keys = [(name, key) for key in made]
        found = await self._tables.read_stamped(PLAYS, keys) if keys else []
        standing = {key: row for (_, key), row in zip(keys, found, strict=True) if row}
        rows = []
        for key, state in made.items():
            after, before = play_of(key, state), _play(key, _state(standing, key))
            if after is None or not self._is_of_week(after) or _same_play(before, after):
                continue
            if not all(map(self._is_known_whole, filter(None, (before, after)))):
                self.corrected.left += 1
                continue
            row = self._correction(PLAYS, (name, key), state, standing)
            if row:
                rows.append(row)
                what = f"play {after.play_id or iso(after.played_at_ms)} of {after.track_id}, ms"
                had = before.ms_played if before else 0
                self.corrected.changes.append(Change(name, what, had, after.ms_played))
        return rows

    async def _standing(
        self, table: Table, name: str, first: int, last: int
    ) -> dict[int, StampedRow]:
        rows = await self._tables.scan_stamped(table, (name,), first=first, last=last)
        return {int(str(row.key[1])): row for row in rows}

    def _correction(
        self,
        table: Table,
        key: tuple[str, int],
        state: bytes,
        standing: Mapping[int, StampedRow],
    ) -> StampedRow | None:
        stands = standing.get(key[1])
        at = stands.stamp if stands else stamp(self._last_position[key[0]])
        if at % STAMP_STEP == STAMP_STEP - 1:
            self.corrected.left += 1
            return None
        return StampedRow(key, state, at + 1, self._ttls_s.get(table.name))

    def _is_of_week(self, play: Play) -> bool:
        first_ms, end_ms = self._first * QUARTER_MS, (self._last + 1) * QUARTER_MS
        return (
            first_ms <= play.ended_at_ms
            and play.played_at_ms < end_ms
            and play.played_at_ms >= self._plays_since_ms
        )

    def _is_known_whole(self, play: Play) -> bool:
        whole = self._window.whole
        return whole.hold(play.played_at_ms) and whole.hold(play.ended_at_ms)

    def _may_have_expired(self, week: int) -> bool:
        ttl_s = self._ttls_s.get(LISTENING_WEEKS.name) or 0
        return self._now_ms >= week_start_ms(week) + ttl_s * SECOND_MS

    def _tell_quarters(
        self, name: str, before: Mapping[int, int], after: Mapping[int, int]
    ) -> None:
        for quarter in sorted(before.keys() | after.keys()):
            had, has = before.get(quarter, 0), after.get(quarter, 0)
            if had != has:
                what = f"quarter-hour from {iso(quarter * QUARTER_MS)}, ms"
                self.corrected.changes.append(Change(name, what, had, has))


def _by_listener(rows: Iterable[tuple[str, int, bytes]]) -> dict[str, dict[int, bytes]]:
    found: dict[str, dict[int, bytes]] = defaultdict(dict)
    for name, key, state in rows:
        found[name][key] = state
    return found


def _state(standing: Mapping[int, StampedRow], key: int) -> State:
    row = standing.get(key)
    return row.state if row else None


def _same_hour(stands: State, made: State) -> bool:
    """Whether two hour rows have the same runs; lanes that begin together come in no order."""
    try:
        one, other = (np.sort(read_hour(state or NO_RUNS)) for state in (stands, made))
    except UnreadableRecord:
        return False
    return np.array_equal(one, other)


def _quarters(week: int, state: State) -> dict[int, int]:
    try:
        return read_weeks({week: state}).mapping() if state else {}
    except UnreadableRecord:
        return {}


def _play(key: int, state: State) -> Play | None:
    try:
        return play_of(key, state) if state else None
    except UnreadableRecord:
        return None


def _same_play(before: Play | None, after: Play) -> bool:
    """Whether two rows show the same; when it reached its 30 s is the log's business."""
    return before is not None and _shown(before) == _shown(after)


def _shown(play: Play) -> tuple[object, ...]:
    return (play.played_at_ms, play.ended_at_ms, play.ms_played, play.context, play.device_id)
