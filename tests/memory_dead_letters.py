"""Where dead letters go, in a list."""

from collections.abc import Sequence

from domain.errors import Unavailable
from domain.ports import Record
from domain.positions import Generation


class Drawer:
    """Where dead letters go, if it is not stuck."""

    def __init__(self, *, failures: int = 0) -> None:
        self.failures = failures
        self.letters: list[tuple[int, int, str]] = []

    async def put(
        self, generation: Generation, partition: int, records: Sequence[tuple[Record, str]]
    ) -> None:
        if self.failures:
            self.failures -= 1
            raise Unavailable("the drawer is stuck")
        self.letters += [(partition, record.offset, reason) for record, reason in records]

    async def close(self) -> None:
        """There is nothing to let go of."""
