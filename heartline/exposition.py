"""What `/metrics` answers: the status now, the checks, the last recount, and every process's own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from prometheus_client import Metric

from domain.errors import Unavailable
from domain.units import SECOND_MS
from heartline.metric_snapshots import Snapshot, exposition, merged
from heartline.recount_result import RecountResult
from heartline.status_metrics import gauge, of_checks, of_status
from serve.health import Check, found

STATUS_LIMIT_S = 5.0

log_ = logging.getLogger(__name__)


class Exposition:
    """Makes it. While a backend is away the last status is told, and grows old."""

    def __init__(
        self,
        *,
        status: Callable[[], Awaitable[Mapping[str, Any]]],
        checks: Mapping[str, Check],
        board: Callable[[], list[Snapshot]],
        recounted: Callable[[], RecountResult | None],
        now_ms: Callable[[], int],
        version: str,
    ) -> None:
        self._status, self._checks, self._board = status, checks, board
        self._recounted, self._now_ms, self._version = recounted, now_ms, version
        self._told: Mapping[str, Any] | None = None
        self._told_ms = 0

    async def __call__(self) -> bytes:
        """Look at everything, and write it down."""
        ready, snapshots, _ = await asyncio.gather(
            asyncio.gather(*(found(name, check) for name, check in self._checks.items())),
            asyncio.to_thread(self._board),
            self._look(),
        )
        ours = [*self._ours(), of_checks(dict(zip(self._checks, ready, strict=True)))]
        return exposition([*ours, *merged(snapshots)])

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(STATUS_LIMIT_S):
                self._told = await self._status()
        except (Unavailable, TimeoutError) as error:
            log_.warning("the status is not known: %s", error or "no answer")
        else:
            self._told_ms = self._now_ms()

    def _ours(self) -> Iterable[Metric]:
        yield gauge("heartline_build_info", "What runs", 1, version=self._version)
        if self._told:
            older_ms = max(0, self._now_ms() - self._told_ms)
            yield from of_status(self._told, older_ms)
            yield gauge(
                "heartline_status_age_seconds",
                "Age of the figures of partitions: 0, unless the log or the store is away",
                older_ms / SECOND_MS,
            )
        if last := self._recounted():
            yield gauge(
                "heartline_recount_differences",
                "Differences that the last recount found between log and store",
                last.differences,
            )
            yield gauge(
                "heartline_recount_timestamp_seconds",
                "When the last recount of everything ended",
                last.at_ms / SECOND_MS,
            )
