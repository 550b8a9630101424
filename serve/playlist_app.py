"""What playlists are made of, and the routes that serve them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from starlette.routing import BaseRoute, WebSocketRoute

from domain.ports import Tables
from serve import live, playlist_endpoints
from serve.auth import Access
from serve.catalogue_joins import Entities
from serve.endpoints import Endpoint, merged
from serve.live_rooms import LOOK_S, Rooms
from serve.playlist_covers import PlaylistImages
from serve.playlist_history import PlaylistHistory
from serve.playlist_items import PlaylistItems
from serve.playlist_sharing import PlaylistSharing
from serve.playlists import PlaylistDoor
from stores.accounts import Accounts
from stores.playlist_covers import PlaylistCovers
from stores.playlist_log import PlaylistLog
from stores.playlist_removal import PlaylistRemoval
from stores.playlist_shelves import PlaylistShelves
from stores.playlist_visitors import PlaylistVisitors
from stores.playlists import Playlists

ENTRY_ID_CHARACTERS = 11  # 65 bits, unique within a playlist


@dataclass(frozen=True, kw_only=True)
class PlaylistParts:
    """The repositories of playlists, and what makes ids and secrets."""

    playlists: Playlists
    shelves: PlaylistShelves
    covers: PlaylistCovers
    visitors: PlaylistVisitors
    now_ms: Callable[[], int]
    new_id: Callable[[], str]
    new_secret: Callable[[], str]
    look_s: float = LOOK_S

    @classmethod
    def of(
        cls,
        tables: Tables,
        *,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
        new_secret: Callable[[], str],
        random: Random,
        look_s: float = LOOK_S,
    ) -> "PlaylistParts":
        """Make them of a store."""
        return cls(
            playlists=Playlists(PlaylistLog(tables), now_ms=now_ms, new_id=new_id, random=random),
            shelves=PlaylistShelves(tables, now_ms=now_ms),
            covers=PlaylistCovers(tables),
            visitors=PlaylistVisitors(tables, now_ms=now_ms),
            now_ms=now_ms,
            new_id=new_id,
            new_secret=new_secret,
            look_s=look_s,
        )

    @property
    def removal(self) -> PlaylistRemoval:
        """What removes playlists, and listeners from them."""
        return PlaylistRemoval(self.playlists, self.shelves, self.covers)


def playlist_routes(
    parts: PlaylistParts, access: Access, accounts: Accounts, entities: Entities
) -> list[BaseRoute]:
    """Make every route of playlists."""
    playlists, authenticate = parts.playlists, access.authenticate
    door = PlaylistDoor(
        playlists, parts.shelves, parts.removal, accounts, entities, new_id=parts.new_id
    )
    items = PlaylistItems(
        playlists, now_ms=parts.now_ms, new_entry_id=lambda: parts.new_id()[-ENTRY_ID_CHARACTERS:]
    )
    sharing = PlaylistSharing(
        playlists,
        parts.shelves,
        accounts,
        now_ms=parts.now_ms,
        new_id=parts.new_id,
        new_secret=parts.new_secret,
    )
    together = live.Live(
        playlists,
        access,
        Rooms(playlists, parts.visitors, accounts, look_s=parts.look_s),
        now_ms=parts.now_ms,
        new_id=parts.new_id,
    )
    history = PlaylistHistory(playlists, accounts, now_ms=parts.now_ms)
    images = PlaylistImages(playlists, parts.covers)
    doors: list[tuple[Sequence[Endpoint[Any]], Any]] = [
        ((*playlist_endpoints.PLAYLISTS, *playlist_endpoints.READING), door),
        (playlist_endpoints.ITEMS, items),
        (playlist_endpoints.SHARING, sharing),
        (playlist_endpoints.IMAGES, images),
        (playlist_endpoints.HISTORY, history),
    ]
    return [*merged(doors, authenticate), WebSocketRoute(live.PATH, together.connect)]
