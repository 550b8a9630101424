"""From the driver's thread to an event loop, which is woken once for all that has come meanwhile."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

from cassandra.cluster import ResponseFuture

Rows = list[tuple[Any, ...]]
Enough = Callable[[Rows], bool]


class Bridge:
    """Answers of the driver, for one event loop. A wake costs as much as the handling of many."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._arrived: list[tuple[asyncio.Future[Rows], Rows, BaseException | None]] = []

    def answer(self, asked: ResponseFuture, enough: Enough) -> "asyncio.Future[Rows]":
        """Have the rows of *asked*, page by page until they are *enough*."""
        answered: asyncio.Future[Rows] = self._loop.create_future()
        rows: Rows = []

        def came(page: Rows | None) -> None:
            rows.extend(page or ())
            try:
                if asked.has_more_pages and not enough(rows):
                    asked.start_fetching_next_page()
                    return
            except Exception as error:  # the driver would only log it
                self._arrive(answered, rows, error)
            else:
                self._arrive(answered, rows, None)

        asked.add_callbacks(came, lambda error: self._arrive(answered, rows, error))
        return answered

    def _arrive(
        self, answered: "asyncio.Future[Rows]", rows: Rows, error: BaseException | None
    ) -> None:
        with self._lock:
            self._arrived.append((answered, rows, error))
            first = len(self._arrived) == 1
        if first:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        with self._lock:
            arrived, self._arrived = self._arrived, []
        for answered, rows, error in arrived:
            if answered.done():
                continue  # whoever asked has gone
            if error is None:
                answered.set_result(rows)
            else:
                answered.set_exception(error)
