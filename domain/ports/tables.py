"""Wide-column tables: what rows are, and what is done with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from msgspec import Struct


class Column(Enum):
    """What a column of a table holds."""

    TEXT = "text"
    INT = "int"  # signed, 64 bits
    BLOB = "blob"


@dataclass(frozen=True, slots=True)
class Table:
    """A wide-column table: rows of one partition key lie together, ordered by the clustering key.

    A *stamped* table has exactly one value column, ``state`` (a blob): a write carries a stamp, the
    larger stamp wins, of equal ones either. A *versioned* one is written if its version is the one
    that was read. The two kinds of write never meet in one table. A partition key that is one text is
    not empty.
    """

    name: str
    partition: Mapping[str, Column]
    clustering: Mapping[str, Column] = field(default_factory=dict)
    values: Mapping[str, Column] = field(default_factory=dict)
    stamped: bool = False


Value = str | int | bytes | None
Key = tuple[Value, ...]  # the partition key's columns, then the clustering key's


class StampedRow(Struct, frozen=True, gc=False):
    """A row of a stamped table, as written. Shards make millions of them; a dataclass is slower.

    It holds no containers but its key, so the garbage collector need not look at it.
    """

    key: Key
    state: bytes
    stamp: int
    ttl_s: int | None = None  # from the moment of writing, by the store's clock


class Row(Struct, frozen=True):
    """A row of a versioned table, as read: its key, its values by name, its version (1, 2, ...)."""

    key: Key
    values: Mapping[str, Value]
    version: int


class Slice(Struct, frozen=True):
    """Some rows of a whole table, and the mark behind which the others are; None: there are none."""

    rows: list[StampedRow]
    next: bytes | None


class Tables(Protocol):
    """The operations on any declared table. A write is durable (fsynced) when it returns.

    :raises Unavailable: from every method, when the store cannot answer now.
    """

    async def read_stamped(self, table: Table, keys: Sequence[Key]) -> list[StampedRow | None]:
        """Read rows by their whole keys, in the order of *keys*; None where there is no live row."""
        ...

    async def scan_stamped(
        self,
        table: Table,
        partition: Key,
        *,
        first: Value = None,
        last: Value = None,
        descending: bool = False,
        limit: int | None = None,
    ) -> list[StampedRow]:
        """Read a partition's live rows with clustering key from *first* to *last*, both inclusive."""
        ...

    async def count_stamped(
        self, table: Table, partitions: Sequence[Key], *, state: bytes
    ) -> list[int]:
        """Count each partition's live rows that hold *state*, in the order of *partitions*."""
        ...

    async def slice_stamped(self, table: Table, *, after: bytes = b"", limit: int) -> Slice:
        """Read some of all live rows of a table: up to *limit*, those behind the mark *after*.

        From ``b""`` on, each slice with the mark of the one before, every row comes exactly once that
        stands all the while; the order is the store's own. A mark holds for ever, in every process.

        :raises ValueError: *after* is no mark of that table.
        """
        ...

    async def write_stamped(self, writes: Sequence[tuple[Table, Sequence[StampedRow]]]) -> None:
        """Write all rows; a row loses to what stands with a larger stamp.

        Rows of one table sorted by key are written fastest. Writing the same again changes nothing.
        No row is written if one cannot be stored (ValueError, OverflowError). After Unavailable any of
        them may be, and writing them again is right; but none of a table before all of the table that
        comes before it, if the two are partitioned differently.
        """
        ...

    async def erase_stamped(self, table: Table, partition: Key, *, stamp: int) -> None:
        """Delete a partition's rows that have a smaller stamp, those written later included."""
        ...

    async def read(self, table: Table, keys: Sequence[Key]) -> list[Row | None]:
        """Read rows of a versioned table by their whole keys, in the order of *keys*."""
        ...

    async def scan(
        self,
        table: Table,
        partition: Key,
        *,
        first: Value = None,
        last: Value = None,
        descending: bool = False,
        limit: int | None = None,
    ) -> list[Row]:
        """As `scan_stamped`, of a versioned table."""
        ...

    async def write_if(
        self,
        table: Table,
        key: Key,
        values: Mapping[str, Value],
        *,
        version: int,
        ttl_s: int | None = None,
    ) -> bool:
        """Write a row if its version is *version* (0: if there is none); False if it is not.

        The new row has version ``version + 1``; an expired or deleted row counts as none.
        """
        ...

    async def delete_if(self, table: Table, key: Key, *, version: int) -> bool:
        """Delete a row if its version is *version*; False if it is not."""
        ...

    async def sweep(self) -> int:
        """Remove rows whose time has passed; readers do not see them before either. Tells how many."""
        ...

    async def close(self) -> None:
        """Finish what is being written and let go of the store."""
        ...
