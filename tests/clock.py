"""A clock that stands still until a test moves it."""

MONDAY_MS = 1_794_787_200_000  # 2026-11-16T00:00Z, the beginning of 2026-W47


class Clock:
    def __init__(self, now_ms: int = MONDAY_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, ms: int) -> None:
        self.now_ms += ms
