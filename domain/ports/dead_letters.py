"""Where records go that do not decode."""

from collections.abc import Sequence
from typing import Protocol

from domain.ports.log import Record
from domain.positions import Generation


class DeadLetters(Protocol):
    """Where records of the log go that do not decode, to be looked at.

    :raises Unavailable: when they cannot be kept now.
    """

    async def put(
        self, generation: Generation, partition: int, records: Sequence[tuple[Record, str]]
    ) -> None:
        """Keep records, each with the reason; durable on return. Putting them again adds copies."""
        ...

    async def close(self) -> None:
        """Let go of where they go."""
        ...
