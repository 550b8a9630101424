"""The rows of the known histories, and the one play that each of them says."""

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Protocol
from uuid import UUID

from msgspec import Meta, Struct, field

from domain.ids import base62
from domain.units import SECOND_MS, WEEK_MS

LASTFM_FIELDS = 6

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SPOTIFY_URI = re.compile(r"spotify:(?:track|episode|chapter):([0-9A-Za-z]{22})")

Milliseconds = Annotated[int, Meta(ge=0, le=WEEK_MS)]
Seconds = Annotated[int, Meta(ge=0, le=1 << 40)] | Annotated[float, Meta(ge=0, le=1 << 40)]


class Play(Struct, frozen=True):
    """One play of a history; without a duration ``ms_played`` is None and ``ended_ms`` its start."""

    ended_ms: int
    ms_played: int | None
    artist: str
    title: str
    track_id: str
    source: str
    album: str = ""


class Row(Protocol):
    """A row as its source writes it."""

    def play(self) -> Play:
        """Tell the play; ValueError if the row's time is none."""
        ...


class AccountRow(Struct):
    """Spotify's account export: ``StreamingHistory*.json``. Its times are ends, in UTC minutes."""

    ended: str = field(name="endTime")
    ms_played: Milliseconds = field(name="msPlayed")
    artist: str | None = field(name="artistName", default=None)
    title: str | None = field(name="trackName", default=None)
    podcast: str | None = field(name="podcastName", default=None)
    episode: str | None = field(name="episodeName", default=None)

    def play(self) -> Play:
        """See `Row`."""
        artist, title = self.artist or self.podcast or "", self.title or self.episode or ""
        track_id = track_id_of(artist, title)
        return Play(_ms(self.ended), self.ms_played, artist, title, track_id, "spotify account")


class ExtendedRow(Struct):
    """Spotify's extended export: music, podcasts and audiobooks. ``ts`` is the end, in UTC."""

    ts: str
    ms_played: Milliseconds
    title: str | None = field(name="master_metadata_track_name", default=None)
    artist: str | None = field(name="master_metadata_album_artist_name", default=None)
    album: str | None = field(name="master_metadata_album_album_name", default=None)
    track_uri: str | None = field(name="spotify_track_uri", default=None)
    episode: str | None = field(name="episode_name", default=None)
    show: str | None = field(name="episode_show_name", default=None)
    episode_uri: str | None = field(name="spotify_episode_uri", default=None)
    chapter: str | None = field(name="audiobook_chapter_title", default=None)
    audiobook: str | None = field(name="audiobook_title", default=None)
    chapter_uri: str | None = field(name="audiobook_chapter_uri", default=None)

    def play(self) -> Play:
        """See `Row`."""
        artist = self.artist or self.show or self.audiobook or ""
        title = self.title or self.episode or self.chapter or ""
        uri = self.track_uri or self.episode_uri or self.chapter_uri or ""
        known = _SPOTIFY_URI.fullmatch(uri)
        track_id = known[1] if known else track_id_of(artist, title or uri)
        ended_ms, album = _ms(self.ts), self.album or ""
        return Play(ended_ms, self.ms_played, artist, title, track_id, "spotify extended", album)


class _Recording(Struct):
    recording_mbid: object = None  # anybody may have submitted anything


class _TrackMetadata(Struct):
    artist: str = field(name="artist_name")
    title: str = field(name="track_name")
    album: object = field(name="release_name", default=None)
    additional_info: _Recording | None = None
    mbid_mapping: _Recording | None = None


class ListenRow(Struct):
    """ListenBrainz: ``listened_at`` is the beginning, in seconds; how long is not told."""

    listened_at: Seconds
    track: _TrackMetadata = field(name="track_metadata")

    def play(self) -> Play:
        """See `Row`."""
        track = self.track
        said = (one.recording_mbid for one in (track.additional_info, track.mbid_mapping) if one)
        track_id = next((found for mbid in said if (found := _mbid_track(mbid))), None)
        track_id = track_id or track_id_of(track.artist, track.title)
        at_ms = round(self.listened_at * SECOND_MS)
        album = track.album if isinstance(track.album, str) else ""
        return Play(at_ms, None, track.artist, track.title, track_id, "listenbrainz", album)


ROWS: tuple[tuple[frozenset[str], type[Row]], ...] = (
    (frozenset({"endTime", "msPlayed"}), AccountRow),
    (frozenset({"ts", "ms_played"}), ExtendedRow),
    (frozenset({"listened_at", "track_metadata"}), ListenRow),
)


def row_type(item: object) -> type[Row] | None:
    """Tell which history a decoded JSON value is a row of, by its keys."""
    if not isinstance(item, dict):
        return None
    return next((kind for keys, kind in ROWS if keys <= item.keys()), None)


def lastfm_play(line: str) -> Play:
    """Read a line of Last.fm-1K: user, time, artist's MBID, artist, track's MBID, track.

    Raises
    ------
    ValueError
        The line has other fields, or its time is none.
    """
    fields = line.rstrip("\r").split("\t", LASTFM_FIELDS - 1)
    if len(fields) != LASTFM_FIELDS:
        raise ValueError(f"{LASTFM_FIELDS} fields between tabs expected, {len(fields)} found")
    _, at, _, artist, mbid, title = fields
    track_id = _mbid_track(mbid) or track_id_of(artist, title)
    return Play(_ms(at), None, artist, title, track_id, "last.fm")


def track_id_of(artist: str, title: str) -> str:
    """Name a track of which only artist and title are known: 22 letters and digits of a hash."""
    name = f"{artist}\0{title}".encode(errors="surrogatepass")
    return base62(sha256(name).digest()[:16])


def _mbid_track(mbid: object) -> str | None:
    """Write a recording's MBID as one of our ids: the same 128 bits, without hyphens."""
    if not isinstance(mbid, str):
        return None
    try:
        return base62(UUID(mbid).bytes)
    except ValueError:
        return None


def _ms(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"not a time: {text[:40]!r}") from None
    at_ms = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND
    if at_ms < 0:
        raise ValueError(f"a time before 1970: {text[:40]!r}")
    return at_ms
