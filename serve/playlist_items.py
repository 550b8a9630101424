"""``/v1/playlists/{id}/items``, and ``/tracks``, its older name: adding, replacing, moving, removing."""

from collections.abc import Callable, Sequence

import msgspec
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from domain.playlist_edits import Add, Edit, Removal, Remove, Reorder, Replace, Restore
from domain.playlist_versions import snapshot_id, version_number
from domain.playlists import MOST_TOGETHER, BadEdit, Details, Entry, Role
from serve.auth import Caller
from serve.endpoints import JSON
from serve.inputs import base_url
from serve.playlist_bodies import (
    ItemsChange,
    NewItems,
    RemovedItem,
    RemovedItems,
    Restoring,
    Snapshot,
)
from serve.playlist_inputs import (
    asked,
    change,
    key_of,
    only_version,
    playlist_of,
    read,
    tracks_of,
    uris_asked,
)
from serve.playlists import only_for
from stores.playlist_edits import ListChange
from stores.playlists import Playlists

MOST_POSITION = (1 << 31) - 1

_new = msgspec.json.Decoder(NewItems | list[str])
_change = msgspec.json.Decoder(ItemsChange)
_removed = msgspec.json.Decoder(RemovedItems)
_restoring = msgspec.json.Decoder(Restoring)


class PlaylistItems:
    """Edits the lists of playlists."""

    def __init__(
        self, playlists: Playlists, *, now_ms: Callable[[], int], new_entry_id: Callable[[], str]
    ) -> None:
        self._playlists, self._now_ms, self._new_entry_id = playlists, now_ms, new_entry_id

    async def add(self, request: Request, caller: Caller) -> Response:
        """Add tracks."""
        playlist_id = await self._begin(request, caller)
        uris = uris_asked(request)
        if uris is not None:
            said = NewItems(uris, _position(request), asked(request, "snapshot_id"))
        else:
            body = await read(request, _new)
            said = body if isinstance(body, NewItems) else NewItems(body, _position(request))
        if not said.uris:
            raise BadEdit("uris", "wants at least one")
        edit = Add(self._entries(said.uris, caller), said.position)
        return await self._edit(request, caller, playlist_id, edit, said.snapshot_id, status=201)

    async def change(self, request: Request, caller: Caller) -> Response:
        """Replace everything, or move a range."""
        playlist_id = await self._begin(request, caller)
        uris = uris_asked(request)
        said = await read(request, _change) if uris is None else ItemsChange(uris)
        edit: Edit
        if said.uris is not UNSET:
            edit = Replace(self._entries(said.uris, caller))
        elif said.range_start is not UNSET and said.insert_before is not UNSET:
            edit = Reorder(said.range_start, said.insert_before, said.range_length)
        else:
            missing = "insert_before" if said.range_start is not UNSET else "range_start"
            raise BadEdit(missing, "wants a position; or give uris, to replace everything")
        return await self._edit(request, caller, playlist_id, edit, said.snapshot_id)

    async def remove(self, request: Request, caller: Caller) -> Response:
        """Remove tracks, everywhere or at positions."""
        playlist_id = await self._begin(request, caller)
        said = await read(request, _removed)
        field = "items" if said.items is not UNSET else "tracks"
        items = said.items if said.items is not UNSET else said.tracks
        if items is UNSET or not items:
            raise BadEdit("items", "wants at least one item, each with a uri")
        edit = Remove(removals(items, field), field)
        return await self._edit(request, caller, playlist_id, edit, said.snapshot_id)

    async def restore(self, request: Request, caller: Caller) -> Response:
        """Have the items, the name and the description of an older version again."""
        playlist_id = await self._begin(request, caller)
        said = await read(request, _restoring)
        number = version_number(playlist_id, said.snapshot_id)
        entries = await self._playlists.version(playlist_id, number)
        details = await self._playlists.details(playlist_id, number)
        only_at = await only_version(request, self._playlists, playlist_id)
        edit = ListChange(
            Restore(entries), only_at=only_at, details=lambda now: _as_then(now, details)
        )
        made = await self._playlists.edit(
            playlist_id,
            edit,
            by=caller.listener_id,
            allow=only_for(caller, Role.OWNER),
            key=key_of(request, caller),
        )
        return _answer(playlist_id, made)

    async def _begin(self, request: Request, caller: Caller) -> str:
        playlist_id = playlist_of(request)
        only_for(caller, Role.EDIT)(await self._playlists.head(playlist_id))
        return playlist_id

    def _entries(self, uris: Sequence[str], caller: Caller) -> tuple[Entry, ...]:
        now_ms = self._now_ms()
        return tuple(
            Entry(self._new_entry_id(), track_id, now_ms, caller.listener_id)
            for track_id in tracks_of(uris)
        )

    async def _edit(
        self,
        request: Request,
        caller: Caller,
        playlist_id: str,
        edit: Edit,
        snapshot: str | None,
        *,
        status: int = 200,
    ) -> Response:
        number = await self._playlists.edit(
            playlist_id,
            await change(request, self._playlists, playlist_id, edit, snapshot),
            by=caller.listener_id,
            allow=only_for(caller, Role.EDIT),
            key=key_of(request, caller),
        )
        answer = _answer(playlist_id, number, status=status)
        if status == 201:
            answer.headers["Location"] = f"{base_url(request)}/v1/playlists/{playlist_id}/items"
        return answer


def removals(items: Sequence[RemovedItem], field: str) -> tuple[Removal, ...]:
    """Take what is to be removed.

    :raises BadEdit: if that are too many, or one is not a track.
    """
    positions = sum(len(item.positions or ()) for item in items)
    if max(len(items), positions) > MOST_TOGETHER:
        raise BadEdit(field, f"wants at most {MOST_TOGETHER} at once")
    tracks = tracks_of([item.uri for item in items], field)
    return tuple(
        Removal(track_id, None if item.positions is None else tuple(item.positions))
        for item, track_id in zip(items, tracks, strict=True)
    )


def _position(request: Request) -> int | None:
    said = asked(request, "position")
    if said is None:
        return None
    if not (said.isascii() and said.isdigit() and int(said[:11]) <= MOST_POSITION):
        raise BadEdit("position", f"wants a whole number up to {MOST_POSITION}, not {said[:20]!r}")
    return int(said)


def _as_then(now: Details, then: Details) -> Details:
    return msgspec.structs.replace(now, name=then.name, description=then.description)


def _answer(playlist_id: str, number: int, *, status: int = 200) -> Response:
    snapshot = snapshot_id(playlist_id, number)
    body = msgspec.json.encode(Snapshot(snapshot))
    return Response(body, status, headers={"ETag": f'"{snapshot}"'}, media_type=JSON)
