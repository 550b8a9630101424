import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from heartline.chart import Played, bar, chart, hours
from serve.listening import DayMinutes, PreviousWeek, WeekMinutes

MINUTE_MS = 60_000


def day(date: str, hours_ms: dict[int, int]) -> DayMinutes:
    listened = sum(hours_ms.values())
    return DayMinutes(date, listened // MINUTE_MS, listened, hours_ms)


def week(days: list[DayMinutes], *, before: int, percent: float | None) -> WeekMinutes:
    listened = sum(each.listened_ms for each in days)
    return WeekMinutes(
        listener_id="l",
        week="2026-W47",
        time_zone="Asia/Kolkata",
        since="2026-11-16T00:00:00+05:30",
        until="2026-11-23T00:00:00+05:30",
        minutes=listened // MINUTE_MS,
        listened_ms=listened,
        days=days,
        previous=PreviousWeek("2026-W46", before),
        change_percent=percent,
        as_of="2026-11-16T14:20:31.000Z",
    )


def drawn(of: WeekMinutes, width: int = 80) -> list[str]:
    console = Console(width=width, color_system=None, file=io.StringIO(), record=True)
    console.print(chart("ann", of))
    return [line.rstrip() for line in console.export_text().splitlines()]


def test_a_week_is_seven_days_with_their_hours_and_a_comparison() -> None:
    days = [day(f"2026-11-{16 + number}", {}) for number in range(7)]
    days[0] = day("2026-11-16", {14: 745_000})

    lines = drawn(week(days, before=10, percent=20.0))

    assert lines[0] == "12 minutes  ann, 2026-W47, Asia/Kolkata"
    assert lines[3] == f"Mon 16 Nov       12  {'█' * 20}  {'·' * 14}▂{'·' * 9}"
    assert lines[4] == f"Tue 17 Nov        ·  {' ' * 20}  {'·' * 24}"
    assert lines[-2:] == ["2026-W46: 10 minutes (+20 %)", "as of 2026-11-16T14:20:31.000Z"]
    assert len(lines) == 13


def test_what_was_played_last_stands_below() -> None:
    played = Played(datetime(2026, 11, 16, 14, 20, tzinfo=UTC), "[red] · Nobody")
    console = Console(width=80, color_system=None, file=io.StringIO(), record=True)

    console.print(chart("ann", week([], before=0, percent=None), [played]))

    assert "Mon 16 Nov 14:20  [red] · Nobody" in console.export_text()


def test_nothing_before_is_compared_with_nothing() -> None:
    lines = drawn(week([day("2026-11-16", {0: 60_000})], before=0, percent=None))

    assert lines[0].startswith("1 minute  ")
    assert lines[-2] == "2026-W46: 0 minutes"


@pytest.mark.parametrize(
    ("value", "most", "drawing"),
    [(0, 0, ""), (0, 8, ""), (1, 10_000, "▏"), (4, 8, "█"), (8, 8, "██"), (5, 8, "█▎")],
)
def test_a_bar_has_eighths_of_a_column(value: int, most: int, drawing: str) -> None:
    assert bar(value, most, columns=2) == drawing


def test_an_hour_that_is_repeated_fills_no_more_than_its_place() -> None:
    assert hours(day("2026-10-25", {2: 7_200_000, 3: 1}))[:5] == "··█▁·"
