"""Batches of an Arrow IPC stream that somebody sent, no larger than they may be.

Text may be utf8, large_utf8, utf8_view or a dictionary of them, numbers any integers, lists any of both.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from serve.arrow_messages import MOST_PLAIN_BYTES, check_messages
from serve.receipts import BadBody

ARROW = "application/vnd.apache.arrow.stream"

_WORDS_PER_VIEW = 4  # a string view is 16 bytes, of which the first four are the length


@contextmanager
def unreadable_refused() -> Iterator[None]:
    """Refuse a body that Arrow cannot read.

    :raises BadBody: instead of what Arrow raises.
    """
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise BadBody("malformed", f"the body is not a readable Arrow stream: {error}") from error


def read_batches(
    stream: pa.Buffer, places_of: Callable[[pa.Schema], list[int]], *, most_rows: int
) -> list[pa.RecordBatch]:
    """Read the columns that *places_of* the schema tells, 1 to *most_rows* of them.

    :raises BadBody: if there are none or more of them, or they are too large.
    :raises ValueError, OSError: if it is not an Arrow stream, or a damaged one.
    """
    check_messages(stream)
    with pa.ipc.open_stream(stream) as reader:
        places = places_of(reader.schema)
    options = pa.ipc.IpcReadOptions(
        use_threads=False,
        included_fields=places,
        ensure_alignment=pa.ipc.Alignment.DataTypeSpecific,
    )
    batches, rows = [], 0
    with pa.ipc.open_stream(stream, options=options) as reader:
        for batch in reader:
            rows += batch.num_rows
            if rows > most_rows:
                raise BadBody("too_many", f"the stream has more than {most_rows} rows")
            batch.validate(full=True)
            if batch.num_rows:
                batches.append(batch)
    if not rows:
        raise BadBody("empty", "the stream has no rows")
    _check_growth(batches)
    return batches


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of that type holds text, or nothing."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return kind in {pa.utf8(), pa.large_utf8(), pa.string_view(), pa.null()}


def is_list(kind: pa.DataType) -> bool:
    """Whether a column of that type holds lists."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def is_valid(column: pa.Array) -> npt.NDArray[Any]:
    """Tell which values are not null."""
    return np.asarray(column.is_valid().to_numpy(zero_copy_only=False))


def plain(column: pa.Array) -> pa.Array:
    """Write text out as utf8."""
    if pa.types.is_dictionary(column.type):
        return plain(column.dictionary).take(column.indices)
    return column if column.type == pa.utf8() else column.cast(pa.utf8())


def _check_growth(batches: Sequence[pa.RecordBatch]) -> None:
    """Refuse few texts that are said very often: written out they must fit as well."""
    grown_bytes = 0
    for batch in batches:
        for column in batch.columns:
            grown_bytes += _grown_bytes(column)
            if grown_bytes > MOST_PLAIN_BYTES:
                raise BadBody("too_large", f"the texts are more than {MOST_PLAIN_BYTES} bytes")


def _grown_bytes(column: pa.Array) -> int:
    if is_list(column.type):
        return _grown_bytes(column.flatten())
    if pa.types.is_struct(column.type):
        return sum(map(_grown_bytes, column.flatten()))
    if pa.types.is_dictionary(column.type):
        within = _grown_bytes(column.dictionary)
        if within > MOST_PLAIN_BYTES:
            return within
        lengths = pc.binary_length(plain(column.dictionary)).cast(pa.int64())
        return within + (pc.sum(lengths.take(column.indices)).as_py() or 0)
    if column.type == pa.string_view() and len(column):
        words = np.frombuffer(column.buffers()[1], np.int32)[_WORDS_PER_VIEW * column.offset :]
        lengths = words[::_WORDS_PER_VIEW][: len(column)].astype(np.int64)
        return int(lengths[is_valid(column)].sum())
    return 0
