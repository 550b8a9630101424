"""A clock that stands still until a test moves it, and one that runs."""

import time

MONDAY_MS = 1_794_787_200_000  # 2026-11-16T00:00Z, the beginning of 2026-W47
MOMENT_MS = 3  # longer than two times need to differ


class Clock:
    def __init__(self, now_ms: int = MONDAY_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, ms: int) -> None:
        self.now_ms += ms


class RunningClock(Clock):
    """The machine's clock: it goes by itself, and can only be waited for."""

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000

    def advance(self, ms: int) -> None:
        until = self() + min(ms, MOMENT_MS)
        while self() < until:
            pass
