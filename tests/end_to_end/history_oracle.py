"""What a Spotify account export says was listened, computed with nothing of Heartline.

Reads the JSON, unites the intervals ``[endTime - msPlayed, endTime]``, and cuts them at the hours of
a time zone. The only authorities are `json`, `datetime` and `zoneinfo` (with the pinned tzdata).
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000
WEEK_MS = 7 * 24 * 60 * MINUTE_MS

Interval = tuple[int, int]
Hours = dict[tuple[date, int], int]  # (local date, local hour) -> ms


def read(paths: Iterable[Path]) -> list[Interval]:
    """Tell when each play of the export began and ended, in ms since the epoch."""
    intervals = []
    for path in paths:
        for row in json.loads(path.read_text("utf-8")):
            minute = datetime.strptime(row["endTime"] + " +0000", "%Y-%m-%d %H:%M %z")
            end = int(minute.timestamp()) * 1000
            intervals.append((end - row["msPlayed"], end))
    return intervals


def weeks_to(intervals: Sequence[Interval], now_ms: int) -> int:
    """The most whole weeks by which all of it can be moved and still be over at *now_ms*."""
    newest = max(end for _, end in intervals)
    weeks = 0
    while newest + (weeks + 1) * WEEK_MS <= now_ms:
        weeks += 1
    while newest + weeks * WEEK_MS > now_ms:
        weeks -= 1
    return weeks


def moved(intervals: Iterable[Interval], weeks: int) -> list[Interval]:
    """Move all of it by whole weeks."""
    return [(start + weeks * WEEK_MS, end + weeks * WEEK_MS) for start, end in intervals]


def united(intervals: Iterable[Interval]) -> list[Interval]:
    """Unite intervals by sweeping over their edges: listened is what at least one covers."""
    edges = [edge for start, end in intervals for edge in ((start, 1), (end, -1))]
    whole, open_plays, since = [], 0, 0
    for at, step in sorted(edges, key=lambda edge: (edge[0], -edge[1])):
        if open_plays == 0 and step == 1:
            since = at
        open_plays += step
        if open_plays == 0 and at > since:
            whole.append((since, at))
    return whole


def hours(intervals: Iterable[Interval], zone_name: str) -> Hours:
    """Tell what was listened in each local hour; an hour that DST repeats is one."""
    zone, sums = ZoneInfo(zone_name), Hours()
    for start, end in united(intervals):
        for piece_start, piece_end in minutes(start, end):
            local = datetime.fromtimestamp(piece_start // 1000, UTC).astimezone(zone)
            key = local.date(), local.hour
            sums[key] = sums.get(key, 0) + piece_end - piece_start
    return sums


def minutes(start: int, end: int) -> Iterator[Interval]:
    """Cut an interval at whole minutes: today's offsets, and so all local hours, lie on them."""
    marks = range((start // MINUTE_MS + 1) * MINUTE_MS, end, MINUTE_MS)
    yield from pairwise([start, *marks, end])


def week_of(day: date) -> str:
    """Name a day's ISO week."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def weeks(sums: Hours) -> dict[str, dict[str, dict[str, int]]]:
    """Arrange hours as week -> date -> hour -> ms, every one of a week's seven days being there."""
    arranged: dict[str, dict[str, dict[str, int]]] = {}
    for (day, hour), listened_ms in sorted(sums.items()):
        monday = day - timedelta(days=day.weekday())
        seven = {str(monday + timedelta(days=number)): dict[str, int]() for number in range(7)}
        days = arranged.setdefault(week_of(day), seven)
        days[str(day)][str(hour)] = listened_ms
    return arranged
