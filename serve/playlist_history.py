"""``GET /v1/playlists/{id}/versions``: who changed what, and when; the newest first."""

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response

from domain.playlist_deltas import Splice
from domain.playlist_versions import snapshot_id
from domain.playlists import HISTORY_DAYS, Entry, Role
from domain.units import DAY_MS
from serve.auth import Caller, require_role
from serve.etags import tagged
from serve.inputs import base_url
from serve.instants import iso
from serve.paging import Window, page
from serve.playlist_bodies import Version
from serve.playlist_inputs import playlist_of
from serve.playlist_objects import PlaylistObjects, encode
from stores.accounts import Accounts
from stores.playlist_rows import Record
from stores.playlists import Playlists


class PlaylistHistory:
    """Answers which versions a playlist had."""

    def __init__(
        self, playlists: Playlists, accounts: Accounts, *, now_ms: Callable[[], int]
    ) -> None:
        self._playlists, self._accounts, self._now_ms = playlists, accounts, now_ms

    async def versions(self, request: Request, caller: Caller) -> Response:
        """Show a page of the versions of the last 90 days."""
        window, playlist_id = Window.of(request), playlist_of(request)
        head = await self._playlists.head(playlist_id)
        require_role(caller, head, Role.VIEW)
        oldest_ms = self._now_ms() - HISTORY_DAYS * DAY_MS
        begun = head.roots[0].number
        last = head.number - window.offset
        records = await self._playlists.records(
            playlist_id, max(begun, last - window.limit) + 1, last
        )
        kept = [record for record in records if record.at_ms >= oldest_ms]
        accounts = await self._accounts.by_ids(record.by for record in kept)
        objects = PlaylistObjects(base_url(request), accounts)
        items = [shown(playlist_id, record, objects) for record in reversed(kept)]
        has_older = len(kept) < len(records)
        total = window.offset + len(kept) if has_older else head.number - begun
        return tagged(request, encode(page(request.url, window, items, total)))


def shown(playlist_id: str, record: Record, objects: PlaylistObjects) -> Version:
    """Show an edit."""
    added, removed, moved = counted(record.delta)
    return Version(
        snapshot_id=snapshot_id(playlist_id, record.number),
        at=iso(record.at_ms),
        by=objects.user(record.by),
        added=added,
        removed=removed,
        moved=moved,
        details=sorted(record.details),
    )


def counted(delta: Sequence[Splice]) -> tuple[int, int, int]:
    """Count the entries that a delta adds, removes and moves."""
    put = [each for splice in delta for each in splice.put]
    added = {each.id for each in put if isinstance(each, Entry)}
    moved = {each for each in put if isinstance(each, str)}
    cuts = sum(splice.cut for splice in delta)
    carried = sum(isinstance(each, str) for each in put)
    return len(added), cuts - carried, len(moved)
