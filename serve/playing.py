"""The shapes of Spotify's player objects, as far as Heartline knows what to put into them."""

from urllib.parse import quote

from msgspec import Struct, field

from domain.catalogue import Track
from domain.ports import NowPlaying
from domain.rows import Play
from serve.account_bodies import ExternalUrls
from serve.catalogue_bodies import TrackObject
from serve.catalogue_objects import Objects
from serve.instants import iso

NOTHING_ALLOWED = {"pausing": True, "resuming": True, "seeking": True}


class ContextObject(Struct, frozen=True):
    """From what the track was played: a playlist, an album, or whatever the client called it."""

    type: str
    uri: str
    href: str | None
    external_urls: ExternalUrls = ExternalUrls()


class PlayObject(Struct, frozen=True):
    """One play; ``counted`` once 30 s of it were listened."""

    track: TrackObject
    played_at: str
    context: ContextObject | None
    ms_played: int
    play_id: str
    counted: bool


class Cursors(Struct, frozen=True):
    """Marks to go on from: ``after`` to newer plays, ``before`` to older ones."""

    after: str
    before: str


class RecentlyPlayed(Struct, frozen=True):
    """A page of the history, newest first; ``next`` leads on in the direction that was asked for."""

    href: str
    items: list[PlayObject]
    limit: int
    next: str | None
    cursors: Cursors | None


class Device(Struct, frozen=True):
    """The device that plays, as far as known."""

    id: str
    name: str
    is_active: bool = True
    is_private_session: bool = False
    is_restricted: bool = True
    type: str = "unknown"
    volume_percent: int | None = None
    supports_volume: bool = False


class Actions(Struct, frozen=True):
    """What may be asked of the player here: nothing."""

    disallows: dict[str, bool] = field(default_factory=lambda: dict(NOTHING_ALLOWED))


class Playback(Struct, frozen=True):
    """What plays now; ``timestamp`` is the instant of ``progress_ms``, ms since the epoch."""

    timestamp: int
    progress_ms: int | None
    is_playing: bool
    item: TrackObject
    context: ContextObject | None
    device: Device
    currently_playing_type: str = "track"
    repeat_state: str = "off"
    shuffle_state: bool = False
    actions: Actions = Actions()


def play_object(play: Play, objects: Objects) -> PlayObject:
    """Show a play of the history."""
    return PlayObject(
        track=objects.track(play.track_id),
        played_at=iso(play.played_at_ms),
        context=context_object(play.context, objects.base),
        ms_played=play.ms_played,
        play_id=play.play_id,
        counted=play.counted,
    )


def context_object(context: str, base: str) -> ContextObject | None:
    """Show from what a track was played; a URI like ``heartline:playlist:ID`` tells its type."""
    if not context:
        return None
    scheme, _, rest = context.partition(":")
    kind, _, name = rest.rpartition(":")
    if not (scheme and kind.isalpha() and name):
        return ContextObject("unknown", context, None)
    return ContextObject(kind, context, f"{base}/v1/{kind}s/{quote(name, safe='')}")


def progress_ms(playing: NowPlaying, known: Track | None, now_ms: int) -> int | None:
    """Estimate the position in the track from what the newest heartbeat said."""
    if playing.position_ms < 0:
        return None
    moved_ms = max(0, now_ms - playing.at) if playing.is_playing else 0
    estimate = playing.position_ms + moved_ms
    return min(estimate, known.duration_ms) if known and known.duration_ms else estimate
