"""What gateways send to ``/v1/heartbeats`` as an Arrow IPC stream: a column at a time.

The columns have the names of the JSON fields, in any order; others are not even read. Nulls are as good
as missing. The good path has no Python per row: texts are checked as whole buffers, and only a buffer
with something suspicious in it is searched row by row.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from domain.batches import MOST_TEXT_BYTES, SCHEMA, offsets_of
from domain.heartbeat_items import NEEDS, Admission, missing, wrong
from domain.heartbeats import KINDS, MOST_AT, MOST_POSITION_MS, MOST_STRETCH, Refusal
from domain.ids import ID_BYTES
from domain.units import DAY_MS, FUTURE_MS
from serve.arrow_streams import is_text, is_valid, plain, read_batches, unreadable_refused
from serve.heartbeat_bodies import Taken
from serve.receipts import BadBody, Rejected

MOST_ROWS = 100_000

_FIELDS = tuple(NEEDS)
_WHOLE = {"at": (0, MOST_AT), "stretch": (0, MOST_STRETCH), "position_ms": (-1, MOST_POSITION_MS)}
_NOT_SAID = {"at": 0, "stretch": 0, "position_ms": -1}
_KIND_NAMES = pa.array(list(KINDS))
_KIND_NUMBERS = pa.array([int(kind) for kind in KINDS.values()], pa.int8())
_CONTROL = r"[\x{0}-\x{1f}\x{7f}-\x{9f}]"
_NOT_LISTENER = r"[^\x{21}-\x{7e}]"
_NEVER_EMPTY = ("id", "listener_id", "track_id")

Array = npt.NDArray[Any]


class _Judged(NamedTuple):
    """One batch: its columns in the order of `SCHEMA`, and for each row 0 or what is wrong."""

    rows: pa.RecordBatch
    ids: pa.Array  # as sent, nulls and all
    codes: Array


def read_arrow(body: bytes, admission: Admission) -> Taken:
    """Take the heartbeats of an Arrow stream: 1 to 100 000 rows, in one batch or several.

    Every row that is refused is listed, however many they are.

    :raises BadBody: if it is no such stream, or a column cannot be what its name says.
    """
    with unreadable_refused():
        batches = read_batches(
            pa.py_buffer(body), lambda schema: _places(schema, admission), most_rows=MOST_ROWS
        )
        judged = [_judge(batch, admission) for batch in batches]
    return _sum_up(judged, admission)


def _places(schema: pa.Schema, admission: Admission) -> list[int]:
    """Where the columns that have a meaning stand; the types are right then."""
    for field in _FIELDS:
        found = schema.get_all_field_indices(field)
        if len(found) > 1:
            raise BadBody("invalid_column", f"there are {len(found)} columns {field}")
        if not found and admission.requires(field):
            raise BadBody("invalid_column", f"the column {field} is missing")
        if found and not _suits(field, schema.field(found[0]).type):
            kind = "integers" if field in _WHOLE else "text"
            raise BadBody("invalid_column", f"the column {field} must hold {kind}")
    return [place for place, name in enumerate(schema.names) if name in NEEDS]


def _suits(field: str, kind: pa.DataType) -> bool:
    if field in _WHOLE:
        return bool(pa.types.is_integer(kind) or pa.types.is_null(kind))
    return is_text(kind)


def _judge(batch: pa.RecordBatch, admission: Admission) -> _Judged:
    codes = np.zeros(batch.num_rows, np.uint8)
    columns: dict[str, pa.Array] = {}
    for place, field in enumerate(_FIELDS):
        there = field in batch.schema.names
        column = batch.column(field) if there else pa.nulls(batch.num_rows)
        if column.null_count and admission.requires(field):
            _blame(codes, ~is_valid(column), _missing_code(place))
        columns[field], bad = _read_column(field, column)
        _blame(codes, bad, _wrong_code(place))
    at = columns["at"].to_numpy()
    earliest = admission.now_ms - admission.late_limit_days * DAY_MS
    _blame(codes, at < earliest, _TOO_OLD)
    _blame(codes, at > admission.now_ms + FUTURE_MS, _TOO_EARLY)
    rows = pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)
    return _Judged(rows, batch.column("id"), codes)


def _missing_code(place: int) -> int:
    return 2 * place + 1


def _wrong_code(place: int) -> int:
    return 2 * place + 2


_TOO_OLD, _TOO_EARLY = 2 * len(_FIELDS) + 1, 2 * len(_FIELDS) + 2


def _refusals(admission: Admission) -> list[Refusal]:
    """What each code means, 0 left out."""
    of_fields = [refuse(field) for field in _FIELDS for refuse in (missing, wrong)]
    of_time = [admission.refuse(at) for at in (-MOST_AT, MOST_AT)]
    return [*of_fields, *(refusal for refusal in of_time if refusal)]


def _blame(codes: Array, bad: Array, code: int) -> None:
    if bad.any():
        codes[bad & (codes == 0)] = code


def _read_column(field: str, column: pa.Array) -> tuple[pa.Array, Array]:
    """Make the batch's column of *column*, and tell in which rows it is wrong."""
    if field in _WHOLE:
        return _read_whole(field, column)
    texts = plain(column)
    texts = texts.fill_null("") if texts.null_count else texts
    if field == "kind":
        found = pc.index_in(texts, _KIND_NAMES)
        return _KIND_NUMBERS.take(found.fill_null(0)), ~is_valid(found)
    return texts, _wrong_texts(field, texts)


def _read_whole(field: str, column: pa.Array) -> tuple[pa.Array, Array]:
    least, most = _WHOLE[field]
    valid = is_valid(column)
    if pa.types.is_null(column.type):
        column = column.cast(pa.int64())
    said = column.fill_null(0).to_numpy()
    values = said.astype(np.int64)
    bad = (values < least) | (values > most) | ((said > 0) & (values < 0))  # the last: uint64
    values[~valid | bad] = _NOT_SAID[field]
    return pa.array(values).cast(SCHEMA.field(field).type), bad


def _wrong_texts(field: str, texts: pa.Array) -> Array:
    offsets = offsets_of(texts)
    lengths = np.diff(offsets)
    every_byte = np.frombuffer(texts.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
    bad = lengths > MOST_TEXT_BYTES[field]
    if field in _NEVER_EMPTY:
        bad |= lengths == 0
    if field == "listener_id":
        lowest, pattern = 0x21, _NOT_LISTENER
    else:
        lowest, pattern = 0x20, _CONTROL
    # The usual text is told in two passes that write nothing.
    plain = every_byte.min(initial=0x7E) >= lowest and every_byte.max(initial=lowest) <= 0x7E
    if not plain and _is_suspicious(field, every_byte):
        bad |= pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return bad


def _is_suspicious(field: str, every_byte: Array) -> bool:
    if field == "listener_id":
        return True
    # C2 leads U+0080 to U+00BF in UTF-8, the first half of which are controls
    suspicious = (every_byte < 0x20) | (every_byte == 0x7F) | (every_byte == 0xC2)
    return bool(suspicious.any())


def _sum_up(judged: Sequence[_Judged], admission: Admission) -> Taken:
    refusals = _refusals(admission)
    good, rejected, start = [], [], 0
    for rows, ids, codes in judged:
        bad = np.flatnonzero(codes)
        good.append(rows.filter(pa.array(codes == 0)) if len(bad) else rows)
        for row, text in zip(bad.tolist(), _texts_at(ids, bad), strict=True):
            why = refusals[codes[row] - 1]
            rejected.append(Rejected(start + row, text, why.field, why.reason, why.message))
        start += len(codes)
    rows = good[0] if len(good) == 1 else pa.concat_batches(good)  # which copies even one
    return Taken(rows, rows.num_rows, rejected)


def _texts_at(column: pa.Array, places: Array) -> list[str | None]:
    texts = plain(column).take(pa.array(places)).to_pylist() if len(places) else []
    # one long text of a dictionary could otherwise come back a hundred thousand times
    return [text if text and len(text) <= ID_BYTES else None for text in texts]
