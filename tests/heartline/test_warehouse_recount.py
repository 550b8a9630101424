import asyncio
import json
from pathlib import Path

import pytest

from domain.calendar import IsoWeek
from domain.ports import StampedRow
from domain.positions import stamp
from domain.rows import encode_week
from domain.units import DAY_MS, HOUR_MS, QUARTER_MS, WEEK_MS, utc_week
from heartline.cli import main
from heartline.recount_bounds import Window, anywhere
from heartline.recounted import Recounted
from heartline.settings import Settings
from heartline.terminal import Failure
from heartline.warehouse_recount import check_whole, plan_for, recount_bucket
from stores.tables import LISTENING_WEEKS
from stores.warehouse import BUCKETS
from tests.clock import MONDAY_MS
from tests.heartline.warehouse_machine import Machine, listening

WEEK = IsoWeek(2026, 47)  # that of MONDAY_MS


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    for name in Settings.__dataclass_fields__:
        monkeypatch.delenv(f"HEARTLINE_{name.upper()}", raising=False)
    return Machine(tmp_path)


def recounted(machine: Machine) -> Recounted:
    plan = asyncio.run(plan_for(machine.settings, WEEK))
    return Recounted.of_parts(recount_bucket(plan, bucket) for bucket in range(BUCKETS))


def test_what_was_archived_and_consumed_agrees(machine: Machine) -> None:
    for number in range(20):
        machine.append(listening(f"listener-{number}", minutes=number))
    machine.archive()
    machine.consume()

    found = recounted(machine)

    assert found.differences == []
    assert (found.tallied.listeners, found.tallied.plays, found.heartbeats) == (20, 20, 400)


def test_what_the_archive_has_yet_to_carry_is_read_from_the_log(machine: Machine) -> None:
    machine.fill(listening("ann", 5))
    machine.append([*listening("ann", 5, at_ms=MONDAY_MS + HOUR_MS), *listening("bob", 5)])
    machine.consume()

    found = recounted(machine)

    assert found.differences == []
    assert (found.tallied.listeners, found.tallied.quarters) == (2, 3)


def test_what_is_not_committed_may_or_may_not_be_in_the_store(machine: Machine) -> None:
    machine.fill(listening("ann", 5))
    machine.append([*listening("ann", 9), *listening("bob", 5)])
    machine.archive()

    assert recounted(machine).differences == []


def test_a_number_that_is_wrong_is_found(machine: Machine) -> None:
    machine.fill(listening("ann", 20))
    quarter, week = MONDAY_MS // QUARTER_MS, utc_week(MONDAY_MS)
    state = encode_week(week, {quarter: 899_999, quarter + 1: 300_000, quarter + 9: 1})
    machine.write(LISTENING_WEEKS, StampedRow(("ann", week), state, stamp(1 << 45)))

    found = [(each.stored, each.least, each.most) for each in recounted(machine).differences]

    assert found == [(899_999, 900_000, 900_000), (1, 0, 0)]


def test_rows_that_were_lost_are_found(machine: Machine) -> None:
    machine.consume()
    machine.append(listening("ann", 1))
    machine.archive()
    machine.commit()

    found = [each.what.split(",")[0] for each in recounted(machine).differences]

    assert found == ["quarter-hour from 2026-11-16T00:00:00.000Z", f"play p{MONDAY_MS} of t1"]


def test_only_the_week_is_compared_but_its_plays_whole(machine: Machine) -> None:
    machine.append(listening("ann", 30, at_ms=MONDAY_MS - 10 * 60_000))
    machine.append(listening("bob", 30, at_ms=MONDAY_MS + WEEK_MS - 10 * 60_000))
    machine.append(listening("cid", 5, at_ms=MONDAY_MS + 9 * DAY_MS))
    machine.archive()
    machine.consume()

    found = recounted(machine)

    assert found.differences == []
    assert (found.tallied.quarters, found.tallied.plays) == (3, 1)


def test_a_play_that_reaches_farther_than_a_day_is_left_out(machine: Machine) -> None:
    for at_ms in (MONDAY_MS, MONDAY_MS + 30 * DAY_MS):
        machine.append(listening("ann", 5, at_ms=at_ms, play="long"))
    machine.archive()
    machine.consume()

    found = recounted(machine)

    assert found.differences == []
    assert (found.tallied.quarters, found.tallied.plays) == (1, 0)


def test_an_erased_listener_is_left_out(machine: Machine) -> None:
    machine.fill([*listening("ann", 5), *listening("bob", 5)])
    machine.erase("ann")

    assert recounted(machine).differences == []


def test_a_week_that_the_warehouse_lacks_something_of_is_refused() -> None:
    begins_ms = anywhere(WEEK).first * QUARTER_MS

    check_whole(WEEK, begins_ms - HOUR_MS)
    with pytest.raises(Failure, match="2026-W47 cannot be counted again"):
        check_whole(WEEK, begins_ms)


def test_the_window_of_a_week_has_a_day_and_the_farthest_zones_around_it() -> None:
    first_ms, last_ms = Window(WEEK).instants

    assert first_ms == MONDAY_MS - 40 * HOUR_MS
    assert last_ms == MONDAY_MS + WEEK_MS + 40 * HOUR_MS - 1


def test_the_command_says_what_the_one_from_the_log_says(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.fill(listening("ann", 5))
    command = ["recount", "--week", "2026-W47", "--data", str(machine.settings.data), "--json"]

    assert main([*command, "--from", "log"]) == 0
    from_log = json.loads(capsys.readouterr().out)
    assert main([*command, "--from", "warehouse"]) == 0

    assert json.loads(capsys.readouterr().out) == from_log


@pytest.mark.parametrize(
    ("arguments", "said", "status"),
    [
        (["--from", "warehouse"], "wants a --week", 2),
        (["--from", "warehouse", "--week", "2026-W47", "--repair"], "repairs nothing", 2),
        (["--from", "warehouse", "--week", "2026-W47"], "there is no warehouse", 1),
    ],
)
def test_what_cannot_be_counted_again_is_refused(
    machine: Machine,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
    status: int,
) -> None:
    machine.consume()

    assert main(["recount", *arguments, "--data", str(machine.settings.data)]) == status
    assert said in capsys.readouterr().err
