"""The SQL of one declared table, rendered once; every value travels as a parameter."""

# ruff: noqa: S608  (names come from our own declarations)

from collections.abc import Iterable, Sequence
from functools import lru_cache

from domain.ports import Column, Table

TYPES = {Column.TEXT: "TEXT", Column.INT: "INTEGER", Column.BLOB: "BLOB"}
ROWS_TOGETHER = (
    250  # of one statement: each costs the interpreter lock once, however many rows it has
)
LIVE = "(expires_ms IS NULL OR expires_ms > ?)"
EXPIRED = "expires_ms <= ?"


class TableSql:
    """The statements of one table. Parameters come in the order in which the statement names them."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.keys = (*table.partition, *table.clustering)
        self.counter = "stamp" if table.stamped else "version"
        self.columns = (*self.keys, *table.values, self.counter, "expires_ms")
        self._key = ", ".join(self.keys)
        self._is_key = is_each(self.keys)
        self._is_partition = is_each(table.partition)
        read = ", ".join((*self.keys, *table.values, self.counter))
        self.read = f"SELECT {read} FROM {table.name} WHERE {self._is_key} AND {LIVE}"
        self._selected = read
        self.upsert = lru_cache(maxsize=ROWS_TOGETHER)(self._upsert)
        self.read_each = lru_cache(maxsize=ROWS_TOGETHER)(self._read_each)
        self.count_each = lru_cache(maxsize=ROWS_TOGETHER)(self._count_each)
        self.scan = lru_cache(maxsize=None)(self._scan)  # there are eight of them

    @property
    def create(self) -> str:
        """The table: rows in the order of their keys, of the types that were declared."""
        kinds = {**self.table.partition, **self.table.clustering}
        keys = [f"{name} {TYPES[kind]} NOT NULL" for name, kind in kinds.items()]
        values = [f"{name} {TYPES[kind]}" for name, kind in self.table.values.items()]
        own = [f"{self.counter} INTEGER NOT NULL", "expires_ms INTEGER"]
        columns = ", ".join([*keys, *values, *own, f"PRIMARY KEY ({self._key})"])
        return f"CREATE TABLE IF NOT EXISTS {self.table.name} ({columns}) STRICT, WITHOUT ROWID"

    @property
    def create_expiry(self) -> str:
        """What `sweep` finds rows by; rows that never expire are not in it and cost nothing."""
        return (
            f"CREATE INDEX IF NOT EXISTS {self.table.name}_expiry ON {self.table.name} (expires_ms)"
            " WHERE expires_ms IS NOT NULL"
        )

    def _scan(self, *, first: bool, last: bool, descending: bool) -> str:
        """Read a partition's live rows: partition, now, the bounds that there are, the limit (-1: none)."""
        clustering = list(self.table.clustering)
        bounds = [f" AND {clustering[0]} >= ?"] if first else []
        bounds += [f" AND {clustering[0]} <= ?"] if last else []
        way = " DESC" if descending else ""
        order = ", ".join(f"{name}{way}" for name in clustering or self.keys)
        return (
            f"SELECT {self._selected} FROM {self.table.name}"
            f" WHERE {self._is_partition} AND {LIVE}{''.join(bounds)} ORDER BY {order} LIMIT ?"
        )

    def slice(self, *, behind: bool) -> str:
        """Read live rows of all partitions: the key *behind* which, now, the limit."""
        after = f"({self._key}) > {_places(self.keys)} AND " if behind else ""
        return (
            f"SELECT {self._selected} FROM {self.table.name} WHERE {after}{LIVE}"
            f" ORDER BY {self._key} LIMIT ?"
        )

    def _read_each(self, keys: int) -> str:
        """Read the live rows of several keys: the keys, now. Only rows that there are cost a step."""
        return self._of_wanted(self.keys, keys, self._selected, LIVE)

    def _count_each(self, partitions: int) -> str:
        """Count live rows of several partitions: these, the state, now."""
        names = ", ".join(self.table.partition)
        read = self._of_wanted(
            tuple(self.table.partition), partitions, f"{names}, count(*)", f"state = ? AND {LIVE}"
        )
        return f"{read} GROUP BY {names}"

    def _of_wanted(self, columns: Sequence[str], count: int, selected: str, where: str) -> str:
        names = [f"wanted_{name}" for name in columns]
        wanted = f"({', '.join(names)}) AS (VALUES {', '.join([_places(names)] * count)})"
        equal = " AND ".join(f"{own} = {name}" for own, name in zip(columns, names, strict=True))
        # CROSS: in the order of the keys, each found by its own search
        return (
            f"WITH wanted{wanted} SELECT {selected}"
            f" FROM wanted CROSS JOIN {self.table.name} ON {equal} WHERE {where}"
        )

    def _upsert(self, rows: int) -> str:
        news = [*self.table.values, "stamp", "expires_ms"]
        news_set = ", ".join(f"{name} = excluded.{name}" for name in news)
        return (
            f"{self._insert(rows)} ON CONFLICT ({self._key}) DO UPDATE SET {news_set}"
            " WHERE excluded.stamp > stamp"
        )

    @property
    def insert_if_none(self) -> str:
        """Write all columns where no live row is: the row's columns, now."""
        news = [*self.table.values, "version", "expires_ms"]
        news_set = ", ".join(f"{name} = excluded.{name}" for name in news)
        return (
            f"{self._insert(1)} ON CONFLICT ({self._key}) DO UPDATE SET {news_set} WHERE {EXPIRED}"
        )

    @property
    def update_if(self) -> str:
        """Write the values, the expiry: they, the key, the version, now."""
        news = [f"{name} = ?" for name in (*self.table.values, "expires_ms")]
        return (
            f"UPDATE {self.table.name} SET {', '.join(news)}, version = version + 1"
            f" WHERE {self._is_key} AND version = ? AND {LIVE}"
        )

    @property
    def delete_if(self) -> str:
        """Delete a live row of that version: the key, the version, now."""
        return f"DELETE FROM {self.table.name} WHERE {self._is_key} AND version = ? AND {LIVE}"

    @property
    def erase(self) -> str:
        """Delete a partition's rows of smaller stamps: the partition, the stamp."""
        return f"DELETE FROM {self.table.name} WHERE {self._is_partition} AND stamp < ?"

    @property
    def expired(self) -> str:
        """Find keys of rows whose time has passed: now, how many."""
        return f"SELECT {self._key} FROM {self.table.name} WHERE {EXPIRED} LIMIT ?"

    @property
    def delete_expired(self) -> str:
        """Delete a row whose time has passed: the key, now."""
        return f"DELETE FROM {self.table.name} WHERE {self._is_key} AND {EXPIRED}"

    def _insert(self, rows: int) -> str:
        columns = ", ".join(self.columns)
        values = ", ".join([_places(self.columns)] * rows)
        return f"INSERT INTO {self.table.name} ({columns}) VALUES {values}"


def is_each(columns: Iterable[str]) -> str:
    """Demand of each of *columns* that it is a parameter."""
    return " AND ".join(f"{name} = ?" for name in columns)


def _places(columns: Sequence[str]) -> str:
    return f"({', '.join('?' * len(columns))})"
