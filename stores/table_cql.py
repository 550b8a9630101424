"""The CQL of one declared table, rendered once; every value travels as a parameter.

A stamped row is one cell, ``state``, written with its stamp as CQL's timestamp: which write stands is
the database's own rule. A versioned row is written by conditions only (Paxos): the two kinds of write
would spoil each other's timestamps.
"""

# ruff: noqa: S608  (names come from our own declarations)

from collections.abc import Collection, Iterable

from domain.ports import Column, Table

TYPES = {Column.TEXT: "text", Column.INT: "bigint", Column.BLOB: "blob"}
GRACE_S = 40 * 86_400  # deletions defeat late writes that long: longer than heartbeats may be late
STAMPED_OPTIONS = (
    f"gc_grace_seconds = {GRACE_S} AND compaction = {{'class': 'LeveledCompactionStrategy'}}"
)
VERSION = ("version", "expires_ms", "writer")  # of a versioned row, behind its values


class TableCql:
    """The statements of one table. Parameters come in the order in which the statement names them."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.keys = (*table.partition, *table.clustering)
        self.own = ("state",) if table.stamped else (*table.values, *VERSION)
        selected = ("state", "WRITETIME(state)") if table.stamped else self.own
        self._select = f"SELECT {', '.join((*self.keys, *selected))} FROM {table.name}"
        self._is_partition = is_each(table.partition)
        self._is_key = is_each(self.keys)

    @property
    def create(self) -> str:
        """The table: rows of a partition in the order of their clustering key."""
        kinds = {**self.table.partition, **self.table.clustering, **self.table.values}
        columns = [f"{name} {TYPES[kind]}" for name, kind in kinds.items()]
        if not self.table.stamped:
            columns += [f"{name} bigint" for name in VERSION]
        key = ", ".join([f"({', '.join(self.table.partition)})", *self.table.clustering])
        columns.append(f"PRIMARY KEY ({key})")
        options = f" WITH {STAMPED_OPTIONS}" if self.table.stamped else ""
        return f"CREATE TABLE IF NOT EXISTS {self.table.name} ({', '.join(columns)}){options}"

    @property
    def together(self) -> bool:
        """Whether rows of several partitions can be asked for at once."""
        return len(self.table.partition) == 1 and len(self.table.clustering) <= 1

    @property
    def read(self) -> str:
        """Read one row: the key."""
        return f"{self._select} WHERE {self._is_key}"

    @property
    def read_each(self) -> str:
        """Read rows of several keys, and of what else these combine to: a list of each key column."""
        return f"{self._select} WHERE {' AND '.join(f'{name} IN ?' for name in self.keys)}"

    def scan(self, *, first: bool, last: bool, descending: bool) -> str:
        """Read a partition's rows: the partition, the bounds that there are."""
        clustering = list(self.table.clustering)
        bounds = [f" AND {clustering[0]} >= ?"] if first else []
        bounds += [f" AND {clustering[0]} <= ?"] if last else []
        order = f" ORDER BY {clustering[0]} DESC" if descending and clustering else ""
        return f"{self._select} WHERE {self._is_partition}{''.join(bounds)}{order}"

    def slice(self, *, behind: bool) -> str:
        """Read rows of all partitions by their tokens: the partition *behind* which, the limit."""
        partition = ", ".join(self.table.partition)
        after = (
            f" WHERE token({partition}) > token({places(self.table.partition)})" if behind else ""
        )
        return f"{self._select}{after} LIMIT ?"

    @property
    def rest(self) -> str:
        """Read the rest of a partition: the key behind which, the limit."""
        clustering = ", ".join(self.table.clustering)
        return (
            f"{self._select} WHERE {self._is_partition}"
            f" AND ({clustering}) > ({places(self.table.clustering)}) LIMIT ?"
        )

    @property
    def upsert(self) -> str:
        """Write a stamped row: its key, its state, its stamp, how many seconds it lives (0: for ever)."""
        columns = (*self.keys, "state")
        return (
            f"INSERT INTO {self.table.name} ({', '.join(columns)})"
            f" VALUES ({places(columns)}) USING TIMESTAMP ? AND TTL ?"
        )

    @property
    def erase(self) -> str:
        """Delete a partition's rows with a stamp up to one: that stamp, the partition."""
        return f"DELETE FROM {self.table.name} USING TIMESTAMP ? WHERE {self._is_partition}"

    @property
    def write_if_none(self) -> str:
        """Write a versioned row where none is: seconds it lives, `own`, the key."""
        return f"{self._update} IF version = null"

    @property
    def write_over(self) -> str:
        """Write a versioned row over what one writer left: as `write_if_none`, then that writer."""
        return f"{self._update} IF writer = ?"

    @property
    def write_if(self) -> str:
        """Write a versioned row over a live one of a version: as `write_if_none`, version, now."""
        return f"{self._update} IF version = ? AND expires_ms > ?"

    @property
    def _update(self) -> str:
        news = ", ".join(f"{name} = ?" for name in self.own)
        return f"UPDATE {self.table.name} USING TTL ? SET {news} WHERE {self._is_key}"


def is_each(columns: Iterable[str]) -> str:
    """Demand of each of *columns* that it is a parameter."""
    return " AND ".join(f"{name} = ?" for name in columns)


def places(columns: Collection[str]) -> str:
    """Leave a place for the value of each of *columns*."""
    return ", ".join("?" * len(columns))
