"""Who else has a playlist: followers, and those who joined by a link that its owner gave them."""

import hashlib
import hmac
import re
from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from domain.ids import is_id, is_listener_id
from domain.playlists import BadEdit, Role
from domain.units import DAY_MS
from serve.auth import Caller, require_role
from serve.endpoints import JSON
from serve.errors import ApiError
from serve.inputs import base_url, query_text
from serve.instants import iso
from serve.playlist_bodies import (
    Collaborator,
    Collaborators,
    Following,
    Invitation,
    Invitations,
    Joined,
    Joining,
    NewInvitation,
)
from serve.playlist_inputs import playlist_of, read, uris_asked
from serve.playlist_objects import PlaylistObjects
from stores import playlist_rows as rows
from stores.accounts import Accounts
from stores.playlist_removal import without
from stores.playlist_rows import Head
from stores.playlist_shelves import PlaylistShelves
from stores.playlists import Playlists

MOST_INVITATIONS, MOST_MEMBERS, MOST_ASKED = 100, 1_000, 50
_PLAYLIST_URI = re.compile("^(?:heartline|spotify):playlist:")
_new = msgspec.json.Decoder(NewInvitation)
_joining = msgspec.json.Decoder(Joining)
_following = msgspec.json.Decoder(Following)
_encode = msgspec.json.Encoder().encode


class PlaylistSharing:
    """Lets others follow and join."""

    def __init__(
        self,
        playlists: Playlists,
        shelves: PlaylistShelves,
        accounts: Accounts,
        *,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
        new_secret: Callable[[], str],
    ) -> None:
        self._playlists, self._shelves, self._accounts = playlists, shelves, accounts
        self._now_ms, self._new_id, self._new_secret = now_ms, new_id, new_secret

    async def follow(self, request: Request, caller: Caller) -> Response:
        """Follow a playlist."""
        playlist_id = await self._seen(request, caller)
        if request.headers.get("content-length", "0") != "0":
            await read(request, _following)
        await self._shelves.put(caller.listener_id, playlist_id, follows=True)
        return Response(b"")

    async def unfollow(self, request: Request, caller: Caller) -> Response:
        """Follow a playlist no longer; what one has made or joined stays on one's shelf."""
        await self._unfollow(playlist_of(request), caller)
        return Response(b"")

    async def _unfollow(self, playlist_id: str, caller: Caller) -> None:
        head = (await self._playlists.heads([playlist_id])).get(playlist_id)
        if head and (caller.listener_id == head.owner or caller.listener_id in head.members):
            await self._shelves.unfollow(caller.listener_id, playlist_id)
        else:
            await self._shelves.take_down(caller.listener_id, playlist_id)

    async def follow_all(self, request: Request, caller: Caller) -> Response:
        """Follow playlists by their URIs."""
        for playlist_id in playlists_of(request):
            require_role(caller, await self._playlists.head(playlist_id), Role.VIEW)
            await self._shelves.put(caller.listener_id, playlist_id, follows=True)
        return Response(b"")

    async def unfollow_all(self, request: Request, caller: Caller) -> Response:
        """Follow playlists no longer, by their URIs."""
        for playlist_id in playlists_of(request):
            await self._unfollow(playlist_id, caller)
        return Response(b"")

    async def follows(self, request: Request, caller: Caller) -> Response:
        """Tell which playlists the caller has made, joined or follows, by their URIs."""
        shelf = {each.playlist_id for each in await self._shelves.of(caller.listener_id)}
        answer = [playlist_id in shelf for playlist_id in playlists_of(request)]
        return Response(_encode(answer), media_type=JSON)

    async def contains(self, request: Request, caller: Caller) -> Response:
        """Tell which users follow a playlist; without ids, whether the caller does."""
        playlist_id = await self._seen(request, caller)
        ids = (query_text(request, "ids") or caller.listener_id).split(",")
        if len(ids) > MOST_ASKED or not all(map(is_listener_id, ids)):
            raise BadEdit("ids", f"wants 1 to {MOST_ASKED} ids, separated by commas")
        answer = await self._shelves.follow(playlist_id, ids)
        return Response(_encode(answer), media_type=JSON)

    async def invite(self, request: Request, caller: Caller) -> Response:
        """Make a link by which whoever has it may join."""
        playlist_id = await self._owned(request, caller)
        wanted = await read(request, _new)
        check(wanted)
        now_ms, secret = self._now_ms(), self._new_secret()
        made = rows.Invitation(
            id=self._new_id(),
            role=wanted.role,
            secret_hash=_hash(secret),
            made_ms=now_ms,
            expires_ms=now_ms + wanted.days * DAY_MS,
        )

        def add(head: Head) -> Head:
            require_role(caller, head, Role.OWNER)
            standing = tuple(each for each in head.invitations if each.expires_ms > now_ms)
            if len(standing) >= MOST_INVITATIONS:
                raise ApiError(403, f"{MOST_INVITATIONS} invitations stand already", "full")
            return msgspec.structs.replace(head, invitations=(*standing, made))

        await self._playlists.change_head(playlist_id, add)
        token = f"{playlist_id}.{made.id}.{secret}"
        shown = msgspec.structs.replace(
            _shown(made), token=token, url=f"{base_url(request)}/#/invitation/{token}"
        )
        href = f"{base_url(request)}/v1/playlists/{playlist_id}/invites/{made.id}"
        return Response(_encode(shown), 201, headers={"Location": href}, media_type=JSON)

    async def invitations(self, request: Request, caller: Caller) -> Response:
        """List the invitations that stand."""
        head = await self._playlists.head(await self._owned(request, caller))
        now_ms = self._now_ms()
        items = [_shown(each) for each in head.invitations if each.expires_ms > now_ms]
        return Response(_encode(Invitations(items)), media_type=JSON)

    async def withdraw(self, request: Request, caller: Caller) -> Response:
        """Withdraw an invitation, and what those who followed it may do."""
        playlist_id, invitation = await self._owned(request, caller), request.path_params["invite"]

        def remove(head: Head) -> Head:
            require_role(caller, head, Role.OWNER)
            members = {
                listener_id: member
                for listener_id, member in head.members.items()
                if member.invitation != invitation
            }
            standing = tuple(each for each in head.invitations if each.id != invitation)
            return msgspec.structs.replace(head, members=members, invitations=standing)

        await self._playlists.change_head(playlist_id, remove)
        return Response(status_code=204)

    async def join(self, request: Request, caller: Caller) -> Response:
        """Join a playlist by an invitation's token."""
        token = (await read(request, _joining)).token
        playlist_id, _, rest = token.partition(".")
        now_ms = self._now_ms()
        refused = ApiError(404, "the invitation is unknown, withdrawn or expired", "not_found")
        if not rest.isascii() or playlist_id != playlist_of(request):
            raise refused

        def add(head: Head) -> Head:
            found = _invitation(head, rest, now_ms)
            if found is None:
                raise refused
            before = head.members.get(caller.listener_id)
            if caller.listener_id == head.owner or (before and before.role is Role.EDIT):
                return head
            if head.dismissed.get(caller.listener_id, 0) >= found.made_ms:
                raise refused
            if len(head.members) >= MOST_MEMBERS:
                raise ApiError(403, f"{MOST_MEMBERS} have joined already", "full")
            member = rows.Member(found.role, found.id, now_ms)
            members = {**head.members, caller.listener_id: member}
            return msgspec.structs.replace(head, members=members)

        # The shelf first: who is a member without it would not be forgotten with the account.
        if _invitation(await self._playlists.head(playlist_id), rest, now_ms):
            await self._shelves.put(caller.listener_id, playlist_id, follows=False)
        head = await self._playlists.change_head(playlist_id, add)
        role = head.role_of(caller.listener_id) or Role.VIEW
        return Response(_encode(Joined(playlist_id, role)), media_type=JSON)

    async def collaborators(self, request: Request, caller: Caller) -> Response:
        """List those who joined."""
        head = await self._playlists.head(await self._seen(request, caller))
        accounts = await self._accounts.by_ids(head.members)
        objects = PlaylistObjects(base_url(request), accounts)
        items = [
            Collaborator(objects.user(listener_id), member.role, iso(member.joined_ms))
            for listener_id, member in head.members.items()
        ]
        return Response(_encode(Collaborators(items)), media_type=JSON)

    async def dismiss(self, request: Request, caller: Caller) -> Response:
        """Have somebody leave: the owner anybody, everybody themselves."""
        playlist_id, user_id = await self._seen(request, caller), request.path_params["user_id"]

        def remove(head: Head) -> Head:
            if user_id != caller.listener_id:
                require_role(caller, head, Role.OWNER)
            dismissed = head.dismissed
            if user_id != caller.listener_id and user_id in head.members:
                told = {**dismissed, user_id: self._now_ms()}
                dismissed = dict([*told.items()][-MOST_MEMBERS:])
            left = without(user_id)(head)
            return msgspec.structs.replace(left, dismissed=dismissed)

        await self._playlists.change_head(playlist_id, remove)
        if user_id == caller.listener_id:
            await self._shelves.take_down(user_id, playlist_id)
        return Response(status_code=204)

    async def _seen(self, request: Request, caller: Caller) -> str:
        playlist_id = playlist_of(request)
        require_role(caller, await self._playlists.head(playlist_id), Role.VIEW)
        return playlist_id

    async def _owned(self, request: Request, caller: Caller) -> str:
        playlist_id = playlist_of(request)
        require_role(caller, await self._playlists.head(playlist_id), Role.OWNER)
        return playlist_id


def playlists_of(request: Request) -> list[str]:
    """Take the ids of playlists out of the URIs in the query.

    :raises BadEdit: if there are none or too many, or one is not a playlist's.
    """
    uris = uris_asked(request) or []
    if not 0 < len(uris) <= MOST_ASKED:
        raise BadEdit("uris", f"wants 1 to {MOST_ASKED} URIs, separated by commas")
    ids = [_PLAYLIST_URI.sub("", uri) for uri in uris]
    for number, (uri, playlist_id) in enumerate(zip(uris, ids, strict=True)):
        if playlist_id == uri or not is_id(playlist_id):
            raise BadEdit(
                f"uris[{number}]", f"wants a playlist, like heartline:playlist:{'x' * 22}"
            )
    return ids


def check(wanted: NewInvitation) -> None:
    """Refuse an invitation that cannot be.

    :raises BadEdit: if its role or its days are not such.
    """
    if wanted.role is Role.OWNER:
        raise BadEdit("role", "wants edit or view")
    if wanted.days not in range(1, 366):
        raise BadEdit("days", "wants 1 to 365")


def _invitation(head: Head, rest: str, now_ms: int) -> rows.Invitation | None:
    name, _, secret = rest.partition(".")
    for each in head.invitations:
        is_it = each.id == name and hmac.compare_digest(each.secret_hash, _hash(secret))
        if is_it and each.expires_ms > now_ms:
            return each
    return None


def _shown(invitation: rows.Invitation) -> Invitation:
    return Invitation(
        id=invitation.id,
        role=invitation.role,
        created_at=iso(invitation.made_ms),
        expires_at=iso(invitation.expires_ms),
    )


def _hash(secret: str) -> bytes:
    # Secrets are 128 random bits and more: nothing to guess, so no slow hash.
    return hashlib.sha256(secret.encode()).digest()
