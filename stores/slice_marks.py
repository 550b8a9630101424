"""Marks between the slices of a table: the key of the last row that was read."""

import msgspec

from domain.ports import Column, Key, Table

TYPES: dict[Column, type] = {Column.TEXT: str, Column.INT: int, Column.BLOB: bytes}


def mark_of(key: Key) -> bytes:
    """Mark the place behind a row."""
    return msgspec.msgpack.encode(key)


def key_of(table: Table, mark: bytes) -> Key:
    """Tell behind which row of *table* a mark is.

    :raises ValueError: it is no mark of that table.
    """
    kinds = (*table.partition.values(), *table.clustering.values())
    try:
        key: Key = msgspec.msgpack.decode(mark, type=tuple[tuple(TYPES[kind] for kind in kinds)])  # type: ignore[misc]
    except msgspec.DecodeError as error:
        raise ValueError(f"no mark of the table {table.name}") from error
    return key
