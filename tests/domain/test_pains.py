"""Every complaint about counting that users of other systems have, as a case with its answer."""

import pytest

from domain import recount
from domain.calendar import IsoWeek, week_at, week_layout
from tests.domain.cases import CASES, Case
from tests.domain.weeks import tallied

each_case = pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])


def weeks_of(case: Case) -> list[IsoWeek]:
    """Tell every week around the heartbeats, one to spare on either side."""
    weeks = {week_at(case.zones, beat.at) for beat in case.heartbeats}
    return sorted(weeks | {week.previous() for week in weeks} | {week.next() for week in weeks})


@each_case
def test_the_oracle_gives_each_day_what_was_listened_on_it(case: Case) -> None:
    days = [
        day
        for week in weeks_of(case)
        for day in recount.week(case.heartbeats, case.zones, week)
        if day.listened_ms
    ]

    assert {day.date: day.listened_ms for day in days} == case.days
    assert {
        (day.date, hour): listened_ms for day in days for hour, listened_ms in day.hours.items()
    }.items() >= case.hours.items()


@each_case
def test_quarter_hours_give_each_day_the_same(case: Case) -> None:
    quarters = recount.quarters(case.heartbeats)

    tallies = {week: tallied(week_layout(case.zones, week), quarters) for week in weeks_of(case)}

    days = [day for of_week in tallies.values() for day in of_week.days]
    assert {day.date: day.listened_ms for day in days if day.listened_ms} == case.days
    assert {
        str(week): of_week.listened_ms for week, of_week in tallies.items() if of_week.listened_ms
    }.items() >= case.weeks.items()
    assert sum(quarters.values()) == sum(case.days.values())


@each_case
def test_the_oracle_gives_each_play_what_was_listened_of_it(case: Case) -> None:
    plays = recount.plays(case.heartbeats)

    assert {play: count.ms_played for play, count in plays.items()} == case.plays
    assert {play for play, count in plays.items() if count.counted} == {
        play for play, ms_played in case.plays.items() if ms_played >= 30_000
    }
