"""Catalogues in Parquet, by the names of its columns; several artists or genres may be a list."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from heartline.importing.columns import UnreadableCatalogue, indexes_of
from heartline.importing.rows import Cells, place_of

MAGIC = b"PAR1"
ROWS = 4_096  # decoded at once
DAMAGED = (pa.ArrowException, OSError, ValueError, LookupError, OverflowError)
UNREADABLE = object()  # a cell that has no value in Python


def parquet_lines(path: Path, mapping: Mapping[str, str]) -> Iterator[tuple[str, Cells]]:
    """Read the rows of a file; of columns with one name, the first.

    Raises
    ------
    UnreadableCatalogue
        It is damaged.
    NoColumns
        It lacks columns.
    """
    place, number = place_of(path), 0
    try:
        with pa.OSFile(os.fsencode(path)) as binary, pq.ParquetFile(binary) as file:
            names = file.schema_arrow.names
            theirs = {ours: names[at] for ours, at in indexes_of(names, mapping).items()}
            for batch in file.iter_batches(batch_size=ROWS, columns=sorted(set(theirs.values()))):
                columns = [_cells(_first(batch, name)) for name in theirs.values()]
                for values in zip(*columns, strict=True):
                    number += 1
                    yield f"{place}: row {number}", dict(zip(theirs, values, strict=True))
    except DAMAGED as error:
        problem = (str(error) or type(error).__name__).splitlines()[0]
        raise UnreadableCatalogue(place, f"is damaged after row {number}: {problem}") from error


def _first(batch: pa.RecordBatch, name: str) -> pa.Array:
    return batch.column(batch.schema.names.index(name))


def _cells(column: pa.Array) -> list[object]:
    try:
        return list(column.to_pylist())
    except DAMAGED:  # bytes that are no UTF-8, nanoseconds, the year 146 138
        return [_cell(one) for one in column]


def _cell(scalar: pa.Scalar) -> object:
    try:
        return scalar.as_py()
    except DAMAGED:
        return UNREADABLE
