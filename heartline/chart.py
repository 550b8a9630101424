"""A week of listening as a chart for a terminal."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from domain.units import HOUR_MS
from serve.listening import DayMinutes, WeekMinutes

EIGHTHS = " ▁▂▃▄▅▆▇█"
BARS = " ▏▎▍▌▋▊▉█"
BAR_COLUMNS = 20
LISTENED = Style(color="magenta")
FAINT = Style(dim=True)


class Played(NamedTuple):
    """What was played, in words, and when, by the listener's clock."""

    at: datetime
    what: str


def chart(name: str, week: WeekMinutes, played: Sequence[Played] = ()) -> RenderableType:
    """Draw the week of *name*: a line for each day, with its minutes, a bar, and its hours.

    Below stands what was *played*, a line each.
    """
    table = Table(box=None, padding=(0, 1), pad_edge=False, show_header=True, header_style=FAINT)
    table.add_column("")
    table.add_column("minutes", justify="right")
    table.add_column("", width=BAR_COLUMNS)
    table.add_column(_hours_header(), no_wrap=True)
    most = max((day.listened_ms for day in week.days), default=0)
    for day in week.days:
        table.add_row(
            date.fromisoformat(day.date).strftime("%a %d %b"),
            str(day.minutes) if day.listened_ms else Text("·", FAINT),
            Text(bar(day.listened_ms, most, BAR_COLUMNS), LISTENED),
            Text(hours(day), LISTENED),
        )
    lately: list[RenderableType] = [_lately(played), ""] if played else []
    return Group(
        _title(name, week),
        "",
        table,
        "",
        *lately,
        _comparison(week),
        Text(f"as of {week.as_of}", FAINT),
    )


def _title(name: str, week: WeekMinutes) -> Text:
    text = Text.assemble((str(week.minutes), "bold magenta"), f" {_minutes(week.minutes)}")
    return text.append(f"  {name}, {week.week}, {week.time_zone}", FAINT)


def _lately(played: Sequence[Played]) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, show_header=False)
    table.add_column("", style=FAINT, no_wrap=True)
    table.add_column("", overflow="fold")
    for one in played:
        table.add_row(f"{one.at:%a %d %b %H:%M}", Text(one.what))
    return table


def _comparison(week: WeekMinutes) -> str:
    before, percent = week.previous, week.change_percent
    change = "" if percent is None else f" ({percent:+g} %)"
    return f"{before.week}: {before.minutes} {_minutes(before.minutes)}{change}"


def _minutes(count: int) -> str:
    return "minute" if count == 1 else "minutes"


def _hours_header() -> str:
    return "".join(f"{hour:<6}" for hour in range(0, 24, 6))


def bar(value: int, most: int, columns: int) -> str:
    """Draw *value* as a bar of at most *columns* characters, *most* being a whole one."""
    if most <= 0:
        return ""
    eighths = round(8 * columns * value / most)
    whole, rest = divmod(max(eighths, 1 if value else 0), 8)
    return "█" * whole + (BARS[rest] if rest else "")


def hours(day: DayMinutes) -> str:
    """Draw the 24 hours of a day, a character each; an hour that DST repeats may be over full."""
    return "".join(_level(day.hours.get(hour, 0)) for hour in range(24))


def _level(listened_ms: int) -> str:
    if not listened_ms:
        return "·"
    return EIGHTHS[max(1, min(8, round(8 * listened_ms / HOUR_MS)))]
