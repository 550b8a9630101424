"""The store in dictionaries: a fake small enough to be read, with a clock that the test turns."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.ports import Column, Key, Row, Slice, StampedRow, Table, Value
from stores.slice_marks import key_of, mark_of


@dataclass(frozen=True, slots=True)
class Standing:
    """A row as it stands: its stamp or version, what it holds, and when it is gone."""

    stamp: int
    holds: Any
    expires_ms: int | None


Partitions = dict[Key, dict[Key, Standing]]


class MemoryTables:
    """A `domain.ports.Tables` of one process.

    Of equal stamps the first stands, as in SQLite, or the *larger bytes*, as in what speaks CQL.
    """

    def __init__(self, now_ms: Callable[[], int], *, larger_bytes: bool = False) -> None:
        self._now_ms, self._larger_bytes = now_ms, larger_bytes
        self._tables: dict[str, Partitions] = defaultdict(lambda: defaultdict(dict))
        self._tombstones: dict[tuple[str, Key], int] = {}

    async def read_stamped(self, table: Table, keys: Sequence[Key]) -> list[StampedRow | None]:
        found = [(key, self._live(table, key)) for key in keys]
        return [
            None if row is None else StampedRow(key, row.holds, row.stamp) for key, row in found
        ]

    async def scan_stamped(
        self,
        table: Table,
        partition: Key,
        *,
        first: Any = None,
        last: Any = None,
        descending: bool = False,
        limit: int | None = None,
    ) -> list[StampedRow]:
        rows = self._scan(table, partition, first, last)
        found = [StampedRow(key, row.holds, row.stamp) for key, row in rows]
        return found[:: -1 if descending else 1][:limit]

    async def count_stamped(
        self, table: Table, partitions: Sequence[Key], *, state: bytes
    ) -> list[int]:
        scans = [await self.scan_stamped(table, each) for each in partitions]
        return [sum(row.state == state for row in rows) for rows in scans]

    async def slice_stamped(self, table: Table, *, after: bytes = b"", limit: int) -> Slice:
        behind = key_of(table, after) if after else ()
        keys = sorted(
            partition + place
            for partition, rows in self._tables[table.name].items()
            for place in rows
        )
        rows = await self.read_stamped(table, [key for key in keys if key > behind])
        found = [row for row in rows if row][:limit]
        return Slice(found, mark_of(found[-1].key) if len(found) == limit else None)

    async def write_stamped(self, writes: Sequence[tuple[Table, Sequence[StampedRow]]]) -> None:
        for table, rows in writes:
            for row in rows:
                _check(table, row.key)
        for table, rows in writes:
            for row in rows:
                self._write(table, row)

    async def erase_stamped(self, table: Table, partition: Key, *, stamp: int) -> None:
        least = max(stamp, self._tombstones.get((table.name, partition), stamp))
        self._tombstones[table.name, partition] = least
        rows = self._tables[table.name][partition]
        for place in [place for place, row in rows.items() if row.stamp < least]:
            del rows[place]

    async def read(self, table: Table, keys: Sequence[Key]) -> list[Row | None]:
        found = [(key, self._live(table, key)) for key in keys]
        return [None if row is None else Row(key, row.holds, row.stamp) for key, row in found]

    async def scan(
        self,
        table: Table,
        partition: Key,
        *,
        first: Any = None,
        last: Any = None,
        descending: bool = False,
        limit: int | None = None,
    ) -> list[Row]:
        rows = self._scan(table, partition, first, last)
        found = [Row(key, row.holds, row.stamp) for key, row in rows]
        return found[:: -1 if descending else 1][:limit]

    async def write_if(
        self,
        table: Table,
        key: Key,
        values: Mapping[str, Value],
        *,
        version: int,
        ttl_s: int | None = None,
    ) -> bool:
        if unknown := values.keys() - table.values.keys():
            raise ValueError(f"{table.name} has no column {min(unknown)}")
        if self._version(table, key) != version:
            return False
        given = {name: values.get(name) for name in table.values}
        self._put(table, key, Standing(version + 1, given, self._expiry(ttl_s)))
        return True

    async def delete_if(self, table: Table, key: Key, *, version: int) -> bool:
        if version == 0 or self._version(table, key) != version:
            return False
        partition, place = _split(table, key)
        del self._tables[table.name][partition][place]
        return True

    async def sweep(self) -> int:
        swept = 0
        for partitions in self._tables.values():
            for rows in partitions.values():
                gone = [place for place, row in rows.items() if self._expired(row)]
                for place in gone:
                    del rows[place]
                swept += len(gone)
        return swept

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _write(self, table: Table, row: StampedRow) -> None:
        partition, place = _split(table, row.key)
        least = self._tombstones.get((table.name, partition), row.stamp)
        stands = self._tables[table.name][partition].get(place)
        if row.stamp >= least and (stands is None or self._wins(row, stands)):
            self._put(table, row.key, Standing(row.stamp, row.state, self._expiry(row.ttl_s)))

    def _wins(self, row: StampedRow, stands: Standing) -> bool:
        if row.stamp == stands.stamp:
            return self._larger_bytes and bool(row.state > stands.holds)
        return row.stamp > stands.stamp

    def _put(self, table: Table, key: Key, row: Standing) -> None:
        partition, place = _split(table, key)
        self._tables[table.name][partition][place] = row

    def _live(self, table: Table, key: Key) -> Standing | None:
        partition, place = _split(table, key)
        row = self._tables[table.name][partition].get(place)
        return None if row is None or self._expired(row) else row

    def _version(self, table: Table, key: Key) -> int:
        row = self._live(table, key)
        return 0 if row is None else row.stamp

    def _scan(
        self, table: Table, partition: Key, first: Any, last: Any
    ) -> list[tuple[Key, Standing]]:
        rows = self._tables[table.name][partition]
        return [
            (partition + place, rows[place])
            for place in sorted(rows)
            if not self._expired(rows[place])
            and (first is None or place[0] >= first)
            and (last is None or place[0] <= last)
        ]

    def _expired(self, row: Standing) -> bool:
        return row.expires_ms is not None and row.expires_ms <= self._now_ms()

    def _expiry(self, ttl_s: int | None) -> int | None:
        return None if ttl_s is None else self._now_ms() + ttl_s * 1_000


def _split(table: Table, key: Key) -> tuple[Key, Key]:
    columns = len(table.partition)
    return key[:columns], key[columns:]


def _check(table: Table, key: Key) -> None:
    for column, value in zip(
        (*table.partition.values(), *table.clustering.values()), key, strict=True
    ):
        if column is Column.INT and isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
            raise OverflowError(f"{value} has more than 64 bits")
