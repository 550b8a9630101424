"""The partitioned log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.positions import Generation


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a partition: its offset (0, 1, 2, ...), when it was appended, what it says."""

    offset: int
    appended_ms: int
    payload: bytes


class Log(Protocol):
    """The partitioned log of heartbeats. Offsets of a partition are dense and never used again.

    :raises Unavailable: from every method, when the log cannot answer now.
    """

    async def generation(self) -> Generation:
        """The newest generation: the one that `append` writes to."""
        ...

    async def generations(self) -> list[Generation]:
        """Every generation, oldest first; a recount reads them all."""
        ...

    async def begin_generation(self, partitions: int) -> Generation:
        """Begin the next generation; offsets start at 0 again."""
        ...

    async def append(self, records: Sequence[tuple[int, bytes]]) -> list[int]:
        """Append (partition, payload) pairs; durable on return (fsynced, or on several brokers).

        Returns the offsets, in the order given. Several processes may append at once. None is there
        after ValueError; after Unavailable any of them may be, and appending them again is right.
        """
        ...

    async def read(
        self, generation: Generation, partition: int, offset: int, *, most_bytes: int
    ) -> list[Record]:
        """Read records from *offset* on, at least one if there is one, then up to *most_bytes*."""
        ...

    async def ends(self, generation: Generation) -> list[int]:
        """The offset that each partition's next record will have."""
        ...

    async def now_ms(self) -> int:
        """The log's clock: no record that is not yet readable will get an earlier append time."""
        ...

    async def wait(self, timeout_s: float) -> None:
        """Return when something was appended since the last call, or after *timeout_s*."""
        ...

    async def commit(self, group: str, generation: Generation, offsets: Mapping[int, int]) -> None:
        """Note, durably, the next offset that *group* wants of each partition; never goes back.

        Of two calls at once the smaller offset may stay: records are then read again.
        """
        ...

    async def committed(self, group: str, generation: Generation) -> list[int]:
        """The committed offset of each partition; 0 where nothing was committed."""
        ...

    async def trim(self, *, before_ms: int, keep_bytes: int) -> int:
        """Delete the oldest records appended before *before_ms* or beyond *keep_bytes* in all.

        Records that a group has yet to read stay. Tells how many went.
        """
        ...

    async def trimmed_ms(self) -> int:
        """The append time of the newest record that `trim` deleted; 0 if it never did."""
        ...

    async def close(self) -> None:
        """Let go of the log."""
        ...
