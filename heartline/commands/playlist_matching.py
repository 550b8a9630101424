"""Which tracks of the catalogue those of a file are."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from domain.playlist_files import TRACK_PREFIX, FileTrack, track_id_of
from domain.track_matches import best_match, queries
from heartline.commands.playlist_api import PlaylistApi
from heartline.commands.playlist_outcome import Missing

IN_FLIGHT = 4  # tracks that are looked for at once

Advance = Callable[[int], object]  # told how many more are done


class Match(NamedTuple):
    """A track of a file, and what it is called here."""

    order: int  # in the file, from 0
    track: FileTrack
    uri: str


async def match(
    api: PlaylistApi, tracks: Sequence[FileTrack], advance: Advance
) -> list[Match | Missing]:
    """Find what each of *tracks* is, in their order."""
    found: list[Match | Missing | None] = [None] * len(tracks)
    waiting = enumerate(tracks)
    try:
        async with asyncio.TaskGroup() as lookers:
            for _ in range(IN_FLIGHT):
                lookers.create_task(_look(api, waiting, found, advance))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    return [each for each in found if each is not None]


async def _look(
    api: PlaylistApi,
    waiting: Iterator[tuple[int, FileTrack]],
    found: list[Match | Missing | None],
    advance: Advance,
) -> None:
    for order, track in waiting:
        found[order] = await _match(api, order, track)
        advance(1)


async def _match(api: PlaylistApi, order: int, track: FileTrack) -> Match | Missing:
    if track_id := track_id_of(track.uri):
        return Match(order, track, f"{TRACK_PREFIX}{track_id}")
    others: list[FileTrack] = []
    for query in queries(track):
        candidates = [hit.as_file_track() for hit in await api.search(query)]
        best = best_match(track, candidates)
        if best is not None:
            return Match(order, track, best.uri)
        others += candidates
    return Missing(order, track, _reason(track, others))


def _reason(track: FileTrack, others: Sequence[FileTrack]) -> str:
    if others:
        nearest = others[0]
        return f"only others are found, like {', '.join(nearest.artists)} - {nearest.title}"
    if any(queries(track)):
        return "it is not in the catalogue"
    return "the file names neither artist and title nor an ISRC"
