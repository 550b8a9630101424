"""Who plays what now: announced by shards, told to everybody else."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from domain.heartbeats import MOST_AT


class NowPlaying(Struct, frozen=True, gc=False):
    """What a listener's newest heartbeat said. Shards make many of them; see `StampedRow`."""

    track_id: str
    at: int  # of that heartbeat, ms since the epoch
    position_ms: int  # -1: not said
    is_playing: bool
    device_id: str
    context: str


class Announcement(Struct, frozen=True, gc=False):
    """What a shard knows of a listener's presence; of two, the one of the larger version holds."""

    listener_id: str
    at: int  # of the newest heartbeat; ERASED_AT: there will be no other
    position: int  # in the log, up to which everything was applied
    playing: NowPlaying | None

    @property
    def version(self) -> tuple[int, int]:
        """What orders announcements, whoever makes them and whenever they come in."""
        return self.at, self.position


ERASED_AT = MOST_AT


class PresenceBoard(Protocol):
    """Where shards announce who plays what; what is announced vanishes 60 s after its heartbeat."""

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        """Show what each announcement says; one that plays nothing clears what stands.

        An announcement that is not newer than what stands changes nothing, so that it may come
        again, late, or from a shard that does not know that another has taken its place. Those who
        watch are told if track, play state, device or context differ. None at all is a question
        whether it works.

        :raises Unavailable: when some may not be shown.
        """
        ...


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """Somebody who is watched plays something else now; nothing, if None."""

    listener_id: str
    playing: NowPlaying | None


class Presence(Protocol):
    """Who plays what now; a listener is gone 60 s after the newest heartbeat.

    Nobody plays anything while it cannot be told: it never raises `Unavailable`.
    """

    async def now_playing(self, listener_ids: Sequence[str]) -> list[NowPlaying | None]:
        """Tell what each of *listener_ids* plays now, in their order."""
        ...

    def watch(self, listener_ids: Sequence[str]) -> AsyncGenerator[PresenceChange, None]:
        """Tell what those of *listener_ids* play who play anything, then each change, for ever.

        A change is another track, play state, device or context. Whoever is slow is told the newest
        of each listener, and nobody is told twice. The generator must be closed by who opened it.
        """
        ...
