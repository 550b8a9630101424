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


def parquet_lines(path: Path, mapping: Mapping[str, str]) -> Iterator[tuple[str, Cells]]:
    """Read the rows of a file.

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
                columns = [batch.column(name).to_pylist() for name in theirs.values()]
                for values in zip(*columns, strict=True):
                    number += 1
                    yield f"{place}: row {number}", dict(zip(theirs, values, strict=True))
    except (pa.ArrowException, OSError) as error:
        problem = str(error).splitlines()[0]
        raise UnreadableCatalogue(place, f"is damaged after row {number}: {problem}") from error
