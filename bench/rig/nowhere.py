"""A store that is empty and stays so: what is left of a consumer's work without one."""

# ruff: noqa: D102

from collections.abc import Sequence

from domain.ports import Key, Row, Slice, StampedRow, Table, Value


class Nowhere:
    """`domain.ports.Tables` that discards what is written."""

    def __init__(self) -> None:
        self.rows = 0

    async def read_stamped(self, table: Table, keys: Sequence[Key]) -> list[StampedRow | None]:
        return [None] * len(keys)

    async def scan_stamped(self, table: Table, partition: Key, **_: object) -> list[StampedRow]:
        return []

    async def count_stamped(
        self, table: Table, partitions: Sequence[Key], **_: object
    ) -> list[int]:
        return [0] * len(partitions)

    async def slice_stamped(self, table: Table, *, after: bytes = b"", limit: int) -> Slice:
        return Slice([], None)

    async def write_stamped(self, writes: Sequence[tuple[Table, Sequence[StampedRow]]]) -> None:
        self.rows += sum(len(rows) for _, rows in writes)

    async def erase_stamped(self, table: Table, partition: Key, *, stamp: int) -> None:
        return

    async def read(self, table: Table, keys: Sequence[Key]) -> list[Row | None]:
        return [None] * len(keys)

    async def scan(self, table: Table, partition: Key, **_: object) -> list[Row]:
        return []

    async def write_if(self, table: Table, key: Key, values: dict[str, Value], **_: object) -> bool:
        return True

    async def delete_if(self, table: Table, key: Key, *, version: int) -> bool:
        return True

    async def sweep(self) -> int:
        return 0

    async def close(self) -> None:
        return
