"""Bodies of ``/v1/heartbeats`` for tests: what Hypothesis draws, and how it is written."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
from hypothesis import strategies as st

from domain.heartbeats import KINDS, MOST_AT, MOST_POSITION_MS, MOST_STRETCH
from domain.units import DAY_MS, FUTURE_MS

NOW_MS = 1_795_000_000_000
LATE_LIMIT_DAYS = 30

TYPES = {
    "id": pa.utf8(),
    "listener_id": pa.utf8(),
    "track_id": pa.utf8(),
    "kind": pa.utf8(),
    "at": pa.int64(),
    "play_id": pa.utf8(),
    "stretch": pa.int64(),
    "position_ms": pa.int64(),
    "device_id": pa.utf8(),
    "context": pa.utf8(),
}
TEXTS = st.sampled_from(
    [
        *(
            "",
            "x",
            "\u00e9t\u00e9",
            "\u2603\U0001f3b5",
            "\u00a0\u00b7",
            'a "quoted" one',
            "back\\slash",
        ),
        *("x" * 40, "x" * 41, "x" * 128, "x" * 129, "\u00e9" * 64, "\u00e9" * 65, "x" * 256),
        *(
            "x" * 257,
            "\u00e9" * 129,
            "x" * 10_000,
            "a\0b",
            "a\nb",
            "a\x7fb",
            "a\x80b",
            "a\x9fb",
            "a b",
        ),
    ]
)
LISTENERS = st.sampled_from(["ann", "bob", "~" * 40]) | TEXTS
INTEGERS = st.sampled_from(
    [-(2**63), -2, -1, 0, 1, MOST_STRETCH, MOST_STRETCH + 1, MOST_POSITION_MS, MOST_POSITION_MS + 1]
)
EARLIEST_MS, LATEST_MS = NOW_MS - LATE_LIMIT_DAYS * DAY_MS, NOW_MS + FUTURE_MS
INSTANTS = st.sampled_from(
    [
        NOW_MS,
        EARLIEST_MS - 1,
        EARLIEST_MS,
        LATEST_MS,
        LATEST_MS + 1,
        MOST_AT,
        MOST_AT + 1,
        2**63 - 1,
    ]
)


def beat(**changes: Any) -> dict[str, Any]:
    """A heartbeat as a client writes it, with some fields changed; None takes one away."""
    usual = {"id": "h1", "track_id": "t1", "kind": "beat", "at": NOW_MS}
    return {name: value for name, value in (usual | changes).items() if value is not None}


def rows() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Draw heartbeats of which some are good; null stands for missing."""
    fields: Mapping[str, st.SearchStrategy[Any]] = {
        "id": TEXTS,
        "listener_id": LISTENERS,
        "track_id": TEXTS,
        "kind": st.sampled_from([*KINDS, "erase", "BEAT", ""]),
        "at": INSTANTS | INTEGERS,
        "play_id": TEXTS,
        "stretch": INTEGERS,
        "position_ms": INTEGERS,
        "device_id": TEXTS,
        "context": TEXTS,
    }
    good = {"listener_id": "ann", "play_id": None, "stretch": 3, "position_ms": None}
    usual = good | beat() | {"device_id": None, "context": "album:1"}
    row = st.fixed_dictionaries({name: st.just(usual[name]) for name in fields})
    spoilt = st.dictionaries(st.sampled_from(sorted(fields)), st.just(0), max_size=3).flatmap(
        lambda names: st.fixed_dictionaries({name: st.none() | fields[name] for name in names})
    )
    return st.lists(st.builds(lambda a, b: a | b, row, spoilt), min_size=1, max_size=8)


def json_of(items: Iterable[Any]) -> bytes:
    """Write a JSON body."""
    return msgspec.json.encode({"heartbeats": list(items)})


def batch_of(
    items: Sequence[Mapping[str, Any]], types: Mapping[str, pa.DataType] = TYPES
) -> pa.RecordBatch:
    """Put items into columns of *types*."""
    return pa.record_batch(
        {name: column_of([item.get(name) for item in items], kind) for name, kind in types.items()}
    )


def column_of(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Make an array of any type, a dictionary of views too (pyarrow cannot in one step)."""
    if not pa.types.is_dictionary(kind):
        return pa.array(values, kind)
    if pa.types.is_integer(kind.value_type):
        return pa.array(values, kind)
    plain = pa.array(values, pa.utf8()).dictionary_encode()
    indices, texts = plain.indices.cast(kind.index_type), plain.dictionary.cast(kind.value_type)
    return pa.DictionaryArray.from_arrays(indices, texts)


def stream_of(*batches: pa.RecordBatch, **options: Any) -> bytes:
    """Write an Arrow body."""
    sink = pa.BufferOutputStream()
    how = pa.ipc.IpcWriteOptions(**options)
    with pa.ipc.new_stream(sink, batches[0].schema, options=how) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return bytes(sink.getvalue())
