"""A synthetic catalogue as a Parquet file that `heartline catalogue import` reads."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from heartline.importing.rows import SEVERAL
from heartline.synthetic.catalogue import Block
from heartline.terminal import fail

SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "title": pa.string(),
        "artist": pa.string(),
        "album": pa.string(),
        "disc_number": pa.int32(),
        "track_number": pa.int32(),
        "release_date": pa.string(),
        "duration_ms": pa.int32(),
        "explicit": pa.bool_(),
        "isrc": pa.string(),
        "upc": pa.string(),
        "genres": pa.string(),
        "popularity": pa.int32(),
    }
)


def write_parquet(path: Path, blocks: Iterable[Block], advance: Callable[[int], None]) -> None:
    """Write a file, which is there when it is whole.

    Raises
    ------
    Failure
        It cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        with pq.ParquetWriter(part, SCHEMA, compression="zstd") as writer:
            for block in blocks:
                writer.write_table(_table(block))
                advance(len(block.tracks))
        part.replace(path)
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror or error}")
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _table(block: Block) -> pa.Table:
    artists = {artist.id: artist.name for artist in block.artists}
    albums = {album.id: album for album in block.albums}
    rows = [
        (
            track.id,
            track.name,
            SEVERAL.join(artists[artist] for artist in track.artists),
            albums[track.album].name,
            track.disc_number,
            track.track_number,
            albums[track.album].released,
            track.duration_ms,
            track.is_explicit,
            track.isrc,
            albums[track.album].upc,
            SEVERAL.join(track.genres),
            track.popularity,
        )
        for track in block.tracks
    ]
    return pa.table(list(zip(*rows, strict=True)), schema=SCHEMA)
