"""A small stand-in for the API behind the page: the contract's shapes, held in memory.

It counts plainly (one lane after the other, instants at most 60 s apart are joined), knows one zone
at a time, and can be told to be away, to play a title, or to end every session.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo, available_timezones

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serve.pages import page_routes
from tests.end_to_end.page_catalogue import CatalogueApi, Shelf

JOINED_MS = 60_000
HOUR_MS = 3_600_000
WEEK = timedelta(days=7)
LISTENER_ID = "0000000000000000000001"


@dataclass
class StandIn:
    """The state, and the switches that a test may turn."""

    now_ms: Callable[[], int]
    passwords: dict[str, str] = field(default_factory=dict)
    time_zone: str = "Asia/Kolkata"
    display_name: str = "Ada"
    instants: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    hours: dict[tuple[date, int], int] = field(default_factory=dict)
    plays: list[dict[str, Any]] = field(default_factory=list)
    playing: dict[str, Any] | None = None
    shelf: Shelf = field(default_factory=Shelf)
    away: bool = False
    access: set[str] = field(default_factory=set)
    refresh: set[str] = field(default_factory=set)
    granted: int = 0

    def listen(self, at_ms: int, listened_ms: int) -> None:
        """Count *listened_ms* in the local hour of *at_ms*."""
        local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(self.time_zone))
        key = (local.date(), local.hour)
        self.hours[key] = self.hours.get(key, 0) + listened_ms

    def end_sessions(self) -> None:
        """No token is good any more."""
        self.access.clear()
        self.refresh.clear()

    def grant(self) -> dict[str, Any]:
        """Hand out a new pair of tokens."""
        self.granted += 1
        tokens = {"access_token": f"a{self.granted}", "refresh_token": f"r{self.granted}"}
        self.access.add(tokens["access_token"])
        self.refresh.add(tokens["refresh_token"])
        return tokens | {"token_type": "Bearer", "expires_in": 900, "scope": "listener"}

    def minutes(self, week: str) -> dict[str, Any]:
        """Answer the minutes endpoint."""
        zone = ZoneInfo(self.time_zone)
        today = datetime.fromtimestamp(self.now_ms() / 1000, zone).date()
        monday = today - timedelta(days=today.weekday()) if week == "current" else _monday(week)
        days = [self._day(monday + timedelta(days=offset)) for offset in range(7)]
        listened_ms = sum(day["listened_ms"] for day in days)
        previous = sum(self._day(monday - WEEK + timedelta(n))["listened_ms"] for n in range(7))
        before, minutes = previous // 60_000, listened_ms // 60_000
        return {
            "listener_id": LISTENER_ID,
            "week": _week_name(monday),
            "time_zone": self.time_zone,
            "from": datetime.combine(monday, datetime.min.time(), zone).isoformat(),
            "to": datetime.combine(monday + WEEK, datetime.min.time(), zone).isoformat(),
            "minutes": minutes,
            "listened_ms": listened_ms,
            "days": days,
            "previous": {"week": _week_name(monday - WEEK), "minutes": before},
            "change_percent": round(100 * (minutes - before) / before, 1) if before else None,
            "as_of": _iso(self.now_ms() - 4_000),
        }

    def _day(self, day: date) -> dict[str, Any]:
        hours = {str(hour): ms for (of, hour), ms in sorted(self.hours.items()) if of == day}
        total = sum(hours.values())
        return {
            "date": day.isoformat(),
            "minutes": total // 60_000,
            "listened_ms": total,
            "hours": hours,
        }


def track(title: str, artist: str, *, track_id: str, duration_ms: int = 200_000) -> dict[str, Any]:
    """Make a track as the catalogue would show it, as far as the page looks."""
    artists = [{"id": "1", "name": artist, "type": "artist"}]
    return {"id": track_id, "name": title, "artists": artists, "duration_ms": duration_ms}


Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Api:
    """The endpoints that the page asks, answered from the state."""

    state: StandIn

    async def token(self, request: Request) -> Response:
        """Log in by password or refresh token; a refresh token is good for one use."""
        form = dict(parse_qsl((await request.body()).decode()))
        if form["grant_type"] == "refresh_token":
            known = form["refresh_token"] in self.state.refresh
            self.state.refresh.discard(form["refresh_token"])
        else:
            known = self.state.passwords.get(form["username"]) == form["password"]
        if known:
            return JSONResponse(self.state.grant())
        refused = {"error": "invalid_grant", "error_description": "not a name and its password"}
        return JSONResponse(refused, 400)

    async def revoke(self, request: Request) -> Response:
        """Log out: the refresh token is good no more."""
        form = dict(parse_qsl((await request.body()).decode()))
        self.state.refresh.discard(form["token"])
        return Response()

    async def sign_up(self, request: Request) -> Response:
        """Make an account."""
        wanted = await request.json()
        if wanted["name"] in self.state.passwords:
            return _error(409, "name: somebody has this name already")
        self.state.passwords[wanted["name"]] = wanted["password"]
        self.state.time_zone = wanted["time_zone"]
        return JSONResponse({"id": LISTENER_ID}, 201)

    async def heartbeats(self, request: Request) -> Response:
        """Take heartbeats."""
        sent = (await request.json())["heartbeats"]
        for beat in sent:
            _count(self.state, (beat["track_id"], beat.get("play_id", "")), beat["at"])
        return JSONResponse({"accepted": len(sent), "rejected": []}, 202)

    async def minutes(self, request: Request) -> Response:
        """Tell the minutes of a week."""
        return JSONResponse(self.state.minutes(request.query_params.get("week", "current")))

    async def playing(self, _request: Request) -> Response:
        """Tell what plays now."""
        playing = self.state.playing
        return JSONResponse(playing) if playing else Response(status_code=204)

    async def recent(self, request: Request) -> Response:
        """Show a page of the history."""
        return JSONResponse(_page(self.state.plays, request))

    async def me(self, _request: Request) -> Response:
        """Show the account."""
        told = {"display_name": self.state.display_name, "time_zone": self.state.time_zone}
        return JSONResponse({"id": LISTENER_ID} | told)

    async def change_me(self, request: Request) -> Response:
        """Change the account."""
        change = await request.json()
        if change["time_zone"] not in available_timezones():
            return _error(422, "time_zone: not a time zone of the tz database")
        self.state.display_name = change["display_name"]
        self.state.time_zone = change["time_zone"]
        return await self.me(request)

    async def delete_me(self, _request: Request) -> Response:
        """Delete the account."""
        self.state.passwords.clear()
        self.state.end_sessions()
        return Response(status_code=204)

    def open(self, endpoint: Endpoint) -> Endpoint:
        """Answer anybody, unless the server is away."""

        async def answer(request: Request) -> Response:
            return _error(503, "the store is away") if self.state.away else await endpoint(request)

        return answer

    def closed(self, endpoint: Endpoint) -> Endpoint:
        """Answer those who bring a token, unless the server is away."""

        async def answer(request: Request) -> Response:
            bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if bearer not in self.state.access:
                return _error(401, "the access token is not valid")
            return await endpoint(request)

        return self.open(answer)


def build_stand_in(state: StandIn) -> Starlette:
    """Build the application: the page's own routes, and the API from *state*."""
    api = Api(state)
    me = "/v1/me"
    return Starlette(
        routes=[
            *page_routes(),
            *CatalogueApi(state.shelf).routes(api.closed),
            Route("/v1/token", api.open(api.token), methods=["POST"]),
            Route("/v1/revoke", api.open(api.revoke), methods=["POST"]),
            Route("/v1/accounts", api.open(api.sign_up), methods=["POST"]),
            Route("/v1/heartbeats", api.closed(api.heartbeats), methods=["POST"]),
            Route(f"{me}/listening/minutes", api.closed(api.minutes)),
            Route(f"{me}/player/currently-playing", api.closed(api.playing)),
            Route(f"{me}/player/recently-played", api.closed(api.recent)),
            Route(me, api.closed(api.me)),
            Route(me, api.closed(api.change_me), methods=["PUT"]),
            Route(me, api.closed(api.delete_me), methods=["DELETE"]),
        ]
    )


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": {"status": status, "message": message}}, status)


def _count(state: StandIn, lane: tuple[str, str], at_ms: int) -> None:
    instants = state.instants.setdefault(lane, set())
    before = _joined(instants)
    instants.add(at_ms)
    state.listen(at_ms, _joined(instants) - before)


def _joined(instants: set[int]) -> int:
    return sum(b - a for a, b in pairwise(sorted(instants)) if b - a <= JOINED_MS)


def _page(plays: list[dict[str, Any]], request: Request) -> dict[str, Any]:
    limit = int(request.query_params.get("limit", "20"))
    before = int(request.query_params.get("before", "9" * 15))
    older = [play for play in plays if _ms(play["played_at"]) < before]
    items = sorted(older, key=lambda play: str(play["played_at"]), reverse=True)[:limit]
    last = str(_ms(items[-1]["played_at"])) if items else None
    more = f"{request.url.replace(query='')}?limit={limit}&before={last}"
    return {
        "href": str(request.url),
        "items": items,
        "limit": limit,
        "next": more if len(older) > limit else None,
        "cursors": {"after": None, "before": last},
        "total": len(plays),
    }


def _ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def _iso(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _monday(week: str) -> date:
    return datetime.strptime(f"{week}-1", "%G-W%V-%u").replace(tzinfo=UTC).date()


def _week_name(monday: date) -> str:
    return monday.strftime("%G-W%V")


def play(title: str, artist: str, at_ms: int, ms_played: int) -> dict[str, Any]:
    """Make an item of the listening history."""
    return play_of(track(title, artist, track_id=f"t{at_ms}"), at_ms, ms_played)


def play_of(played: dict[str, Any], at_ms: int, ms_played: int) -> dict[str, Any]:
    """Make an item of the listening history, of a track that the catalogue shows."""
    at = _iso(at_ms)
    return {"track": played, "played_at": at, "context": None, "ms_played": ms_played}


@contextmanager
def running(app: Starlette) -> Iterator[str]:
    """Serve *app* on a free port of this machine, in a thread; gives its base URL."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listening.close()
