"""The statements of a declared table, as SQLite plans them."""

import sqlite3
from contextlib import closing

import pytest

from domain.ports import Table
from stores.sqlite_tables import padded
from stores.table_sql import TableSql
from stores.tables import TABLES


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_each_of_many_keys_is_searched_for_and_no_table_is_scanned(table: Table) -> None:
    sql, keys = TableSql(table), 8
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(sql.create)
        plan = connection.execute(
            f"EXPLAIN QUERY PLAN {sql.read_each(keys)}", [1] * (keys * len(sql.keys) + 1)
        )
        steps = [step for *_, step in plan if table.name in step]

    equal = " AND ".join(f"{name}=?" for name in sql.keys)
    assert steps == [f"SEARCH {table.name} USING PRIMARY KEY ({equal})"]


@pytest.mark.parametrize(("keys", "padded_keys"), [(2, 2), (3, 4), (5, 8), (100, 128), (128, 128)])
def test_any_number_of_keys_is_read_with_one_of_few_statements(keys: int, padded_keys: int) -> None:
    wanted = padded([(number,) for number in range(keys)])

    assert len(wanted) == padded_keys
    assert wanted == [(number,) for number in range(keys)] + [(None,)] * (padded_keys - keys)


@pytest.mark.parametrize("table", [table for table in TABLES if table.clustering and table.stamped])
def test_partitions_are_counted_without_a_scan_of_the_table(table: Table) -> None:
    sql, partitions = TableSql(table), 4
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(sql.create)
        plan = connection.execute(
            f"EXPLAIN QUERY PLAN {sql.count_each(partitions)}",
            [1] * (partitions * len(table.partition) + 2),
        )
        steps = [step for *_, step in plan if table.name in step]

    equal = " AND ".join(f"{name}=?" for name in table.partition)
    assert steps == [f"SEARCH {table.name} USING PRIMARY KEY ({equal})"]
