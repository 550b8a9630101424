"""The catalogue: what is known of a track beyond its id."""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from domain.ports import Tables
from stores.tables import CATALOGUE_TRACKS

TURNS = 16  # so many others may write the same track first


class Track(Struct, frozen=True, omit_defaults=True):
    """A track as stored; "" and 0 mean that it is not known."""

    id: str
    title: str
    artist: str = ""
    album: str = ""
    duration_ms: int = 0


_decoder = msgspec.json.Decoder(Track)


class Catalogue:
    """The tracks of one store."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def titles(self, track_ids: Sequence[str]) -> dict[str, Track]:
        """Find tracks by their ids; those that nobody described are left out."""
        distinct = sorted(set(track_ids))
        rows = await self._tables.read(CATALOGUE_TRACKS, [(track_id,) for track_id in distinct])
        tracks = (_decoder.decode(row.values["document"]) for row in rows if row)  # type: ignore[arg-type]
        return {track.id: track for track in tracks}

    async def put_many(self, tracks: Iterable[Track]) -> None:
        """Describe tracks; the newest description of a track holds."""
        newest = {track.id: track for track in tracks}
        rows = await self._tables.read(CATALOGUE_TRACKS, [(track_id,) for track_id in newest])
        for track, row in zip(newest.values(), rows, strict=True):
            document = msgspec.json.encode(track)
            if row is None or row.values["document"] != document:
                await self._put(track.id, document)

    async def _put(self, track_id: str, document: bytes) -> None:
        for _ in range(TURNS):
            row = (await self._tables.read(CATALOGUE_TRACKS, [(track_id,)]))[0]
            version = row.version if row else 0
            values = {"document": document}
            if await self._tables.write_if(CATALOGUE_TRACKS, (track_id,), values, version=version):
                return
