"""Listeners who are watched: what is known of each, and of whom the watcher must be told."""

from collections.abc import Iterable

from domain.ports import NowPlaying, PresenceChange
from domain.units import PRESENCE_MS


class Watched:
    """What is known of some listeners, and what of it was told; never more than one of each."""

    def __init__(self, listener_ids: Iterable[str]) -> None:
        self._known: dict[str, NowPlaying | None] = dict.fromkeys(listener_ids)
        self._told: dict[str, NowPlaying | None] = dict(self._known)

    @property
    def listener_ids(self) -> list[str]:
        """Who is watched."""
        return list(self._known)

    def know(self, listener_id: str, playing: NowPlaying | None) -> None:
        """Keep the newest that is known of a listener."""
        self._known[listener_id] = playing

    def expire(self, now_ms: int) -> None:
        """Let go of those whose newest heartbeat is older than a minute."""
        for listener_id, playing in self._known.items():
            if playing and now_ms - playing.at > PRESENCE_MS:
                self._known[listener_id] = None

    def take(self) -> list[PresenceChange]:
        """Take what must be told: of whom another track, play state, device or context is known."""
        changes = [
            PresenceChange(listener_id, playing)
            for listener_id, playing in self._known.items()
            if not alike(playing, self._told[listener_id])
        ]
        self._told.update((change.listener_id, change.playing) for change in changes)
        return changes


def alike(one: NowPlaying | None, other: NowPlaying | None) -> bool:
    """Whether two show the same but for the time and the position in the track."""
    return _face(one) == _face(other)


def _face(playing: NowPlaying | None) -> tuple[bool, str, str, str] | None:
    if playing is None:
        return None
    return playing.is_playing, playing.track_id, playing.device_id, playing.context
