"""Playlists as a server tells of them: what is needed of its objects, and a file's tracks made of them."""

from typing import Any

from msgspec import Struct

from domain.playlist_files import FileTrack


class _Named(Struct, frozen=True):
    name: str | None = None


class _ExternalIds(Struct, frozen=True):
    isrc: str | None = None


class TrackObject(Struct, frozen=True):
    """A track."""

    uri: str = ""
    name: str = ""
    artists: list[_Named] = []
    album: _Named | None = None
    duration_ms: int | None = None
    external_ids: _ExternalIds | None = None
    track_number: int | None = None

    def as_file_track(self) -> FileTrack:
        """Write it as files tell of tracks."""
        return FileTrack(
            uri=self.uri,
            title=self.name,
            artists=tuple(artist.name for artist in self.artists if artist.name),
            album=(self.album and self.album.name) or "",
            duration_ms=self.duration_ms,
            isrc=(self.external_ids and self.external_ids.isrc) or "",
            number=self.track_number,
        )


class Listener(Struct, frozen=True):
    """Who owns a playlist, or added to one."""

    id: str = ""
    display_name: str | None = None


class Item(Struct, frozen=True):
    """A track where it stands in a playlist; None for one that cannot be shown."""

    added_at: str | None = None
    added_by: Listener | None = None
    track: TrackObject | None = None


class _Followers(Struct, frozen=True):
    total: int = 0


class Page(Struct, frozen=True):
    """Some of the items of a playlist, as they came."""

    total: int = 0
    items: list[dict[str, Any]] = []


class Playlist(Struct, frozen=True):
    """A playlist, with the first of its items."""

    id: str
    name: str
    uri: str = ""
    description: str | None = None
    owner: Listener = Listener()
    public: bool | None = None
    collaborative: bool = False
    followers: _Followers = _Followers()
    items: Page = Page()


class _Hits(Struct, frozen=True):
    items: list[TrackObject] = []


class Found(Struct, frozen=True):
    """What was found, of the type track."""

    tracks: _Hits = _Hits()
