"""A catalogue that nobody made: artists with albums, remixes and guests, some famous, most not.

It comes in blocks of some thousand tracks, each made of the seed and the block's number alone, so that
memory is bounded, and a smaller catalogue of a seed is the beginning of a larger one.
"""

from collections.abc import Iterator
from itertools import count

import numpy as np
from msgspec import Struct

from domain.catalogue import Album, Artist, Track
from heartline.synthetic.albums import draw_albums
from heartline.synthetic.artists import draw_artists
from heartline.synthetic.tracks import draw_tracks


class Block(Struct, frozen=True):
    """Some artists with all their albums and tracks; guests are of the same block."""

    artists: list[Artist]
    albums: list[Album]
    tracks: list[Track]


def synthetic_catalogue(tracks: int, *, seed: int = 0) -> Iterator[Block]:
    """Make a catalogue of so many tracks, always the same for the same *seed*."""
    left = tracks
    for number in count():
        if left <= 0:
            return
        block = _block(np.random.default_rng([seed, number]), number, seed)
        yield block if len(block.tracks) <= left else _shortened(block, left)
        left -= len(block.tracks)


def _block(rng: np.random.Generator, number: int, seed: int) -> Block:
    artists = draw_artists(rng, number)
    albums = draw_albums(rng, number, artists)
    tracks = draw_tracks(rng, number, artists, albums, seed=seed)
    return Block(artists.entities, albums.entities, tracks)


def _shortened(block: Block, tracks: int) -> Block:
    kept = block.tracks[:tracks]
    albums = {track.album for track in kept}
    artists = {artist for track in kept for artist in track.artists}
    return Block(
        [artist for artist in block.artists if artist.id in artists],
        [album for album in block.albums if album.id in albums],
        kept,
    )
