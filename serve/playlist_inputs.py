"""What a client says about playlists: bodies, versions it has seen, keys of its requests."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

import msgspec
from starlette.requests import Request

from domain.fields import EVERYTHING, Fields, parse_fields
from domain.ids import base62, is_id
from domain.playlist_edits import Edit
from domain.playlist_versions import snapshot_id, version_number
from domain.playlists import MOST_TOGETHER, BadEdit, Entry, track_of
from serve.auth import Caller
from serve.errors import ApiError, bad
from serve.inputs import json_body, query_text
from stores.playlist_edits import ListChange
from stores.playlist_errors import NoPlaylist
from stores.playlists import Playlists

T = TypeVar("T")

MOST_KEY_CHARACTERS = 255


async def read(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """Read a JSON body; what is wrong in it is 400, as Spotify has it.

    :raises ApiError: 400, 413, 415.
    """
    try:
        return await json_body(request, decoder)
    except ApiError as error:
        if error.status != 422:
            raise
        message = error.message.removeprefix(f"{error.field}: ")
        raise bad(error.field or "body", message) from error


def playlist_of(request: Request) -> str:
    """Take the id of a playlist out of the path.

    :raises NoPlaylist: if nothing can be called that.
    """
    playlist_id: str = request.path_params["id"]
    if not is_id(playlist_id):
        raise NoPlaylist(playlist_id)
    return playlist_id


def tracks_of(uris: Sequence[str], field: str = "uris") -> list[str]:
    """Take the ids out of some tracks' URIs.

    :raises BadEdit: if there are too many, or one is not a track's.
    """
    if len(uris) > MOST_TOGETHER:
        raise BadEdit(field, f"wants at most {MOST_TOGETHER} at once")
    return [track_of(uri, f"{field}[{number}]") for number, uri in enumerate(uris)]


def uris_asked(request: Request) -> list[str] | None:
    """Take URIs out of the query, where Spotify's older clients put them."""
    said = asked(request, "uris")
    return None if said is None else [each for each in said.split(",") if each]


def asked(request: Request, name: str) -> str | None:
    """Take a query parameter, None if it is not there.

    :raises BadEdit: if it is there more than once.
    """
    try:
        return query_text(request, name)
    except ApiError as error:
        raise BadEdit(name, "given more than once") from error


def fields_of(request: Request) -> Fields:
    """Take which fields of an answer are wanted.

    :raises InvalidFields: if that is not said as it should be.
    """
    said = asked(request, "fields")
    return EVERYTHING if said is None else parse_fields(said)


def key_of(request: Request, caller: Caller) -> bytes:
    """Take the key of a request that may be sent again; b"" if it has none.

    :raises BadEdit: if it cannot be one.
    """
    said = request.headers.get("idempotency-key")
    if said is None:
        return b""
    if not 0 < len(said) <= MOST_KEY_CHARACTERS:
        raise BadEdit("Idempotency-Key", f"wants 1 to {MOST_KEY_CHARACTERS} characters")
    named = f"{caller.listener_id}\n{request.method}\n{request.url.path}\n{said}"
    return blake2b(named.encode(), digest_size=16).digest()


def id_of(key: bytes) -> str | None:
    """Make of a request's key the id of what it makes."""
    return base62(key) if key else None


async def change(
    request: Request, playlists: Playlists, playlist_id: str, edit: Edit, snapshot: str | None
) -> ListChange:
    """Say an edit of the version that a client has seen.

    With ``If-Match`` it is only wanted while one of the versions named there is the present one.

    :raises BadEdit: if *snapshot* is not a version of this playlist that is kept.
    """
    only_at = await only_version(request, playlists, playlist_id)
    if not snapshot:
        return ListChange(edit, only_at=only_at)
    number = version_number(playlist_id, snapshot)
    seen: Sequence[Entry] = await playlists.version(playlist_id, number)
    return ListChange(edit, number, seen, only_at)


async def only_version(request: Request, playlists: Playlists, playlist_id: str) -> int | None:
    """Take the version that ``If-Match`` wants to be the present one; None: it does not say.

    Of several that is the one which is, or 0, which none is.
    """
    said = request.headers.get("if-match", "*").strip()
    if said == "*":
        return None
    present = (await playlists.head(playlist_id)).number
    tags = (
        each.strip().removeprefix("W/").strip('"').partition(".")[0] for each in said.split(",")
    )
    return present if snapshot_id(playlist_id, present) in tags else 0
