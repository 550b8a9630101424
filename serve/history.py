"""What a listener played and plays now, in the shapes of Spotify's player endpoints.

A mark in the history is ``<played_at ms>`` or, where plays share that instant, ``<ms>_<play key>``:
plain numbers, as Spotify's clients send them, mean "before (after) everything of that instant".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from domain.ports import NowPlaying
from domain.rows import Play
from serve.auth import Caller
from serve.catalogue_joins import Entities, known_tracks
from serve.catalogue_objects import Objects
from serve.endpoints import Endpoint, Link, Parameter
from serve.errors import invalid
from serve.inputs import base_url, query_number, query_text
from serve.playing import (
    Cursors,
    Device,
    Playback,
    RecentlyPlayed,
    context_object,
    play_object,
    progress_ms,
)

LIMITS, USUAL_LIMIT = range(1, 51), 20
FIRST_KEY, LAST_KEY = 0, (1 << 64) - 1
MOST_MS = 253_402_300_800_000  # the year 10000

Mark = tuple[int, int]  # played_at_ms, play key
_MARK = re.compile(r"([0-9]{1,15})(?:_([0-9]{1,20}))?")


class Plays(Protocol):
    """What is read of `stores.listening.Listening`."""

    async def plays_before(self, listener_id: str, before: Mark | None, limit: int) -> list[Play]:
        """Read up to *limit* plays strictly before the mark, newest first."""
        ...

    async def plays_after(self, listener_id: str, after: Mark, limit: int) -> list[Play]:
        """Read the *limit* plays that follow the mark, newest first."""
        ...


class Playing(Protocol):
    """What is asked of `domain.ports.Presence`."""

    async def now_playing(self, listener_ids: Sequence[str]) -> list[NowPlaying | None]:
        """Tell what each of *listener_ids* plays now, in their order."""
        ...


_encode = msgspec.json.Encoder().encode


class History:
    """Answers what was played and what plays now."""

    def __init__(
        self, plays: Plays, entities: Entities, presence: Playing, *, now_ms: Callable[[], int]
    ) -> None:
        self._plays, self._entities = plays, entities
        self._presence, self._now_ms = presence, now_ms

    async def recently_played(self, request: Request, caller: Caller) -> Response:
        """Show a page of the caller's history."""
        limit = query_number(request, "limit", default=USUAL_LIMIT, bounds=LIMITS)
        before = parse_mark("before", query_text(request, "before"), FIRST_KEY)
        after = parse_mark("after", query_text(request, "after"), LAST_KEY)
        if before is not None and after is not None:
            raise invalid("after", "cannot be given together with before")
        if after is not None:
            plays = await self._plays.plays_after(caller.listener_id, after, limit + 1)
            page = newer_page(plays, after, limit)
        else:
            plays = await self._plays.plays_before(caller.listener_id, before, limit + 1)
            page = older_page(plays, before, limit)
        body = _encode(await self._recently_played(request, page, limit))
        return Response(body, media_type="application/json")

    async def currently_playing(self, request: Request, caller: Caller) -> Response:
        """Show what the caller plays now; 204 if nothing."""
        playing = (await self._presence.now_playing([caller.listener_id]))[0]
        if playing is None:
            return Response(status_code=204)
        known, base = await known_tracks(self._entities, [playing.track_id]), base_url(request)
        now_ms = self._now_ms()
        playback = Playback(
            timestamp=now_ms,
            progress_ms=progress_ms(playing, known.tracks.get(playing.track_id), now_ms),
            is_playing=playing.is_playing,
            item=Objects(known, base).track(playing.track_id),
            context=context_object(playing.context, base),
            device=Device(playing.device_id, playing.device_id),
        )
        return Response(_encode(playback), media_type="application/json")

    async def _recently_played(self, request: Request, page: "Page", limit: int) -> RecentlyPlayed:
        base = base_url(request)
        known = await known_tracks(self._entities, [play.track_id for play in page.plays])
        path = f"{base}{request.url.path}"
        following = f"{path}?{urlencode({**page.following, 'limit': limit})}"
        return RecentlyPlayed(
            href=str(request.url),
            items=[play_object(play, Objects(known, base)) for play in page.plays],
            limit=limit,
            next=following if page.following else None,
            cursors=page.cursors,
        )


class Page(NamedTuple):
    """The plays of a page, the marks at its ends, and the query of the page that follows."""

    plays: Sequence[Play]
    cursors: Cursors | None
    following: Mapping[str, str]


def older_page(plays: Sequence[Play], mark: Mark | None, limit: int) -> Page:
    """Cut a page from up to *limit* + 1 plays before *mark*, newest first."""
    shown, more = plays[:limit], plays[limit:]
    cursors = _cursors(shown, newer_ms=mark and mark[0], older_ms=_instant(more))
    return Page(shown, cursors, {"before": cursors.before} if cursors and more else {})


def newer_page(plays: Sequence[Play], mark: Mark, limit: int) -> Page:
    """Cut a page from up to *limit* + 1 plays after *mark*, newest first."""
    shown, more = plays[-limit:], plays[:-limit]
    cursors = _cursors(shown, newer_ms=_instant(more), older_ms=mark[0])
    return Page(shown, cursors, {"after": cursors.after} if cursors and more else {})


def _instant(plays: Sequence[Play]) -> int | None:
    return plays[0].played_at_ms if plays else None


def _cursors(
    shown: Sequence[Play], *, newer_ms: int | None, older_ms: int | None
) -> Cursors | None:
    """Mark both ends; the instants just beyond them tell whether a plain number would do."""
    if not shown:
        return None
    return Cursors(after=_mark(shown[0], newer_ms), before=_mark(shown[-1], older_ms))


def _mark(play: Play, beyond_ms: int | None) -> str:
    shared = play.played_at_ms == beyond_ms
    return f"{play.played_at_ms}_{play.key}" if shared else str(play.played_at_ms)


def parse_mark(field: str, text: str | None, usual_key: int) -> Mark | None:
    """Read a mark; a plain number gets *usual_key*, the first or last of its instant.

    :raises ApiError: 422, if it is not a mark.
    """
    if text is None:
        return None
    match = _MARK.fullmatch(text)
    if match is None:
        raise invalid(field, "wants ms since the epoch, or a cursor from an earlier page")
    at_ms, key = int(match[1]), int(match[2] or usual_key)
    if at_ms > MOST_MS or not FIRST_KEY <= key <= LAST_KEY:
        raise invalid(field, "is out of range")
    return at_ms, key


LIMIT = Parameter(
    "limit",
    "How many plays at most",
    {"type": "integer", "minimum": LIMITS[0], "maximum": LIMITS[-1], "default": USUAL_LIMIT},
)
AN_INSTANT = {"type": "string", "pattern": f"^{_MARK.pattern}$"}
ENDPOINTS: tuple[Endpoint[History], ...] = (
    Endpoint(
        "GET",
        "/v1/me/player/recently-played",
        History.recently_played,
        summary="What I played, newest first, without end",
        parameters=(
            LIMIT,
            Parameter("before", "Plays before this: ms since the epoch, or a cursor", AN_INSTANT),
            Parameter("after", "Plays after this: ms since the epoch, or a cursor", AN_INSTANT),
        ),
        answers={200: RecentlyPlayed},
        errors=(422,),
        links=(
            Link(
                "Older",
                "GET",
                "/v1/me/player/recently-played",
                parameters={"before": "$response.body#/cursors/before"},
            ),
            Link(
                "Newer",
                "GET",
                "/v1/me/player/recently-played",
                parameters={"after": "$response.body#/cursors/after"},
            ),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/me/player/currently-playing",
        History.currently_playing,
        summary="What I play now",
        answers={200: Playback, 204: None},
    ),
    Endpoint(
        "GET",
        "/v1/me/player",
        History.currently_playing,
        summary="What I play now, and on which device",
        answers={200: Playback, 204: None},
    ),
)
