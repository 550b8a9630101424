"""Trying until a backend answers: giving up would lose what was taken out of memory."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from domain.errors import LogBehindStore, Unavailable

RETRY_S = (0.05, 0.1, 0.2, 0.5, 1.0)

log_ = logging.getLogger(__name__)
Result = TypeVar("Result")


class Insisting:
    """What one partition tries again and again; *trouble* says why it waits, "" when it does not."""

    def __init__(self, partition: int, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._partition, self._sleep = partition, sleep
        self.trouble = ""

    async def __call__(self, attempt: Callable[[], Awaitable[Result]]) -> Result:
        """Tell what *attempt* says at last.

        Raises
        ------
        LogBehindStore
            It will not be otherwise.
        """
        tries = 0
        while True:
            try:
                result = await attempt()
            except LogBehindStore:
                raise
            except Unavailable as error:
                if str(error) != self.trouble:
                    at = {"partition": self._partition}
                    log_.warning("partition %d waits: %s", self._partition, error, extra=at)
                self.trouble = str(error)
                await self._sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])
                tries += 1
            else:
                self.trouble = ""
                return result
