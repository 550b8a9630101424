"""The cover images of playlists: each by a name that nobody can guess, and that is the image's own."""

from hashlib import blake2b

from domain.ports import Tables
from stores.tables import PLAYLIST_COVERS


class PlaylistCovers:
    """The cover images of one store."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def put(self, playlist_id: str, image: bytes) -> str:
        """Store an image, and give its name."""
        name = blake2b(image, key=playlist_id.encode()[:64], digest_size=16).hexdigest()
        await self._tables.write_if(
            PLAYLIST_COVERS, (playlist_id, name), {"document": image}, version=0
        )
        return name

    async def get(self, playlist_id: str, name: str) -> bytes | None:
        """Read an image; None if there is none."""
        row = (await self._tables.read(PLAYLIST_COVERS, [(playlist_id, name)]))[0]
        image = row.values["document"] if row else None
        return image if isinstance(image, bytes) else None

    async def remove(self, playlist_id: str, name: str) -> None:
        """Delete an image, if it is there."""
        key = playlist_id, name
        if row := (await self._tables.read(PLAYLIST_COVERS, [key]))[0]:
            await self._tables.delete_if(PLAYLIST_COVERS, key, version=row.version)

    async def remove_all(self, playlist_id: str) -> None:
        """Delete a playlist's images."""
        for row in await self._tables.scan(PLAYLIST_COVERS, (playlist_id,)):
            await self._tables.delete_if(PLAYLIST_COVERS, row.key, version=row.version)
