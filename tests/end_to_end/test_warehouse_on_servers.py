"""The warehouse on S3 beside a log on Kafka and a store that speaks CQL."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from domain.rows import read_week
from domain.units import HOUR_MS, MINUTE_MS, WEEK_MS
from heartline.cli import main
from heartline.settings import Settings
from stores.tables import LISTENING_HOURS, LISTENING_WEEKS, PLAYS, TABLES
from tests.clock import MONDAY_MS
from tests.heartline.test_reprocess import put_into_the_warehouse, shown
from tests.heartline.warehouse_machine import Machine, listening
from tests.servers.fixtures import Servers
from tests.stores.keyspaces import new_keyspace

pytestmark = [pytest.mark.servers, pytest.mark.timeout(240)]

THEN_MS = MONDAY_MS - 7 * WEEK_MS + 10 * HOUR_MS + 15 * MINUTE_MS
WEEK = "2026-W40"


@pytest.fixture
def machine(
    servers: Servers,
    kafka: str,
    s3: Mapping[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Machine]:
    name = f"{tmp_path.parent.name}-{tmp_path.name}"
    bucket, _, rest = s3["HEARTLINE_OBJECTS"].partition("?")
    with new_keyspace(servers, TABLES) as keyspace:
        store = servers.settings("cassandra")["HEARTLINE_STORE"].rpartition("/")[0]
        given = {
            "store": f"{store}/{keyspace.name}",
            "log": f"{kafka}/{name}",
            "objects": f"{bucket}/{name}?{rest}",
            "partitions": "2",
            "late_limit_days": "1",
        }
        for key, value in given.items():
            monkeypatch.setenv(f"HEARTLINE_{key.upper()}", value)
        for key, value in s3.items():
            if key.startswith("AWS_"):
                monkeypatch.setenv(key, value)
        yield Machine(tmp_path, Settings.from_environ({}, {"data": tmp_path, **given}))


def test_a_week_is_counted_again_and_corrected(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(*command: str) -> dict[str, object]:
        of = [*command, "--week", WEEK, "--data", str(machine.settings.data), "--json"]
        assert main(of) == 0
        found: dict[str, object] = json.loads(capsys.readouterr().out)
        return found

    machine.fill([*listening("ann", 20, at_ms=THEN_MS), *listening("bob", 5, at_ms=THEN_MS)])
    machine.append(listening("cid", 5, at_ms=THEN_MS))
    machine.consume()
    again = told("recount", "--from", "warehouse")
    assert (again["listeners"], again["heartbeats"], again["differences"]) == (3, 63, [])

    machine.archive()
    before = [shown(machine, table, "bob") for table in (LISTENING_HOURS, PLAYS)]
    put_into_the_warehouse(machine, listening("ann", 4, at_ms=THEN_MS + HOUR_MS))
    corrected = told("reprocess")

    assert (corrected["hours"], corrected["weeks"], corrected["plays"]) == (1, 1, 1)
    assert told("reprocess")["changes"] == []
    (row,) = machine.rows(LISTENING_WEEKS, "ann")
    assert row.stamp % 4 == 1
    assert read_week(row.state)["ms"].sum() == 24 * MINUTE_MS
    assert [shown(machine, table, "bob") for table in (LISTENING_HOURS, PLAYS)] == before
