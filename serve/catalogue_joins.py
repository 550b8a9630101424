"""What an answer shows of the catalogue, read with everything that it names."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Protocol

from domain.catalogue import Album, Artist, Track
from serve.catalogue_objects import Known


class Entities(Protocol):
    """What is read of `stores.catalogue.Catalogue`."""

    async def artists(self, ids: Iterable[str]) -> Mapping[str, Artist]:
        """Find artists by their ids; those that are not there are left out."""
        ...

    async def albums(self, ids: Iterable[str]) -> Mapping[str, Album]:
        """Find albums by their ids; those that are not there are left out."""
        ...

    async def tracks(self, ids: Iterable[str]) -> Mapping[str, Track]:
        """Find tracks by their ids; those that are not there are left out."""
        ...

    async def album_sizes(self, ids: Iterable[str]) -> Mapping[str, int]:
        """Count the tracks of albums."""
        ...

    async def album_tracks(self, album_id: str, *, most: int | None = None) -> Sequence[Track]:
        """Read the tracks of an album, by disc and number; of long lists only the first *most*."""
        ...

    async def album_page(self, album_id: str, *, skip: int, most: int) -> Sequence[Track]:
        """Read *most* tracks of an album behind the first *skip*, counted as its size is."""
        ...

    async def artist_albums(self, artist_id: str, *, most: int | None = None) -> Sequence[Album]:
        """Read the albums that name an artist."""
        ...

    async def artist_tracks(self, artist_id: str, *, most: int | None = None) -> Sequence[Track]:
        """Read the tracks that name an artist."""
        ...


async def known_tracks(entities: Entities, track_ids: Iterable[str]) -> Known:
    """Read tracks by their ids, with what they name."""
    return await join(entities, tracks=(await entities.tracks(track_ids)).values())


async def join(
    entities: Entities, *, tracks: Iterable[Track] = (), albums: Iterable[Album] = ()
) -> Known:
    """Read what *tracks* and *albums* name: albums, their sizes, and artists."""
    found_tracks = {track.id: track for track in tracks}
    shown = {album.id: album for album in albums}
    named = {track.album for track in found_tracks.values() if track.album} - shown.keys()
    found_albums = {**shown, **(await entities.albums(named) if named else {})}
    named_artists = [
        *(track.artists for track in found_tracks.values()),
        *(album.artists for album in found_albums.values()),
    ]
    artists, sizes = await asyncio.gather(
        entities.artists(set(chain.from_iterable(named_artists))),
        entities.album_sizes(found_albums),
    )
    return Known(found_tracks, found_albums, artists, sizes)
