"""A simulated crowd: who listens to what, when, as a function of the listener and the time alone.

Time is cut into slots of one UTC hour. In each slot a listener has at most one session, which ends
within the slot; whether, when and what is drawn from the listener's habits, the local hour and the
slot's number. So a crowd that was stopped goes on where it would have been, and what it posts again
is the same heartbeats.
"""

import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter

from domain.calendar import zone_info
from domain.catalogue import Track
from domain.ids import base62
from domain.units import HOUR_MS, SECOND_MS
from heartline.poster import Beat

NEVER_MS = 1 << 62
SLOT_MS = HOUR_MS
CROWD_BEAT_MS = 30 * SECOND_MS
LIVE_BEAT_MS = 5 * SECOND_MS
GAP_MS = (300, 2_500)  # between two plays
SKIPPED = 0.2  # of the plays, somewhere on the way
LEAST_PLAY_MS = 4 * SECOND_MS
FAVOURITES = 60
DEVICES = ("phone", "desktop", "speaker", "car")

# How likely a listener of average zeal is to have a session in each local hour of a weekday.
RHYTHM = (
    0.06, 0.03, 0.02, 0.01, 0.01, 0.03, 0.12, 0.32, 0.38, 0.26, 0.22, 0.22,
    0.26, 0.22, 0.20, 0.22, 0.28, 0.42, 0.48, 0.46, 0.44, 0.40, 0.28, 0.14,
)  # fmt: skip
ZONES = (
    "America/New_York", "America/Los_Angeles", "America/Chicago", "America/Sao_Paulo",
    "America/Mexico_City", "America/St_Johns", "Europe/London", "Europe/Berlin", "Europe/Paris",
    "Europe/Madrid", "Europe/Stockholm", "Africa/Lagos", "Africa/Nairobi", "Asia/Kolkata",
    "Asia/Kathmandu", "Asia/Jakarta", "Asia/Manila", "Asia/Tokyo", "Asia/Seoul",
    "Australia/Sydney", "Australia/Adelaide", "Pacific/Auckland",
)  # fmt: skip


@dataclass(frozen=True)
class Listener:
    """One of the crowd. From *live_ms* on it listens without a pause, and says so more often."""

    listener_id: str
    habits: str  # the name that everything is drawn from
    zone: str
    zeal: float = 1.0
    live_ms: int = NEVER_MS


def crowd_zone(number: int, seed: str) -> str:
    """Tell where the crowd's listener of that *number* lives."""
    return _drawn(seed, number, "zone").choice(ZONES)


def crowd_zeal(number: int, seed: str) -> float:
    """Tell how much more than the average the crowd's listener of that *number* listens."""
    return _drawn(seed, number, "zeal").uniform(0.8, 3.0)


class Crowd:
    """Listeners, and the tracks that they know."""

    def __init__(self, listeners: Sequence[Listener], tracks: Sequence[Track]) -> None:
        self._listeners, self._tracks = listeners, tracks
        self._beats = lru_cache(maxsize=2 * len(listeners) + 16)(self._beats_of_slot)

    def beats(self, after_ms: int, until_ms: int) -> Iterator[Beat]:
        """Give every heartbeat with ``after_ms < at <= until_ms``."""
        for listener in self._listeners:
            yield from self.beats_of(listener, after_ms, until_ms)

    def beats_of(self, listener: Listener, after_ms: int, until_ms: int) -> Iterator[Beat]:
        """Give one listener's heartbeats with ``after_ms < at <= until_ms``, by their instants."""
        for slot in range((after_ms + 1) // SLOT_MS, until_ms // SLOT_MS + 1):
            beats = self._beats(listener, slot)
            first = bisect_right(beats, after_ms, key=attrgetter("at"))
            last = bisect_right(beats, until_ms, key=attrgetter("at"))
            yield from beats[first:last]

    def _beats_of_slot(self, listener: Listener, slot: int) -> list[Beat]:
        rng = _drawn(listener.habits, slot, "session")
        session = _session(rng, listener, slot)
        if session is None:
            return []
        start_ms, end_ms = session
        return list(self._play_on(rng, listener, start_ms, end_ms))

    def _play_on(
        self, rng: random.Random, listener: Listener, start_ms: int, end_ms: int
    ) -> Iterator[Beat]:
        """Play one track after the other until the session ends."""
        favourites, device = self._favourites(listener), rng.choice(DEVICES)
        while start_ms + LEAST_PLAY_MS < end_ms:
            one = favourites[min(int(rng.expovariate(0.06)), len(favourites) - 1)]
            length_ms = one.duration_ms
            if rng.random() < SKIPPED:
                length_ms = rng.randint(LEAST_PLAY_MS, length_ms)
            stop_ms = min(start_ms + length_ms, end_ms - 1)
            yield from _play(listener, one, device, start_ms, stop_ms)
            start_ms = stop_ms + rng.randint(*GAP_MS)

    def _favourites(self, listener: Listener) -> list[Track]:
        count = min(FAVOURITES, len(self._tracks))
        return _drawn(listener.habits, 0, "taste").sample(self._tracks, count)


def _session(rng: random.Random, listener: Listener, slot: int) -> tuple[int, int] | None:
    """Draw when in the slot the listener listens: from, up to."""
    begin_ms, end_ms = slot * SLOT_MS, (slot + 1) * SLOT_MS
    local = datetime.fromtimestamp(begin_ms // SECOND_MS, zone_info(listener.zone))
    likely = RHYTHM[local.hour] * listener.zeal
    if local.weekday() >= 5:
        likely = 0.7 * likely + 0.08 * (local.hour >= 9)
    listens, starts, lasts = rng.random() < likely, rng.random(), rng.random()
    if listener.live_ms < end_ms:
        return max(begin_ms, listener.live_ms), end_ms
    if not listens:
        return None
    start_ms = begin_ms + int(starts * 0.6 * SLOT_MS)
    return start_ms, start_ms + int((0.15 + 0.85 * lasts) * (end_ms - start_ms))


def _play(
    listener: Listener, one: Track, device: str, start_ms: int, stop_ms: int
) -> Iterator[Beat]:
    play_id = base62(sha256(f"{listener.listener_id}\0{start_ms}".encode()).digest()[:16])
    step_ms = LIVE_BEAT_MS if start_ms >= listener.live_ms else CROWD_BEAT_MS
    instants = [*range(start_ms, stop_ms, step_ms), stop_ms]
    for at in instants:
        yield Beat(
            id=f"{play_id}-{at}",
            listener_id=listener.listener_id,
            track_id=one.id,
            kind="start" if at == start_ms else "stop" if at == stop_ms else "beat",
            at=at,
            play_id=play_id,
            position_ms=at - start_ms,
            device_id=device,
            context=f"heartline:album:{one.album}",
        )


def _drawn(name: str, number: int, what: str) -> random.Random:
    """Make the source of what is drawn for *name*: the same for the same arguments, anywhere."""
    return random.Random(f"{name}:{what}:{number}")  # noqa: S311 (habits, not secrets)
