"""Items of the catalogue as an Arrow IPC stream: a column for each field, nulls as good as missing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from domain.catalogue import EntityKind
from domain.catalogue_faults import ITEMS, REQUIRED
from domain.catalogue_items import ImageItem
from serve.arrow_streams import is_list, is_text, read_batches, unreadable_refused
from serve.catalogue_items import MOST_ITEMS, Judged, judge_all
from serve.receipts import BadBody

MOST_LISTED = 512  # in a list of one item: more than any field takes
TOGETHER = 256  # rows that are objects at the same time

_INTEGERS = {"duration_ms", "disc_number", "track_number", "popularity"}
_LISTS = {"artists", "genres", "available_markets"}
_IMAGE = {field.name for field in msgspec.structs.fields(ImageItem)}


def read_columns(body: bytes, kind: EntityKind) -> Judged:
    """Take the items of an Arrow stream: 1 to 10 000 rows, in one batch or several.

    :raises BadBody: if it is no such stream, or a column cannot be what its name says.
    """
    with unreadable_refused():
        places = partial(_places, kind=kind)
        batches = read_batches(pa.py_buffer(body), places, most_rows=MOST_ITEMS)
        for batch in batches:
            _check_lists(batch)
        return judge_all(kind, _rows(batches))


def _places(schema: pa.Schema, kind: EntityKind) -> list[int]:
    names = [field.name for field in msgspec.structs.fields(ITEMS[kind])]
    for name in schema.names:
        if name not in names:
            raise _bad(f"there is no column {name[:40]!r}; of {kind}s there are {', '.join(names)}")
    for name in names:
        found = schema.get_all_field_indices(name)
        if len(found) > 1:
            raise _bad(f"there are {len(found)} columns {name}")
        if not found and name in REQUIRED:
            raise _bad(f"the column {name} is missing")
        if found and not _suits(name, schema.field(found[0]).type):
            raise _bad(f"the column {name} must hold {_wanted(name)}")
    return list(range(len(schema.names)))


def _bad(message: str) -> BadBody:
    return BadBody("invalid_column", message)


def _suits(name: str, kind: pa.DataType) -> bool:
    if pa.types.is_null(kind):
        return True
    if name == "images":
        return is_list(kind) and _is_image(kind.value_type)
    if name in _LISTS:
        return is_list(kind) and is_text(kind.value_type)
    return _HOLDS.get(name, is_text)(kind)


def _is_image(kind: pa.DataType) -> bool:
    if not pa.types.is_struct(kind):
        return False
    fields = [kind.field(place) for place in range(kind.num_fields)]
    names = [field.name for field in fields]
    return (
        len(set(names)) == len(names)
        and set(names) <= _IMAGE
        and all(_is_size_or_text(field) for field in fields)
    )


def _is_size_or_text(field: pa.Field) -> bool:
    if field.name == "url":
        return is_text(field.type)
    return bool(pa.types.is_integer(field.type) or pa.types.is_null(field.type))


_HOLDS: Mapping[str, Callable[[pa.DataType], bool]] = {
    "explicit": pa.types.is_boolean,
    **dict.fromkeys(_INTEGERS, pa.types.is_integer),
}


def _wanted(name: str) -> str:
    if name == "images":
        return f"lists of {', '.join(sorted(_IMAGE))}"
    if name in _LISTS:
        return "lists of text"
    if name in _INTEGERS:
        return "integers"
    return "true or false" if name == "explicit" else "text"


def _check_lists(batch: pa.RecordBatch) -> None:
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if is_list(column.type):
            most = pc.max(pc.list_value_length(column)).as_py()
            if (most or 0) > MOST_LISTED:
                raise BadBody("too_large", f"a list in the column {name} has {most} values")


def _rows(batches: Sequence[pa.RecordBatch]) -> Iterator[dict[str, object]]:
    for batch in batches:
        for begin in range(0, batch.num_rows, TOGETHER):
            yield from batch.slice(begin, TOGETHER).to_pylist()
