"""The endpoints of playlists."""

from collections.abc import Iterator
from typing import Any

from serve.catalogue_bodies import ImageObject
from serve.catalogue_endpoints import MARKET
from serve.endpoints import Endpoint, Link, Parameter
from serve.paging import OFFSETS, WINDOW, Page
from serve.playlist_bodies import (
    Collaborators,
    Invitation,
    Invitations,
    ItemsChange,
    Joined,
    Joining,
    NewInvitation,
    NewItems,
    NewPlaylist,
    PlaylistChange,
    RemovedItems,
    Restoring,
    SimplePlaylist,
    Snapshot,
    UserProfile,
    Version,
)
from serve.playlist_covers import JPEG, PlaylistImages
from serve.playlist_history import PlaylistHistory
from serve.playlist_items import MOST_POSITION, PlaylistItems
from serve.playlist_sharing import PlaylistSharing
from serve.playlists import ITEM_LIMITS, USUAL_ITEMS, PlaylistDoor

ID = Parameter("id", "The playlist's id")
USER = Parameter("user_id", "The user's id")
FIELDS = Parameter(
    "fields",
    "Which fields to give, like `name,tracks.items(track(name))`; else all",
    {"type": "string", "format": "fields"},
)
URIS = Parameter(
    "uris",
    "Tracks, separated by commas, instead of a body",
    {"type": "string", "format": "track-uri"},
)
PLAYLIST_URIS = Parameter(
    "uris",
    "Playlists, separated by commas",
    {"type": "string", "format": "playlist-uri"},
    required=True,
)
POSITION = Parameter(
    "position",
    "Before which item, if `uris` are given here, or the body is a list",
    {"type": "integer", "minimum": 0, "maximum": MOST_POSITION},
)
ITEM_WINDOW = (
    Parameter(
        "limit",
        "How many at most",
        {
            "type": "integer",
            "minimum": ITEM_LIMITS[0],
            "maximum": ITEM_LIMITS[-1],
            "default": USUAL_ITEMS,
        },
    ),
    Parameter(
        "offset",
        "How many to pass over",
        {"type": "integer", "minimum": OFFSETS[0], "maximum": OFFSETS[-1], "default": 0},
    ),
)
PATH = "/v1/playlists/{id}"
OF_ID = {"id": "$response.body#/id"}

PLAYLISTS: tuple[Endpoint[PlaylistDoor], ...] = (
    Endpoint(
        "POST",
        "/v1/me/playlists",
        PlaylistDoor.create,
        summary="Make a playlist; with an `Idempotency-Key` it may be sent again",
        body=NewPlaylist,
        answers={201: dict[str, Any]},
        errors=(403, 404, 422),
        links=(
            Link("Read", "GET", PATH, parameters=OF_ID),
            Link("AddItems", "POST", f"{PATH}/items", parameters=OF_ID),
        ),
    ),
    Endpoint(
        "POST",
        "/v1/users/{user_id}/playlists",
        PlaylistDoor.create_for,
        summary="Make a playlist of mine, under its older name",
        parameters=(USER,),
        body=NewPlaylist,
        answers={201: dict[str, Any]},
        errors=(404, 422),
    ),
    Endpoint(
        "GET",
        "/v1/me/playlists",
        PlaylistDoor.mine,
        summary="The playlists that I made, joined or follow, the newest first",
        parameters=WINDOW,
        answers={200: Page[SimplePlaylist]},
        errors=(422,),
    ),
    Endpoint(
        "GET",
        "/v1/users/{user_id}/playlists",
        PlaylistDoor.of_user,
        scope=None,
        summary="The public playlists that a user made",
        parameters=(USER, *WINDOW),
        answers={200: Page[SimplePlaylist]},
        errors=(404, 422),
    ),
    Endpoint(
        "GET",
        "/v1/users/{user_id}",
        PlaylistDoor.user,
        scope=None,
        summary="A user, as others see them",
        parameters=(USER,),
        answers={200: UserProfile},
        errors=(404,),
    ),
    Endpoint(
        "GET",
        PATH,
        PlaylistDoor.playlist,
        scope=None,
        summary="A playlist with its first items; `items` and `tracks` are the same",
        parameters=(ID, FIELDS, MARKET),
        answers={200: dict[str, Any]},
        errors=(400, 404, 422),
    ),
    Endpoint(
        "PUT",
        PATH,
        PlaylistDoor.change,
        summary="Change a playlist's details",
        parameters=(ID,),
        body=PlaylistChange,
        answers={200: None},
        errors=(404, 412),
    ),
    Endpoint(
        "DELETE",
        PATH,
        PlaylistDoor.delete,
        summary="Delete a playlist for good",
        parameters=(ID,),
        answers={204: None},
        errors=(404,),
    ),
)

SHARING: tuple[Endpoint[PlaylistSharing], ...] = (
    Endpoint(
        "PUT",
        "/v1/me/library",
        PlaylistSharing.follow_all,
        summary="Follow playlists by their URIs, as Spotify's clients of 2026 do",
        parameters=(PLAYLIST_URIS,),
        answers={200: None},
        errors=(400, 404),
    ),
    Endpoint(
        "DELETE",
        "/v1/me/library",
        PlaylistSharing.unfollow_all,
        summary="Follow playlists no longer, by their URIs",
        parameters=(PLAYLIST_URIS,),
        answers={200: None},
        errors=(400,),
    ),
    Endpoint(
        "GET",
        "/v1/me/library/contains",
        PlaylistSharing.follows,
        summary="Which playlists I made, joined or follow",
        parameters=(PLAYLIST_URIS,),
        answers={200: list[bool]},
        errors=(400,),
    ),
    Endpoint(
        "PUT",
        f"{PATH}/followers",
        PlaylistSharing.follow,
        summary="Follow a playlist",
        parameters=(ID,),
        answers={200: None},
        errors=(400, 404, 408, 413, 415),
    ),
    Endpoint(
        "DELETE",
        f"{PATH}/followers",
        PlaylistSharing.unfollow,
        summary="Follow a playlist no longer",
        parameters=(ID,),
        answers={200: None},
        errors=(404,),
    ),
    Endpoint(
        "GET",
        f"{PATH}/followers/contains",
        PlaylistSharing.contains,
        summary="Whether users follow a playlist; without `ids`, whether I do",
        parameters=(ID, Parameter("ids", "Users' ids, separated by commas")),
        answers={200: list[bool]},
        errors=(400, 404, 422),
    ),
    Endpoint(
        "POST",
        f"{PATH}/invites",
        PlaylistSharing.invite,
        summary="Make a link by which others may join, to edit or to view",
        parameters=(ID,),
        body=NewInvitation,
        answers={201: Invitation},
        errors=(404,),
    ),
    Endpoint(
        "GET",
        f"{PATH}/invites",
        PlaylistSharing.invitations,
        summary="The invitations that stand",
        parameters=(ID,),
        answers={200: Invitations},
        errors=(404,),
    ),
    Endpoint(
        "DELETE",
        f"{PATH}/invites/{{invite}}",
        PlaylistSharing.withdraw,
        summary="Withdraw an invitation, and what those who joined by it may do",
        parameters=(ID, Parameter("invite", "The invitation's id")),
        answers={204: None},
        errors=(404,),
    ),
    Endpoint(
        "POST",
        f"{PATH}/collaborators",
        PlaylistSharing.join,
        summary="Join a playlist by the token that an invitation's link ends with",
        parameters=(ID,),
        body=Joining,
        answers={200: Joined},
        errors=(404,),
    ),
    Endpoint(
        "GET",
        f"{PATH}/collaborators",
        PlaylistSharing.collaborators,
        scope=None,
        summary="Who joined a playlist",
        parameters=(ID,),
        answers={200: Collaborators},
        errors=(404,),
    ),
    Endpoint(
        "DELETE",
        f"{PATH}/collaborators/{{user_id}}",
        PlaylistSharing.dismiss,
        summary="Have somebody leave a playlist, or leave it oneself",
        parameters=(ID, USER),
        answers={204: None},
        errors=(404,),
    ),
)

IMAGES: tuple[Endpoint[PlaylistImages], ...] = (
    Endpoint(
        "GET",
        f"{PATH}/images",
        PlaylistImages.images,
        scope=None,
        summary="The cover of a playlist, if it has one",
        parameters=(ID,),
        answers={200: list[ImageObject]},
        errors=(404,),
    ),
    Endpoint(
        "PUT",
        f"{PATH}/images",
        PlaylistImages.change,
        summary="Give a playlist a cover: a JPEG of at most 256 KiB, as base64 or as it is",
        parameters=(ID,),
        body=str,
        body_types=(),
        binary_types=(JPEG,),
        answers={202: None},
        errors=(404,),
    ),
    Endpoint(
        "GET",
        f"{PATH}/images/{{name}}",
        PlaylistImages.image,
        summary="A cover, by the URL that the playlist tells",
        public=True,
        parameters=(ID, Parameter("name", "The cover's name")),
        answers={200: bytes},
        answer_type=JPEG,
        errors=(404,),
    ),
)

HISTORY: tuple[Endpoint[PlaylistHistory], ...] = (
    Endpoint(
        "GET",
        f"{PATH}/versions",
        PlaylistHistory.versions,
        scope=None,
        summary="The versions of the last 90 days, the newest first",
        parameters=(ID, *WINDOW),
        answers={200: Page[Version]},
        errors=(404, 422),
    ),
)


def _items(path: str) -> Iterator[Endpoint[PlaylistItems]]:
    yield Endpoint(
        "POST",
        path,
        PlaylistItems.add,
        summary="Add tracks; with an `Idempotency-Key` it may be sent again",
        parameters=(ID, URIS, POSITION),
        body=NewItems | list[str],
        answers={201: Snapshot},
        errors=(404, 412, 422),
    )
    yield Endpoint(
        "PUT",
        path,
        PlaylistItems.change,
        summary="Replace all items, or move a range of them, as they stood in the version given",
        parameters=(ID, URIS),
        body=ItemsChange,
        answers={200: Snapshot},
        errors=(404, 412, 422),
    )
    yield Endpoint(
        "DELETE",
        path,
        PlaylistItems.remove,
        summary="Remove tracks, as they stood in the version given",
        parameters=(ID,),
        body=RemovedItems,
        answers={200: Snapshot},
        errors=(404, 412),
    )


def _reading(path: str) -> Endpoint[PlaylistDoor]:
    return Endpoint(
        "GET",
        path,
        PlaylistDoor.items,
        scope=None,
        summary="A page of a playlist's items",
        parameters=(ID, FIELDS, MARKET, *ITEM_WINDOW),
        answers={200: dict[str, Any]},
        errors=(400, 404, 422),
    )


TWINS = (f"{PATH}/items", f"{PATH}/tracks")  # the name of 2026, and the one of all older clients
READING = tuple(map(_reading, TWINS))
ITEMS: tuple[Endpoint[PlaylistItems], ...] = (
    *(endpoint for path in TWINS for endpoint in _items(path)),
    Endpoint(
        "POST",
        f"{PATH}/restore",
        PlaylistItems.restore,
        summary="Have the items, the name and the description of an older version again",
        parameters=(ID,),
        body=Restoring,
        answers={200: Snapshot},
        errors=(404,),
    ),
)
ENDPOINTS: tuple[Endpoint[Any], ...] = (
    *PLAYLISTS,
    *READING,
    *ITEMS,
    *SHARING,
    *IMAGES,
    *HISTORY,
)
