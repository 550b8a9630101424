"""`heartline playlist export`."""

import argparse
import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

from domain.playlist_files import PlaylistFile
from domain.playlist_formats import PlaylistFormat, format_of_name, render
from heartline.commands.playlist_api import id_of, items_of, opened, typed
from heartline.commands.playlist_objects import Playlist
from heartline.terminal import fail, note, say, say_json

WRONG_USAGE = 2


def run(options: argparse.Namespace) -> int:
    """Write a playlist to a file, or to standard output and nothing else there."""
    written_as = _format(options)
    output: Path | None = options.output
    if output is not None and os.path.lexists(output) and not options.force:
        fail(f"{output} is there: say --force to write over it")
    playlist, exported = asyncio.run(_read(options))
    written = render(exported, written_as)
    if output is None:
        sys.stdout.buffer.write(written)
        sys.stdout.buffer.flush()
        return 0
    _write(output, written)
    tracks = len(exported.tracks)
    if options.json:
        file = {"file": str(output), "format": str(written_as), "tracks": tracks}
        say_json({"id": playlist.id, "name": playlist.name, **file})
    else:
        say(f"{playlist.name}: {tracks} {'track' if tracks == 1 else 'tracks'} in {output}.")
    return 0


def _format(options: argparse.Namespace) -> PlaylistFormat:
    if options.output is None:
        usual = PlaylistFormat.JSPF if options.json else PlaylistFormat.M3U8
        written_as = PlaylistFormat(options.format or usual)
        if options.json and written_as is not PlaylistFormat.JSPF:
            fail(f"--json wants JSPF on standard output, or {written_as} in --output", WRONG_USAGE)
        return written_as
    found = options.format or format_of_name(options.output.name)
    if found is None:
        fail(f"say with --format what {options.output} is to be", WRONG_USAGE)
    return PlaylistFormat(found)


async def _read(options: argparse.Namespace) -> tuple[Playlist, PlaylistFile]:
    playlist_id = id_of(options.id)
    async with opened(options.data, options.name_of_account) as api:
        told, items = await api.playlist(playlist_id)
    playlist = typed(told, Playlist)
    tracks = [item.track.as_file_track() for item in items_of(items) if item.track]
    if left_out := len(items) - len(tracks):
        note(f"{left_out} of {len(items)} tracks cannot be shown any more and are left out")
    return playlist, PlaylistFile(playlist.name, playlist.description or "", tuple(tracks))


def _write(path: Path, written: bytes) -> None:
    """Write a file, which is there when it is whole."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            file.write(written)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        fail(f"cannot write {path}: {error.strerror or error}")
