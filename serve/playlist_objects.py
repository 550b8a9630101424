"""Playlists made into Spotify's objects, for a client that used a URL and may ask for some fields."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Raw
from starlette.datastructures import URL

from domain.fields import EVERYTHING, Fields, select
from domain.playlist_versions import snapshot_id
from domain.playlists import Entry
from serve.catalogue_bodies import Followers, ImageObject
from serve.catalogue_objects import Objects
from serve.instants import iso
from serve.paging import Window, page
from serve.playlist_bodies import (
    ItemsLink,
    Playlist,
    PlaylistItem,
    PublicUser,
    SimplePlaylist,
)
from stores.accounts import Account
from stores.playlist_rows import Head

encode = msgspec.json.Encoder().encode
_IN_LISTS = encode({"episode": False, "track": True})[1:]


@dataclass(frozen=True, slots=True)
class PlaylistObjects:
    """Makes objects of playlists; *accounts* has those of owners and of who added something."""

    base: str
    accounts: Mapping[str, Account]

    def user(self, listener_id: str) -> PublicUser:
        """Show a listener; one whose account is gone has no name."""
        account = self.accounts.get(listener_id)
        return PublicUser(
            display_name=account.display_name if account else None,
            href=f"{self.base}/v1/users/{listener_id}",
            id=listener_id,
            uri=f"heartline:user:{listener_id}",
        )

    def simple(self, playlist_id: str, head: Head) -> SimplePlaylist:
        """Show a playlist in a list."""
        href = self.href(playlist_id)
        return SimplePlaylist(
            **self._of_head(playlist_id, head),
            items=ItemsLink(f"{href}/items", head.total),
            tracks=ItemsLink(f"{href}/tracks", head.total),
        )

    def playlist(self, playlist_id: str, head: Head, followers: int, items: Raw) -> Playlist:
        """Show a playlist with a page of its *items*."""
        return Playlist(
            **self._of_head(playlist_id, head),
            followers=Followers(total=followers),
            items=items,
            tracks=items,
        )

    def items(
        self, url: URL, window: Window, shown: Sequence[Entry], total: int, tracks: Objects
    ) -> Raw:
        """Show a page of entries."""
        made: dict[str, Raw] = {}
        items = [self._item(entry, tracks, made) for entry in shown]
        return Raw(encode(page(url, window, items, total)))

    def href(self, playlist_id: str) -> str:
        """Tell where a playlist is read."""
        return f"{self.base}/v1/playlists/{playlist_id}"

    def images(self, playlist_id: str, head: Head) -> list[ImageObject]:
        """Show the cover, if there is one."""
        if head.cover is None:
            return []
        url = f"{self.href(playlist_id)}/images/{head.cover.name}"
        return [ImageObject(url, head.cover.width, head.cover.height)]

    def _of_head(self, playlist_id: str, head: Head) -> dict[str, Any]:
        return {
            "collaborative": head.details.collaborative,
            "description": head.details.description,
            "href": self.href(playlist_id),
            "id": playlist_id,
            "images": self.images(playlist_id, head),
            "name": head.details.name,
            "owner": self.user(head.owner),
            "public": head.details.public,
            "snapshot_id": snapshot_id(playlist_id, head.number),
            "uri": f"heartline:playlist:{playlist_id}",
        }

    def _item(self, entry: Entry, tracks: Objects, made: dict[str, Raw]) -> PlaylistItem:
        track = made.get(entry.track_id)
        if track is None:
            shown = encode(tracks.track(entry.track_id))
            track = made[entry.track_id] = Raw(shown[:-1] + b"," + _IN_LISTS)
        return PlaylistItem(
            added_at=iso(entry.added_at),
            added_by=self.user(entry.added_by),
            item=track,
            track=track,
        )


def people(heads: Iterable[Head], shown: Iterable[Entry] = ()) -> set[str]:
    """Tell whose names are shown with playlists and entries."""
    return {head.owner for head in heads} | {entry.added_by for entry in shown}


def only(fields: Fields, body: bytes) -> bytes:
    """Leave of an answer what was asked for."""
    return body if fields is EVERYTHING else encode(select(fields, msgspec.json.decode(body)))
