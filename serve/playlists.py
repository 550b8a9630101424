"""``/v1/playlists``, ``/v1/me/playlists``: playlists as Spotify's clients read, make and change them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from msgspec import UNSET
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import Response

from domain.fields import wants
from domain.ids import is_listener_id
from domain.playlist_edits import Keep
from domain.playlist_versions import snapshot_id
from domain.playlists import Details, Entry, Role, check_details
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
from serve.playlist_inputs import fields_of, id_of, key_of, only_version, playlist_of, read
from serve.playlist_objects import PlaylistObjects, encode, only, people
from stores.accounts import Accounts
from stores.playlist_edits import ListChange, StaleVersion
from stores.playlist_errors import NoPlaylist
from stores.playlist_removal import PlaylistRemoval
from stores.playlist_rows import Head
from stores.playlist_shelves import PlaylistShelves
from stores.playlist_writer import Allow
from stores.playlists import Playlists, View

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
        *,
        new_id: Callable[[], str],
    ) -> None:
        self._playlists, self._shelves, self._removal = playlists, shelves, removal
        self._new_id = new_id
        self._accounts, self._entities = accounts, entities

    async def create(self, request: Request, caller: Caller) -> Response:
        """Make a playlist of the caller's."""
        fields_of(request), market_of(request)  # before anything is made
        wanted, key = await read(request, _new), key_of(request, caller)
        public = not wanted.collaborative if wanted.public is None else wanted.public
        details = Details(wanted.name, wanted.description or "", public, wanted.collaborative)
        check_details(details)
        playlist_id = id_of(key) or self._new_id()
        # The shelf first: what is on none would not go with its owner's account.
        await self._shelves.put(caller.listener_id, playlist_id, follows=False)
        try:
            view = await self._playlists.create(caller.listener_id, details, playlist_id)
        except NoPlaylist:  # the same request made one that was deleted since
            await self._shelves.take_down(caller.listener_id, playlist_id)
            raise
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
        only_at = await only_version(request, self._playlists, playlist_id)
        edit = ListChange(Keep(), only_at=only_at, details=lambda now: changed(now, wanted))
        number = await self._playlists.edit(playlist_id, edit, by=caller.listener_id, allow=allow)
        headers = {"ETag": f'"{snapshot_id(playlist_id, number)}"'}
        return Response(b"", headers=headers)

    async def delete(self, request: Request, caller: Caller) -> Response:
        """Delete a playlist for good; what was broken off may be asked for again."""
        playlist_id = playlist_of(request)
        only_at = await only_version(request, self._playlists, playlist_id)

        def allow(head: Head) -> None:
            require_role(caller, head, Role.OWNER)
            if only_at not in {None, head.number}:
                raise StaleVersion

        await self._removal.remove(playlist_id, allow)
        await self._shelves.take_down(caller.listener_id, playlist_id)
        return Response(status_code=204)

    async def mine(self, request: Request, caller: Caller) -> Response:
        """List the playlists that the caller has made, joined or follows."""
        window = Window.of(request)
        shelf = [each.playlist_id for each in await self._shelves.of(caller.listener_id)]
        there = await self._playlists.heads(window.cut(shelf))
        heads = {each: head for each, head in there.items() if role_in(caller, head)}
        total = len(shelf) - len(window.cut(shelf)) + len(heads)
        return await self._listed(request, window, heads, total)

    async def of_user(self, request: Request, caller: Caller) -> Response:
        """List the public playlists that a user has made; to themselves, all."""
        window, user_id = Window.of(request), self._user(request)
        shelf = [each.playlist_id for each in await self._shelves.of(user_id)]
        heads = {
            each: head
            for each, head in (await self._playlists.heads(shelf)).items()
            if head.owner == user_id and may_list(caller, head)
        }
        shown = {each: heads[each] for each in window.cut([*heads])}
        return await self._listed(request, window, shown, len(heads))

    async def user(self, request: Request, _caller: Caller) -> Response:
        """Show what others see of a listener."""
        user_id = self._user(request)
        account = await self._accounts.by_id(user_id)
        if account is None:
            raise ApiError(404, "there is no such user", "not_found")
        shown = PlaylistObjects(base_url(request), {user_id: account}).user(user_id)
        return tagged(request, encode(UserProfile(**msgspec.structs.asdict(shown))))

    @staticmethod
    def _user(request: Request) -> str:
        user_id: str = request.path_params["user_id"]
        if not is_listener_id(user_id):
            raise ApiError(404, "there is no such user", "not_found")
        return user_id

    async def _listed(
        self, request: Request, window: Window, heads: Mapping[str, Head], total: int
    ) -> Response:
        objects = await self._objects(request, heads.values())
        items = [objects.simple(playlist_id, head) for playlist_id, head in heads.items()]
        return tagged(request, encode(page(request.url, window, items, total)))

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


def may_list(caller: Caller, head: Head) -> bool:
    """Whether a playlist is shown among those of its owner."""
    return head.details.public or role_in(caller, head) is Role.OWNER


def only_for(caller: Caller, needed: Role) -> Allow:
    """Let a caller with a role edit."""

    def allow(head: Head) -> None:
        require_role(caller, head, needed)

    return allow


def changed(details: Details, wanted: PlaylistChange) -> Details:
    """Apply what was said to be changed."""
    said = {
        name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not UNSET
    }
    if said.get("description", "") is None:
        said["description"] = ""
    return msgspec.structs.replace(details, **said)


def version(view: View) -> str:
    """Begin a tag with the version that is shown."""
    return f"{snapshot_id(view.id, view.head.number)}."
