"""`heartline playlist import`."""

import argparse
import asyncio
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.progress import Progress

from domain.errors import HeartlineError
from domain.playlist_files import MOST_BYTES, PlaylistFile, UnreadablePlaylist, line_of
from domain.playlist_formats import PlaylistFormat, format_of_content, format_of_name, parse
from heartline.commands.playlist_adding import Adding, behind
from heartline.commands.playlist_api import PlaylistApi, id_of, items_of, opened, typed
from heartline.commands.playlist_matching import Advance, Match, match
from heartline.commands.playlist_objects import Playlist
from heartline.commands.playlist_outcome import Missing, Outcome
from heartline.progress import progress_bar
from heartline.terminal import fail, note

WRONG_USAGE = 2
STANDARD_INPUT = "-"
NAME_CHARACTERS, DESCRIPTION_CHARACTERS = 200, 1_000  # as the endpoint wants


def run(options: argparse.Namespace) -> int:
    """Make a playlist of a file, and tell what came of it."""
    _check(options)
    file = _read(options)
    outcome = Outcome(_name(options, file))
    try:
        asyncio.run(_import(options, file, outcome))
    except (HeartlineError, KeyboardInterrupt) as error:
        if outcome.id is None or options.dry_run:
            raise
        _tell_halfway(options, outcome, str(error) or "interrupted")
        return 1
    outcome.tell(options.file, as_json=options.json, dry_run=options.dry_run)
    if file.tracks and outcome.id is None and not options.dry_run:
        note("no track is found, so no playlist is made")
    return 1 if file.tracks and len(outcome.missing) == len(file.tracks) else 0


def _check(options: argparse.Namespace) -> None:
    if options.name_of_account is None and not options.dry_run:
        fail("say with --as NAME whose playlist it becomes, or --dry-run", WRONG_USAGE)
    if options.into and (options.name is not None or options.public):
        fail("--into goes on with a playlist that has a name: no --name, no --public", WRONG_USAGE)


def _read(options: argparse.Namespace) -> PlaylistFile:
    data = _bytes(options.file)
    found = options.format or format_of_content(data) or format_of_name(options.file)
    if found is None:
        fail(f"{options.file} begins as no playlist does: say its --format", WRONG_USAGE)
    try:
        return parse(data, PlaylistFormat(found))
    except UnreadablePlaylist as error:
        fail(f"{options.file}: {error}", WRONG_USAGE)


def _bytes(file: str) -> bytes:
    """Read a file, or so much of it that it is known to be too large."""
    if file == STANDARD_INPUT:
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        with Path(file).open("rb") as opened_file:
            return opened_file.read(MOST_BYTES + 1)
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}", WRONG_USAGE)


def _name(options: argparse.Namespace, file: PlaylistFile) -> str:
    stem = "" if options.file == STANDARD_INPUT else Path(options.file).stem
    said = line_of(options.name or "") or file.title or line_of(stem) or "Playlist"
    return said[:NAME_CHARACTERS].rstrip()


async def _import(options: argparse.Namespace, file: PlaylistFile, outcome: Outcome) -> None:
    async with opened(options.data, options.name_of_account) as api:
        there = await _there(api, options.into, outcome) if options.into else []
        with progress_bar() as progress:
            matches = await _matched(api, file, outcome, progress)
            rest, passed = behind(matches, there)
            outcome.missing += passed
            if options.dry_run:
                outcome.added = len(rest)
            elif rest or not file.tracks:
                await _add(
                    options, file, Adding(api, outcome, _bar(progress, "Adding", rest)), rest
                )


async def _there(api: PlaylistApi, said: str, outcome: Outcome) -> list[str]:
    """Tell what is in the playlist already."""
    told, items = await api.playlist(id_of(said))
    playlist = typed(told, Playlist)
    outcome.id, outcome.name = playlist.id, playlist.name
    return [item.track.uri if item.track else "" for item in items_of(items)]


async def _matched(
    api: PlaylistApi, file: PlaylistFile, outcome: Outcome, progress: Progress
) -> list[Match]:
    matched = await match(api, file.tracks, _bar(progress, "Looking", file.tracks))
    outcome.missing += [each for each in matched if isinstance(each, Missing)]
    return [each for each in matched if isinstance(each, Match)]


async def _add(
    options: argparse.Namespace, file: PlaylistFile, adding: Adding, rest: Sequence[Match]
) -> None:
    if adding.outcome.id is None:
        description = file.description[:DESCRIPTION_CHARACTERS].rstrip()
        await adding.make(description, public=options.public)
    await adding.add_all(rest)


def _bar(progress: Progress, what: str, several: Sequence[object]) -> Advance:
    task = progress.add_task(what, total=len(several))
    return lambda count: progress.advance(task, count)


def _tell_halfway(options: argparse.Namespace, outcome: Outcome, problem: str) -> None:
    outcome.tell(options.file, as_json=options.json, dry_run=False)
    note(problem)
    again = ["heartline", "playlist", "import", options.file, "--as", options.name_of_account]
    note(f"the rest is not there yet: `{shlex.join([*again, '--into', outcome.id or ''])}` goes on")
