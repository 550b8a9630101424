"""The rows that the warehouse makes of a bucket of listeners, by the fold that shards run."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from domain.batches import SCHEMA
from domain.columns import columns_of
from domain.fold import Fold
from domain.payloads import encode, open_payload
from domain.positions import GENERATION_SHIFT, position
from domain.rows import Rows
from domain.wanted import Stored, Wanted

ROWS = 1 << 14  # applied in one go
POSITION = "position"
FIRST = position(0, 0)


@dataclass(frozen=True, slots=True)
class Made:
    """Rows made anew, and the position of each listener's last record among what they are made of."""

    rows: Rows
    last: dict[str, int]


def made_of(heartbeats: pa.Table) -> Made:
    """Make the rows that heartbeats give (the columns of a record, and where they stood in the log)."""
    table = _in_order(heartbeats)
    fold = Fold()
    for batch, positions in _batches(table):
        columns, _ = columns_of([open_payload(encode(batch))], [0])
        columns = columns._replace(positions=positions)
        found, wanted = fold.plan(columns)
        fold.install(wanted, _nothing(wanted))
        fold.apply(columns, found)
    lasts = table.group_by("listener_id").aggregate([(POSITION, "max")])
    names, last = (lasts.column(name).to_pylist() for name in ("listener_id", f"{POSITION}_max"))
    return Made(fold.collect(), dict(zip(names, last, strict=True)))


def _in_order(heartbeats: pa.Table) -> pa.Table:
    """In the order of the log; what never was in it comes last, as if with the last record."""
    at = pc.add(
        pc.shift_left(heartbeats.column("generation").cast(pa.int64()), GENERATION_SHIFT),
        pc.add(heartbeats.column("offset"), 1),
    )
    known = heartbeats.append_column("known", pc.is_valid(at))
    last = pc.max(at).as_py() or FIRST
    placed = known.append_column(POSITION, pc.fill_null(at, last))
    return placed.sort_by(
        [(POSITION, "ascending"), ("known", "descending"), ("listener_id", "ascending")]
    )


def _batches(table: pa.Table) -> Iterator[tuple[pa.RecordBatch, npt.NDArray[np.int64]]]:
    for begin in range(0, table.num_rows, ROWS):
        some = table.slice(begin, ROWS).combine_chunks()
        (batch,) = some.select(SCHEMA.names).cast(SCHEMA).to_batches()
        yield batch, some.column(POSITION).to_numpy().copy()


def _nothing(wanted: Wanted) -> Stored:
    return Stored(
        erased=[False] * len(wanted.listeners),
        hours=[None] * len(wanted.hours),
        weeks=[None] * len(wanted.weeks),
        plays=[None] * len(wanted.plays),
    )
