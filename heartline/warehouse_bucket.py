"""One bucket of listeners in one week: what the warehouse has of them, and the log after it."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import gcd

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from domain.columns import decode
from domain.errors import UnreadableRecord
from domain.heartbeats import Kind
from domain.ports import Log, Record
from domain.positions import MOST_PARTITIONS, Generation, part_key
from domain.recount import Counts
from domain.recount_in_columns import COLUMNS, counts
from heartline.heard import Heard
from heartline.recount_bounds import Window
from stores.warehouse import BUCKETS, Warehouse, buckets_of

READ_BYTES = 4 << 20
COMMITTED = "committed"
WHERE = ("generation", "partition", "offset")

Committed = Mapping[Generation, Sequence[int]]  # the offset of each partition that shards committed


class WarehouseBucket:
    """Counts a bucket again; `heartline.recounting.Buckets` of a single one."""

    def __init__(
        self,
        warehouse: Warehouse,
        log: Log,
        bucket: int,
        *,
        window: Window,
        committed: Committed,
    ) -> None:
        self._log, self._bucket, self._window, self._committed = log, bucket, window, committed
        first_ms, last_ms = window.instants
        read = warehouse.read([*COLUMNS, *WHERE], bucket=bucket, first_ms=first_ms, last_ms=last_ms)
        self._tables = [_marked(read, committed)]
        self._next = {
            (generation, partition): offset
            for generation in committed
            for partition, offset in enumerate(warehouse.archived(generation))
            if _may_hold(partition, generation.partitions, bucket)
        }
        self.numbers = (bucket,)
        self.tracks = frozenset[str]()  # a week does not hold every play of a track
        self.unreadable = 0

    @property
    def heartbeats(self) -> int:
        """How many were read."""
        return self.size(self._bucket)

    async def advance(self, tell: Callable[[int], None] = lambda _: None) -> None:
        """Read what the log has that was not there the last time."""
        for (generation, partition), wanted in self._next.items():
            offset = wanted
            while records := await self._log.read(
                generation, partition, offset, most_bytes=READ_BYTES
            ):
                durable = self._committed[generation][partition]
                self._tables += filter(None, (self._table(each, durable) for each in records))
                offset = records[-1].offset + 1
                tell(len(records))
            self._next[generation, partition] = offset

    def heard(self, bucket: int) -> dict[str, Heard]:
        """Tell what each listener said."""
        table = pa.concat_tables(self._tables)
        every = cache(lambda: counts(table))
        durable = cache(lambda: counts(table.filter(table.column(COMMITTED))))
        whole = pc.all(table.column(COMMITTED)).as_py()
        instants = _instants(table)
        erased = set(_erasures(table).column("listener_id").to_pylist())
        return {
            name: Heard(
                lambda name=name: every().get(name, Counts()),  # type: ignore[misc]
                None if whole else lambda name=name: durable().get(name, Counts()),  # type: ignore[misc]
                instants=instants.get(name),
                erased=name in erased,
            )
            for name in instants.keys() | erased
        }

    def size(self, bucket: int) -> int:
        """Tell how many heartbeats there are."""
        return sum(table.num_rows for table in self._tables)

    def _table(self, record: Record, durable: int) -> pa.Table | None:
        try:
            batch = decode(record.payload)
        except UnreadableRecord:
            self.unreadable += 1
            return None
        table = pa.Table.from_batches([batch]).select(COLUMNS)
        first_ms, last_ms = self._window.instants
        at, kind = table.column("at"), table.column("kind")
        inside = pc.and_(pc.greater_equal(at, first_ms), pc.less_equal(at, last_ms))
        placed = buckets_of(batch.column("listener_id")) == self._bucket
        wanted = pc.or_(inside, pc.equal(kind, int(Kind.ERASE)))
        table = table.filter(pc.and_(wanted, pa.array(placed)))
        flags = pa.array(np.full(table.num_rows, record.offset < durable))
        return table.append_column(COMMITTED, flags) if table.num_rows else None


def _marked(read: pa.Table, committed: Committed) -> pa.Table:
    """Mark the heartbeats of records that shards have committed; others never were in the log."""
    ends = np.zeros(MOST_PARTITIONS * (1 + max((g.number for g in committed), default=0)), np.int64)
    for generation, offsets in committed.items():
        for partition, offset in enumerate(offsets):
            ends[part_key(generation.number, partition)] = offset
    generations, partitions, offsets = (
        pc.fill_null(read.column(name), -1).to_numpy().astype(np.int64) for name in WHERE
    )
    known = offsets >= 0
    places = np.where(known, part_key(generations, partitions), 0)
    return read.select(COLUMNS).append_column(COMMITTED, pa.array(known & (offsets < ends[places])))


def _instants(table: pa.Table) -> dict[str, tuple[int, int]]:
    said = table.filter(pc.not_equal(table.column("kind"), int(Kind.ERASE)))
    spans = said.group_by("listener_id").aggregate([("at", "min"), ("at", "max")])
    columns = (spans.column(name).to_pylist() for name in ("listener_id", "at_min", "at_max"))
    return {name: (first, last) for name, first, last in zip(*columns, strict=True)}


def _erasures(table: pa.Table) -> pa.Table:
    return table.filter(pc.equal(table.column("kind"), int(Kind.ERASE)))


def _may_hold(partition: int, partitions: int, bucket: int) -> bool:
    """Whether a partition may have listeners of a bucket: both are remainders of one hash."""
    common = gcd(partitions, BUCKETS)
    return partition % common == bucket % common
