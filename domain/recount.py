"""The rule of listening, recounted from nothing: the oracle that the fold is measured against.

    1. A lane is (listener, track, play, stretch).
    2. In a lane, counted instants at most 60 s apart are joined; the maximal chains are runs.
    3. What a listener listened to is the measure of the union of all runs.
    4. It is split at the hours, days and weeks of the zone in force.
    5. A play counts once, when 30 s of it were listened.
    6. Wall time counts: positions are not looked at.

Written to be read, not to be quick; it shares no code with the fold, nor with the calendar but for
the names of its types and the zones' data. *heartbeats* are always those of one listener, in any
order, each as often as you like. An interval is ``(start, end)`` in ms since the epoch, half open;
one that is empty, ``start == end``, is an instant at which nothing was listened.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple

from domain.calendar import Day, IsoWeek, Zone, zone_info
from domain.heartbeats import Heartbeat, Kind
from domain.units import DAY_MS, JOIN_MS, PLAY_MS, QUARTER_MS, SECOND_MS

COUNTED = (Kind.START, Kind.BEAT, Kind.PAUSE, Kind.STOP)
# Between two of these marks no zone's hour begins and no offset changes, from 1970 on: all are
# whole minutes but Monrovia's until 1972, which was 44:30 behind.
TICK_MS = 30 * SECOND_MS

Interval = tuple[int, int]


class PlayOf(NamedTuple):
    """What makes two heartbeats of a listener parts of the same play; a play_id or a UTC day."""

    track_id: str
    play_id: str
    utc_day: int | None


@dataclass(frozen=True, slots=True)
class PlayCount:
    """What was listened of one play, and what its earliest heartbeat said."""

    ms_played: int
    first_ms: int
    last_ms: int
    counted: bool
    context: str
    device_id: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What was listened of all heartbeats of a listener: the ms of each quarter, and every play."""

    quarters: dict[int, int] = field(default_factory=dict)
    plays: dict[PlayOf, PlayCount] = field(default_factory=dict)


def counts(heartbeats: Sequence[Heartbeat]) -> Counts:
    """Tell what was listened, of everything that is stored."""
    return Counts(quarters(heartbeats), plays(heartbeats))


def runs(instants: Iterable[int]) -> list[Interval]:
    """Join the instants of one lane into runs."""
    ordered = sorted(set(instants))
    if not ordered:
        return []
    gaps = [(before, after) for before, after in pairwise(ordered) if after - before > JOIN_MS]
    starts = [ordered[0], *(after for _, after in gaps)]
    ends = [*(before for before, _ in gaps), ordered[-1]]
    return list(zip(starts, ends, strict=True))


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Unite intervals into disjoint ones, in order; empty ones vanish."""
    united: list[Interval] = []
    for start, end in sorted(intervals):
        if united and start <= united[-1][1]:
            united[-1] = united[-1][0], max(united[-1][1], end)
        else:
            united.append((start, end))
    return [(start, end) for start, end in united if start < end]


def measure(intervals: Iterable[Interval]) -> int:
    """Tell how much time the union of *intervals* is, in ms."""
    return sum(end - start for start, end in union(intervals))


def listened(heartbeats: Sequence[Heartbeat]) -> list[Interval]:
    """Tell when the listener listened: the union of all runs of all lanes."""
    return union(run for of_lane in _lanes(heartbeats).values() for run in runs(of_lane))


def listened_between(heartbeats: Sequence[Heartbeat], from_ms: int, to_ms: int) -> int:
    """Tell how many ms were listened from *from_ms* up to *to_ms*."""
    return measure(_within(listened(heartbeats), from_ms, to_ms))


def quarters(heartbeats: Sequence[Heartbeat]) -> dict[int, int]:
    """Tell what was listened in each UTC quarter-hour in which anything was."""
    sums: dict[int, int] = defaultdict(int)
    for interval in listened(heartbeats):
        for start, end in _pieces(interval, QUARTER_MS):
            sums[start // QUARTER_MS] += end - start
    return dict(sums)


def week(heartbeats: Sequence[Heartbeat], zones: Sequence[Zone], of: IsoWeek) -> list[Day]:
    """Tell what was listened on the seven days of a local week, split exactly at local hours.

    It equals the tally over `quarters` wherever offsets change by, and at, multiples of 15 minutes.
    """
    dates = [str(date.fromisocalendar(of.year, of.week, day)) for day in range(1, 8)]
    days: dict[str, dict[int, int]] = {day: {} for day in dates}
    for interval in listened(heartbeats):
        for start, end in _pieces(interval, TICK_MS):
            local = _local(zones, start)
            hours = days.get(str(local.date()))
            if hours is not None:
                hours[local.hour] = hours.get(local.hour, 0) + end - start
    return [Day(day, sum(hours.values()), hours) for day, hours in days.items()]


def plays(heartbeats: Sequence[Heartbeat]) -> dict[PlayOf, PlayCount]:
    """Tell what was listened of each play, those that do not count included.

    A play without a play_id is the track on one UTC day: its runs are cut at midnight. An instant
    at midnight is of the day that begins.
    """
    pieces: dict[PlayOf, list[Interval]] = defaultdict(list)
    for (track_id, play_id, _), instants in _lanes(heartbeats).items():
        for run in runs(instants):
            for day, piece in [(None, run)] if play_id else _days(run):
                pieces[PlayOf(track_id, play_id, day)].append(piece)
    earliest = _earliest(heartbeats)
    return {play: _count(pieces[play], earliest[play]) for play in pieces}


def play_of(heartbeat: Heartbeat) -> PlayOf:
    """Tell which play a heartbeat is of."""
    day = None if heartbeat.play_id else heartbeat.at // DAY_MS
    return PlayOf(heartbeat.track_id, heartbeat.play_id, day)


def _lanes(heartbeats: Sequence[Heartbeat]) -> dict[tuple[str, str, int], list[int]]:
    lanes: dict[tuple[str, str, int], list[int]] = defaultdict(list)
    for beat in heartbeats:
        if beat.kind in COUNTED:
            lanes[beat.track_id, beat.play_id, beat.stretch].append(beat.at)
    return lanes


def _within(intervals: Iterable[Interval], from_ms: int, to_ms: int) -> list[Interval]:
    cut = ((max(start, from_ms), min(end, to_ms)) for start, end in intervals)
    return [(start, end) for start, end in cut if start < end]


def _pieces(interval: Interval, step_ms: int) -> Iterator[Interval]:
    """Cut an interval at every multiple of *step_ms*."""
    start, end = interval
    marks = range((start // step_ms + 1) * step_ms, end, step_ms)
    return pairwise((start, *marks, end))


def _days(run: Interval) -> list[tuple[int, Interval]]:
    """Cut a run at UTC midnights; one that ends at midnight has an instant in the next day."""
    start, end = run
    return [
        (day, (max(start, day * DAY_MS), min(end, (day + 1) * DAY_MS)))
        for day in range(start // DAY_MS, end // DAY_MS + 1)
    ]


def _earliest(heartbeats: Sequence[Heartbeat]) -> dict[PlayOf, Heartbeat]:
    counted = (beat for beat in heartbeats if beat.kind in COUNTED)
    latest_first = sorted(counted, key=lambda beat: (beat.at, beat.context, beat.device_id))[::-1]
    return {play_of(beat): beat for beat in latest_first}


def _count(pieces: Sequence[Interval], earliest: Heartbeat) -> PlayCount:
    ms_played = measure(pieces)
    return PlayCount(
        ms_played=ms_played,
        first_ms=min(start for start, _ in pieces),
        last_ms=max(end for _, end in pieces),
        counted=ms_played >= PLAY_MS,
        context=earliest.context,
        device_id=earliest.device_id,
    )


def _local(zones: Sequence[Zone], at_ms: int) -> datetime:
    in_force = zones[0].name
    for zone in zones:
        if zone.since_ms <= at_ms:
            in_force = zone.name
    return datetime.fromtimestamp(at_ms // 1000, zone_info(in_force))
