"""What search and suggest answer: Spotify's paging objects by type, and names that may be meant."""

from msgspec import UNSET, Struct, UnsetType

from domain.catalogue import EntityKind
from serve.catalogue_bodies import ArtistObject, SimpleAlbumObject, TrackObject
from serve.paging import Page


class Playlist(Struct, frozen=True):
    """A playlist: there are none yet."""


class Found(Struct, frozen=True, kw_only=True):
    """A page for each type that was asked for; ``total`` counts what was looked at, not all there is.

    ``did_you_mean`` is a query that finds something, where this one finds nothing.
    """

    tracks: Page[TrackObject] | UnsetType = UNSET
    artists: Page[ArtistObject] | UnsetType = UNSET
    albums: Page[SimpleAlbumObject] | UnsetType = UNSET
    playlists: Page[Playlist] | UnsetType = UNSET
    did_you_mean: str | None = None


class Suggestion(Struct, frozen=True):
    """What may be meant by the letters so far.

    ``marks`` are the ranges of the name that were typed: code points, the first and that behind the
    last.
    """

    type: EntityKind
    id: str
    name: str
    artists: list[str]
    uri: str
    marks: list[tuple[int, int]]


class Suggestions(Struct, frozen=True):
    """The best first."""

    suggestions: list[Suggestion]
