"""How a listener listens: beats of plays, with everything that real clients do to them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

DAY_MS = 86_400_000
BEGINS_AGO_MS = 9 * DAY_MS  # listened to faster than the clock goes, so it begins in the past
BEAT_MS, JOIN_MS = 30_000, 60_000
TRACKS = 40


@dataclass(slots=True)
class Walk:
    """One listener's way through time; beats come in the order in which the client makes them."""

    listener_id: str
    rng: random.Random
    at: int
    number: int = 0
    play: int = 0
    stretch: int = 0

    def items(self, count: int, now_ms: int) -> Iterator[dict[str, Any]]:
        """Make the next *count* heartbeats; fewer when the walk has come to the present."""
        for _ in range(count):
            self._step()
            if self.at > now_ms:
                return
            yield self._item(self.rng.choice(("beat", "beat", "beat", "pause", "seek")), self.at)

    def bad(self, now_ms: int) -> dict[str, Any]:
        """Make a heartbeat that must be refused; it would join others if it were counted."""
        spoil: dict[str, Any] = self.rng.choice(
            (
                {"at": now_ms - 40 * DAY_MS},
                {"at": now_ms + DAY_MS},
                {"at": self.at + JOIN_MS // 2, "stretch": -1},
                {"at": self.at + JOIN_MS // 2, "kind": "dance"},
            )
        )
        return self._item("beat", self.at) | spoil

    def _step(self) -> None:
        what = self.rng.random()
        if what < 0.05:
            self.play, self.stretch = self.play + 1, 0
        elif what < 0.1:
            self.stretch += 1
        gaps = (BEAT_MS, BEAT_MS, BEAT_MS, JOIN_MS, JOIN_MS + 1, 7_001, 600_000)
        self.at += self.rng.choice(gaps)

    def _item(self, kind: str, at: int) -> dict[str, Any]:
        self.number += 1
        return {
            "id": f"{self.listener_id}-{self.number}",
            "listener_id": self.listener_id,
            "track_id": f"track-{self.play * 7 % TRACKS}",
            "play_id": f"{self.listener_id}-{self.play}",
            "stretch": self.stretch,
            "kind": kind,
            "at": at,
        }
