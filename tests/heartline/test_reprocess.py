import json
from pathlib import Path

import pyarrow as pa
import pytest

from domain.batches import SCHEMA, batch_of
from domain.calendar import IsoWeek
from domain.heartbeats import Heartbeat
from domain.ports import StampedRow, Table
from domain.positions import STAMP_STEP
from domain.rows import encode_week, play_of, read_hour, read_week
from domain.units import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS, WEEK_MS, utc_week
from heartline.cli import main
from heartline.settings import Settings
from heartline.warehouses import open_warehouse
from stores.tables import LISTENING_HOURS, LISTENING_WEEKS, PLAYS
from stores.warehouse import ARCHIVED
from tests.clock import MONDAY_MS
from tests.heartline.warehouse_machine import Machine, listening

LATE_DAYS = 1  # the week under test ended before that, whenever the test runs
BEGIN_MS = MONDAY_MS - 7 * WEEK_MS
THEN_MS = BEGIN_MS + 10 * HOUR_MS + 15 * MINUTE_MS
WEEK = "2026-W40"
QUARTER = THEN_MS // QUARTER_MS


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    for name in Settings.__dataclass_fields__:
        monkeypatch.delenv(f"HEARTLINE_{name.upper()}", raising=False)
    monkeypatch.setenv("HEARTLINE_LATE_LIMIT_DAYS", str(LATE_DAYS))
    return Machine(tmp_path)


def reprocessed(
    machine: Machine, capsys: pytest.CaptureFixture[str], command: str = "reprocess"
) -> dict[str, object]:
    source = ["--from", "warehouse"] if command == "recount" else []
    data = str(machine.settings.data)
    assert main([command, *source, "--week", WEEK, "--data", data, "--json"]) == 0
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


def put_into_the_warehouse(machine: Machine, beats: list[Heartbeat]) -> None:
    """Put heartbeats there that never were in the log."""
    batch = batch_of(beats)
    nowhere = [pa.nulls(batch.num_rows, field.type) for field in list(ARCHIVED)[len(SCHEMA) :]]
    table = pa.table([*batch.columns, *nowhere], schema=ARCHIVED)
    assert open_warehouse(machine.settings, make=True).append(table, {})


def shown(machine: Machine, table: Table, name: str) -> list[object]:
    """What a listener's rows say, whatever the order of lanes in them."""
    rows = machine.rows(table, name)
    if table is PLAYS:
        return [play_of(int(str(row.key[1])), row.state) for row in rows]
    if table is LISTENING_HOURS:
        return [(row.key, sorted(read_hour(row.state).tolist())) for row in rows]
    return [(row.key, row.state) for row in rows if len(read_week(row.state))]


def test_where_everything_stands_as_it_should_nothing_is_written(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.fill([*listening("ann", 20, at_ms=THEN_MS), *listening("bob", 5, at_ms=THEN_MS)])

    told = reprocessed(machine, capsys)

    assert told == {
        "week": WEEK,
        "heartbeats": 52,
        "listeners": 2,
        "hours": 0,
        "weeks": 0,
        "plays": 0,
        "left": 0,
        "changes": [],
    }


@pytest.mark.parametrize("play", ["p1", ""])
def test_rows_that_were_lost_are_as_shards_had_written_them(
    machine: Machine, tmp_path: Path, play: str, capsys: pytest.CaptureFixture[str]
) -> None:
    beats = [
        *listening("ann", 90, at_ms=BEGIN_MS - 5 * MINUTE_MS, play=play),
        *listening("ann", 9, at_ms=THEN_MS + 3 * DAY_MS, play="p2"),
        *listening("bob", 9, at_ms=THEN_MS),
    ]
    whole = Machine(tmp_path / "whole")
    (tmp_path / "whole").mkdir()
    whole.fill(beats)
    machine.append(beats)
    machine.archive()
    machine.write(LISTENING_WEEKS, StampedRow(("nobody", 1), encode_week(1, {}), 4))
    machine.commit()

    told = reprocessed(machine, capsys)

    assert (told["hours"], told["left"]) == (5, 0)
    for table in (LISTENING_HOURS, LISTENING_WEEKS, PLAYS):
        for name in ("ann", "bob"):
            assert shown(machine, table, name) == shown(whole, table, name)
    assert reprocessed(machine, capsys, "recount")["differences"] == []
    assert reprocessed(machine, capsys)["changes"] == []


def test_what_came_by_other_means_is_in_the_number(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.fill(listening("ann", 5, at_ms=THEN_MS))
    (before,) = machine.rows(LISTENING_WEEKS, "ann")
    put_into_the_warehouse(machine, listening("ann", 4, at_ms=THEN_MS + HOUR_MS))

    told = reprocessed(machine, capsys)

    (after,) = machine.rows(LISTENING_WEEKS, "ann")
    assert after.stamp == before.stamp + 1
    assert after.state == encode_week(
        utc_week(THEN_MS), {QUARTER: 5 * MINUTE_MS, QUARTER + 4: 4 * MINUTE_MS}
    )
    assert told["changes"] == [
        {
            "of": "ann",
            "what": "quarter-hour from 2026-09-28T11:15:00.000Z, ms",
            "before": 0,
            "after": 4 * MINUTE_MS,
        },
        {
            "of": "ann",
            "what": f"play p{THEN_MS + HOUR_MS} of t1, ms",
            "before": 0,
            "after": 4 * MINUTE_MS,
        },
    ]
    assert reprocessed(machine, capsys)["changes"] == []
    assert machine.rows(LISTENING_WEEKS, "ann") == [after]


def test_what_shards_write_later_wins_and_has_the_correction_in_it(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.fill(listening("ann", 5, at_ms=THEN_MS))
    put_into_the_warehouse(machine, listening("ann", 4, at_ms=THEN_MS + HOUR_MS))
    reprocessed(machine, capsys)

    machine.fill(listening("ann", 3, at_ms=THEN_MS + 2 * HOUR_MS))

    (row,) = machine.rows(LISTENING_WEEKS, "ann")
    minutes = {QUARTER: 5, QUARTER + 4: 4, QUARTER + 8: 3}
    quarters = {quarter: count * MINUTE_MS for quarter, count in minutes.items()}
    assert row.stamp % STAMP_STEP == 0
    assert row.state == encode_week(utc_week(THEN_MS), quarters)


def test_a_row_is_corrected_three_times_and_then_left(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.fill(listening("ann", 5, at_ms=THEN_MS))
    (right,) = machine.rows(LISTENING_WEEKS, "ann")
    wrong = encode_week(utc_week(THEN_MS), {QUARTER: 7 * MINUTE_MS})
    key = ("ann", utc_week(THEN_MS))
    machine.write(LISTENING_WEEKS, StampedRow(key, wrong, right.stamp + 2))

    told = reprocessed(machine, capsys)

    assert [(each["before"], each["after"]) for each in told["changes"]] == [  # type: ignore[attr-defined]
        (7 * MINUTE_MS, 5 * MINUTE_MS)
    ]
    assert machine.rows(LISTENING_WEEKS, "ann") == [StampedRow(key, right.state, right.stamp + 3)]
    machine.write(LISTENING_WEEKS, StampedRow(key, wrong, right.stamp + 7))
    assert (reprocessed(machine, capsys)["left"], reprocessed(machine, capsys)["weeks"]) == (1, 0)


def test_the_weeks_beside_it_stay_as_they_are(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    beats = [
        beat
        for at_ms in (THEN_MS - 3 * DAY_MS, THEN_MS, THEN_MS + WEEK_MS + 3 * DAY_MS)
        for beat in listening("ann", 5, at_ms=at_ms)
    ]
    machine.append(beats)
    machine.archive()
    machine.write(LISTENING_WEEKS, StampedRow(("nobody", 1), encode_week(1, {}), 4))
    machine.commit()

    told = reprocessed(machine, capsys)

    assert (told["hours"], told["weeks"], told["plays"]) == (1, 1, 1)


def test_an_erased_listener_stays_erased(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.fill(listening("ann", 5, at_ms=THEN_MS))
    machine.erase("ann")
    machine.archive()
    machine.consume()
    put_into_the_warehouse(machine, listening("ann", 5, at_ms=THEN_MS))

    assert reprocessed(machine, capsys)["listeners"] == 0
    assert machine.rows(LISTENING_HOURS, "ann") == []


def test_a_play_that_reaches_farther_than_a_day_is_left(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    for days in (0, 14):
        machine.append(listening("ann", 5, at_ms=THEN_MS + days * DAY_MS, play="long"))
    machine.archive()
    machine.consume()
    before = machine.rows(PLAYS, "ann")

    assert reprocessed(machine, capsys)["left"] == 1
    assert machine.rows(PLAYS, "ann") == before


def test_a_warehouse_that_is_behind_corrects_nothing(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.fill(listening("ann", 5, at_ms=THEN_MS))
    machine.append(listening("ann", 9, at_ms=THEN_MS))
    machine.consume()

    assert main(["reprocess", "--week", WEEK, "--data", str(machine.settings.data)]) == 1
    assert "the warehouse lacks 1 records" in capsys.readouterr().err


def test_a_week_of_which_heartbeats_may_come_is_refused(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.fill(listening("ann", 5, at_ms=THEN_MS))
    monkeypatch.setenv("HEARTLINE_LATE_LIMIT_DAYS", "3650")

    assert main(["reprocess", "--week", WEEK, "--data", str(machine.settings.data)]) == 1
    assert f"heartbeats of {WEEK} are taken until" in capsys.readouterr().err


def test_the_week_under_test_is_the_one_meant() -> None:
    assert IsoWeek.parse(WEEK) == IsoWeek(2026, 40)
