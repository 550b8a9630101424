"""Writers of a search index, of any kind, that die at the call whose turn has come."""

from collections.abc import Awaitable, Callable
from typing import Any

FOR_EVER = 1 << 30


class Killed(Exception):
    """Raised where an indexer dies."""


class Mortality:
    """Has *writer* die when it has written or committed as often as *calls_left* says."""

    def __init__(self, writer: Any, calls_left: int = FOR_EVER) -> None:
        self.calls_left = calls_left
        writer.write, writer.commit = self._counted(writer.write), self._counted(writer.commit)

    def _counted(self, call: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def counted(*given: Any) -> None:
            self.calls_left -= 1
            if self.calls_left < 0:
                raise Killed
            await call(*given)

        return counted
