"""``/v1/playlists``, ``/v1/me/playlists``: playlists as Spotify's clients read, make and change them."""

from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec import UNSET
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import Response

from domain.fields import wants
from domain.ids import is_listener_id
from domain.playlist_edits import Keep
from domain.playlist_versions import snapshot_id
from domain.playlists import Details, Entry, Role
from serve.auth import Caller, require_role, role_in
from serve.catalogue import market_of
from serve.catalogue_joins import Entities, known_tracks
from serve.catalogue_objects import Objects
from serve.endpoints import JSON
from serve.errors import ApiError
from serve.etags import tagged
from serve.inputs import base_url
from serve.paging import Window, page
from serve.playlist_bodies import NewPlaylist, PlaylistChange, UserProfile
from serve.playlist_inputs import change, fields_of, id_of, key_of, playlist_of, read
from serve.playlist_objects import PlaylistObjects, encode, only, people
from stores.accounts import Accounts
from stores.playlist_edits import ListChange
from stores.playlist_removal import PlaylistRemoval
from stores.playlist_rows import Head
from stores.playlist_shelves import PlaylistShelves
from stores.playlists import Allow, Playlists, View

ITEM_LIMITS, USUAL_ITEMS = range(1, 101), 100

_new = msgspec.json.Decoder(NewPlaylist)
_change = msgspec.json.Decoder(PlaylistChange)


class PlaylistDoor:
    """Answers what playlists there are, and makes and changes them."""

    def __init__(
        self,
        playlists: Playlists,
        shelves: PlaylistShelves,
        removal: PlaylistRemoval,
        accounts: Accounts,
        entities: Entities,
    ) -> None:
        self._playlists, self._shelves, self._removal = playlists, shelves, removal
        self._accounts, self._entities = accounts, entities

    async def create(self, request: Request, caller: Caller) -> Response:
        """Make a playlist of the caller's."""
        wanted, key = await read(request, _new), key_of(request, caller)
        public = not wanted.collaborative if wanted.public is None else wanted.public
        details = Details(wanted.name, wanted.description or "", public, wanted.collaborative)
        view = await self._playlists.create(caller.listener_id, details, id_of(key))
        await self._shelves.put(caller.listener_id, view.id, follows=False)
        body = await self._whole(request, view)
        headers = {"Location": f"{base_url(request)}/v1/playlists/{view.id}"}
        return Response(body, 201, headers=headers, media_type=JSON)

    async def create_for(self, request: Request, caller: Caller) -> Response:
        """Make a playlist of a user, who must be the caller."""
        if request.path_params["user_id"] != caller.listener_id:
            raise ApiError(403, "this belongs to another listener", "forbidden")
        return await self.create(request, caller)

    async def playlist(self, request: Request, caller: Caller) -> Response:
        """Show a playlist."""
        view = await self._playlists.view(playlist_of(request))
        require_role(caller, view.head, Role.VIEW)
        return tagged(request, await self._whole(request, view), version=version(view))

    async def items(self, request: Request, caller: Caller) -> Response:
        """Show a page of a playlist's items."""
        fields = fields_of(request)
        window = Window.of(request, limits=ITEM_LIMITS, usually=USUAL_ITEMS)
        view = await self._playlists.view(playlist_of(request))
        require_role(caller, view.head, Role.VIEW)
        shown = window.cut(view.entries)
        objects = await self._objects(request, [view.head], shown)
        tracks = await self._tracks(request, shown)
        items = objects.items(request.url, window, shown, len(view.entries), tracks)
        return tagged(request, only(fields, bytes(items)), version=version(view))

    async def change(self, request: Request, caller: Caller) -> Response:
        """Change a playlist's details."""
        playlist_id = playlist_of(request)
        allow = only_for(caller, Role.OWNER)
        allow(await self._playlists.head(playlist_id))
        wanted = await read(request, _change)
        said = await change(request, self._playlists, playlist_id, Keep(), None)
        edit = ListChange(
            said.edit, said.number, said.seen, said.is_strict, lambda now: changed(now, wanted)
        )
        number = await self._playlists.edit(playlist_id, edit, by=caller.listener_id, allow=allow)
        headers = {"ETag": f'"{snapshot_id(playlist_id, number)}"'}
        return Response(b"", headers=headers)

    async def delete(self, request: Request, caller: Caller) -> Response:
        """Delete a playlist for good."""
        playlist_id = playlist_of(request)
        allow = only_for(caller, Role.OWNER)
        allow(await self._playlists.head(playlist_id))
        await self._removal.remove(playlist_id, allow)
        await self._shelves.take_down(caller.listener_id, playlist_id)
        return Response(status_code=204)

    async def mine(self, request: Request, caller: Caller) -> Response:
        """List the playlists that the caller has made, joined or follows."""
        return await self._list(
            request, caller.listener_id, lambda head: bool(role_in(caller, head))
        )

    async def of_user(self, request: Request, caller: Caller) -> Response:
        """List the public playlists that a user has made."""
        user_id = await self._user(request)
        is_own = user_id == caller.listener_id
        return await self._list(
            request, user_id, lambda head: head.owner == user_id and (is_own or head.details.public)
        )

    async def user(self, request: Request, _caller: Caller) -> Response:
        """Show what others see of a listener."""
        user_id = await self._user(request)
        account = await self._accounts.by_id(user_id)
        if account is None:
            raise ApiError(404, "there is no such user", "not_found")
        shown = PlaylistObjects(base_url(request), {user_id: account}).user(user_id)
        return tagged(request, encode(UserProfile(**msgspec.structs.asdict(shown))))

    async def _user(self, request: Request) -> str:
        user_id: str = request.path_params["user_id"]
        if not is_listener_id(user_id):
            raise ApiError(404, "there is no such user", "not_found")
        return user_id

    async def _list(
        self, request: Request, listener_id: str, is_shown: Callable[[Head], bool]
    ) -> Response:
        window = Window.of(request)
        shelf = [each.playlist_id for each in await self._shelves.of(listener_id)]
        heads = await self._playlists.heads(shelf)
        listed = [each for each in shelf if each in heads and is_shown(heads[each])]
        shown = window.cut(listed)
        objects = await self._objects(request, [heads[each] for each in shown])
        items = [objects.simple(each, heads[each]) for each in shown]
        return tagged(request, encode(page(request.url, window, items, len(listed))))

    async def _whole(self, request: Request, view: View) -> bytes:
        """Show a playlist with its first items, or those fields of it that are asked for."""
        fields = fields_of(request)
        first = Window(USUAL_ITEMS, 0)
        needs_items = wants(fields, "items") or wants(fields, "tracks")
        shown = first.cut(view.entries) if needs_items else []
        objects = await self._objects(request, [view.head], shown)
        tracks = await self._tracks(request, shown)
        url = URL(f"{objects.href(view.id)}/items")
        items = objects.items(url, first, shown, view.head.total, tracks)
        followers = await self._shelves.followers(view.id) if wants(fields, "followers") else 0
        return only(fields, encode(objects.playlist(view.id, view.head, followers, items)))

    async def _objects(
        self, request: Request, heads: Iterable[Head], shown: Sequence[Entry] = ()
    ) -> PlaylistObjects:
        accounts = await self._accounts.by_ids(people(heads, shown))
        return PlaylistObjects(base_url(request), accounts)

    async def _tracks(self, request: Request, shown: Sequence[Entry]) -> Objects:
        known = await known_tracks(self._entities, {entry.track_id for entry in shown})
        return Objects(known, base_url(request), market_of(request))


def only_for(caller: Caller, needed: Role) -> Allow:
    """Let a caller with a role edit."""
    return lambda head: require_role(caller, head, needed)


def changed(details: Details, wanted: PlaylistChange) -> Details:
    """Apply what was said to be changed; what becomes collaborative without a word is private."""
    said = {
        name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not UNSET
    }
    if said.get("description", "") is None:
        said["description"] = ""
    return msgspec.structs.replace(details, **said)


def version(view: View) -> str:
    """Begin a tag with the version that is shown."""
    return f"{snapshot_id(view.id, view.head.number)}."
