"""What is said of playlists over HTTP, in requests and in answers: Spotify's shapes."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from domain.playlists import DESCRIPTION_CHARACTERS, MOST_TOGETHER, NAME_CHARACTERS, Role
from serve.account_bodies import ExternalUrls
from serve.catalogue_bodies import Followers, ImageObject


def _described(**schema: Any) -> msgspec.Meta:
    return msgspec.Meta(extra_json_schema=schema)


Name = Annotated[str, _described(minLength=1, maxLength=NAME_CHARACTERS, format="title")]
Description = Annotated[str, _described(maxLength=DESCRIPTION_CHARACTERS, format="title")]
TrackUri = Annotated[str, _described(format="track-uri")]
Uris = Annotated[list[TrackUri], _described(maxItems=MOST_TOGETHER)]
Position = Annotated[int, _described(minimum=0)]


class NewPlaylist(Struct, frozen=True):
    """A playlist to be made."""

    name: Name
    public: bool | None = None  # true, unless it is collaborative
    collaborative: bool = False
    description: Description | None = None


class PlaylistChange(Struct, frozen=True):
    """What to change; what is left out stays."""

    name: Name | UnsetType = UNSET
    public: bool | UnsetType = UNSET
    collaborative: bool | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET


class NewItems(Struct, frozen=True):
    """Tracks to be added before a position that was seen; without one, at the end."""

    uris: Uris
    position: Position | None = None
    snapshot_id: str | None = None


class ItemsChange(Struct, frozen=True):
    """Either *uris*, to have them in the place of everything, or a range to be moved."""

    uris: Uris | UnsetType = UNSET
    range_start: Position | UnsetType = UNSET
    insert_before: Position | UnsetType = UNSET
    range_length: Position = 1
    snapshot_id: str | None = None


class RemovedItem(Struct, frozen=True):
    """A track to be removed everywhere, or at positions only."""

    uri: TrackUri
    positions: list[Position] | None = None


class RemovedItems(Struct, frozen=True):
    """Items to be removed, as they stood in the version of the snapshot id."""

    items: list[RemovedItem] | UnsetType = UNSET
    tracks: list[RemovedItem] | UnsetType = UNSET
    snapshot_id: str | None = None


class Restoring(Struct, frozen=True):
    """The version to have again."""

    snapshot_id: str


class Following(Struct, frozen=True):
    """Whether others may see that one follows; taken, and without effect yet."""

    public: bool = True


class NewInvitation(Struct, frozen=True):
    """What whoever follows the link may do, and for how long the link is good."""

    role: Annotated[Role, _described(enum=["edit", "view"])]
    days: Annotated[int, _described(minimum=1, maximum=365)] = 7


class Joining(Struct, frozen=True):
    """What an invitation's link ends with."""

    token: str


class Snapshot(Struct, frozen=True):
    """The version that an edit made."""

    snapshot_id: str


class PublicUser(Struct, frozen=True, kw_only=True):
    """A listener, as others see them."""

    display_name: str | None = None
    external_urls: ExternalUrls = ExternalUrls()
    href: str
    id: str
    type: str = "user"
    uri: str


class UserProfile(PublicUser, frozen=True, kw_only=True):
    """A listener's own page."""

    followers: Followers = Followers()
    images: list[ImageObject] = []


class Thumbnail(Struct, frozen=True):
    """What Spotify's clients expect beside every item."""

    url: str | None = None


class PlaylistItem(Struct, frozen=True, kw_only=True):
    """A track in a playlist; ``item`` and ``track`` are the same."""

    added_at: str
    added_by: PublicUser
    is_local: bool = False
    primary_color: str | None = None
    video_thumbnail: Thumbnail = Thumbnail()
    item: Raw
    track: Raw


class ItemsLink(Struct, frozen=True):
    """Where a playlist's items are, and how many."""

    href: str
    total: int


class PlaylistFacts(Struct, frozen=True, kw_only=True):
    """What is told of a playlist wherever it is shown."""

    collaborative: bool
    description: str
    external_urls: ExternalUrls = ExternalUrls()
    href: str
    id: str
    images: list[ImageObject]
    name: str
    owner: PublicUser
    primary_color: str | None = None
    public: bool
    snapshot_id: str
    type: str = "playlist"
    uri: str


class SimplePlaylist(PlaylistFacts, frozen=True, kw_only=True):
    """A playlist in a list."""

    items: ItemsLink
    tracks: ItemsLink


class Playlist(PlaylistFacts, frozen=True, kw_only=True):
    """A playlist with its first items; ``items`` and ``tracks`` are the same."""

    followers: Followers
    items: Raw
    tracks: Raw


class Version(Struct, frozen=True):
    """An edit, and the version that it made."""

    snapshot_id: str
    at: str
    by: PublicUser
    added: int
    removed: int
    moved: int
    details: list[str]  # the names of those that changed
    total: int | None = None


class Invitation(Struct, frozen=True):
    """An invitation; its link is told once, to who makes it."""

    id: str
    role: Role
    created_at: str
    expires_at: str
    url: str | None = None
    token: str | None = None


class Invitations(Struct, frozen=True):
    """The invitations that stand."""

    items: list[Invitation]


class Collaborator(Struct, frozen=True):
    """Somebody who joined, and what they may do."""

    user: PublicUser
    role: Role
    added_at: str


class Collaborators(Struct, frozen=True):
    """Everybody who joined."""

    items: list[Collaborator]


class Joined(Struct, frozen=True):
    """The playlist that one has joined, and what one may do."""

    playlist_id: str
    role: Role
