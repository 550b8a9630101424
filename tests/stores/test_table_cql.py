import pytest

from domain.ports import Table
from stores.table_cql import TableCql
from stores.tables import LOGIN_ATTEMPTS, PLAYS, REFRESH_FAMILIES, TABLES, TRACK_PLAYS

STAMPED = [table for table in TABLES if table.stamped]
VERSIONED = [table for table in TABLES if not table.stamped]


@pytest.mark.parametrize("table", STAMPED, ids=lambda table: table.name)
def test_whatever_is_written_with_a_stamp_says_it(table: Table) -> None:
    cql = TableCql(table)

    assert " USING TIMESTAMP ? " in cql.upsert
    assert " USING TIMESTAMP ? " in cql.erase
    assert " IF " not in cql.upsert + cql.erase


@pytest.mark.parametrize("table", VERSIONED, ids=lambda table: table.name)
def test_whatever_has_a_version_is_written_by_a_condition(table: Table) -> None:
    cql = TableCql(table)

    for text in (cql.write_if_none, cql.write_over, cql.write_if):
        assert " IF " in text
        assert "TIMESTAMP" not in text


def test_rows_of_a_partition_lie_in_the_order_of_their_clustering_key() -> None:
    made = TableCql(PLAYS).create

    assert made.startswith(
        "CREATE TABLE IF NOT EXISTS plays (listener text, play bigint, state blob,"
    )
    assert "PRIMARY KEY ((listener), play)" in made
    assert "PRIMARY KEY ((name))" in TableCql(LOGIN_ATTEMPTS).create


def test_a_scan_asks_for_the_bounds_that_there_are() -> None:
    cql = TableCql(TRACK_PLAYS)

    assert cql.scan(first=False, last=False, descending=False).endswith("WHERE track = ?")
    assert cql.scan(first=True, last=True, descending=True).endswith(
        "WHERE track = ? AND part >= ? AND part <= ? ORDER BY part DESC"
    )


def test_every_value_of_a_versioned_row_is_set_at_each_write() -> None:
    text = TableCql(REFRESH_FAMILIES).write_if

    assert "SET document = ?, version = ?, expires_ms = ?, writer = ? WHERE" in text
