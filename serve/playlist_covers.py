"""``/v1/playlists/{id}/images``: a cover is written as base64, as Spotify has it, or as it is."""

import base64
import binascii
import re

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from domain.jpeg import START, Size, jpeg_size
from domain.playlists import Role
from serve.auth import Caller, require_role
from serve.endpoints import JSON
from serve.errors import ApiError, bad
from serve.inputs import base_url, check_type, read_body
from serve.playlist_inputs import playlist_of
from serve.playlist_objects import PlaylistObjects, encode
from stores.playlist_covers import PlaylistCovers
from stores.playlist_rows import Cover, Head
from stores.playlists import Playlists

JPEG = "image/jpeg"
MOST_BYTES = 256 << 10
MOST_PIXELS = 10_000  # a side
_JPEG_TYPE = re.compile(re.escape(JPEG))
_NAME = re.compile(r"[0-9a-f]{32}")


class PlaylistImages:
    """Takes and shows covers."""

    def __init__(self, playlists: Playlists, covers: PlaylistCovers) -> None:
        self._playlists, self._covers = playlists, covers

    async def images(self, request: Request, caller: Caller) -> Response:
        """List the cover, if there is one."""
        playlist_id = playlist_of(request)
        head = await self._playlists.head(playlist_id)
        require_role(caller, head, Role.VIEW)
        shown = PlaylistObjects(base_url(request), {}).images(playlist_id, head)
        return Response(encode(shown), media_type=JSON)

    async def image(self, request: Request, _caller: Caller) -> Response:
        """Give an image to whoever knows its name, which an ``<img>`` cannot prove otherwise."""
        name: str = request.path_params["name"]
        playlist_id = playlist_of(request)
        found = _NAME.fullmatch(name) and await self._covers.get(playlist_id, name)
        if not found:
            raise ApiError(404, "there is no such image", "not_found")
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        return Response(found, headers=headers, media_type=JPEG)

    async def change(self, request: Request, caller: Caller) -> Response:
        """Take a cover."""
        playlist_id = playlist_of(request)
        require_role(caller, await self._playlists.head(playlist_id), Role.OWNER)
        check_type(request, _JPEG_TYPE, JPEG)
        image, size = read_image(await read_body(request, most_bytes=MOST_BYTES))
        name = await self._covers.put(playlist_id, image)
        replaced: list[str] = []

        def cover(head: Head) -> Head:
            require_role(caller, head, Role.OWNER)
            replaced[:] = [head.cover.name] if head.cover else []
            return msgspec.structs.replace(head, cover=Cover(name, size.width, size.height))

        await self._playlists.change_head(playlist_id, cover)
        for each in replaced:
            if each != name:
                await self._covers.remove(playlist_id, each)
        return Response(status_code=202)


def read_image(body: bytes) -> tuple[bytes, Size]:
    """Take a JPEG, which may be written as base64.

    :raises ApiError: 400, if it is none.
    """
    image = body
    if not body.startswith(START):
        try:
            image = base64.b64decode(b"".join(body.split()), validate=True)
        except binascii.Error as error:
            raise bad("body", "wants a JPEG image, as base64") from error
    size = jpeg_size(image)
    if size is None or max(size) > MOST_PIXELS:
        raise bad("body", f"wants a JPEG image, as base64, of at most {MOST_PIXELS} pixels a side")
    return image, size
