"""Who may do what, as a table: a row for every endpoint, and no endpoint without a row."""

from typing import Any, NamedTuple

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from serve import ingest
from serve.app import DESCRIBED
from serve.auth import Access
from serve.endpoints import FORM, Endpoint
from serve.ingest import build_ingest
from serve.pages import page_routes
from serve.tokens import Tokens
from stores.accounts import Account, Scope
from tests.serve.bodies import LATE_LIMIT_DAYS, beat
from tests.serve.recording_log import RecordingLog
from tests.serve.world import HOST, PASSWORD, World, new_key

ENDPOINTS = {f"{one.method} {one.path}": one for one in (*ingest.ENDPOINTS, *DESCRIBED)}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


class Row(NamedTuple):
    """The status for each kind of token; ``body`` and ``query`` are right ones."""

    no_token: int
    expired: int
    forged: int
    others: int  # a listener's good token, for what is the account's of the row's path
    no_scope: int
    right: int
    body: Any = None
    query: str = ""


def public(right: int, body: Any = None) -> Row:
    """Tokens are not even looked at."""
    return Row(right, right, right, right, right, right, body)


def mine(right: int, body: Any = None, *, no_scope: int = 403, query: str = "") -> Row:
    """Everybody has their own."""
    return Row(401, 401, 401, right, no_scope, right, body, query)


def kept(right: int, body: Any = None) -> Row:
    """Only some may."""
    return Row(401, 401, 401, 403, 403, right, body)


LOGIN = {"grant_type": "password", "username": "ada", "password": PASSWORD}
TABLE = {
    "POST /v1/heartbeats": mine(202, {"heartbeats": [beat()]}),
    "POST /v1/token": public(200, LOGIN),
    "POST /v1/revoke": public(200, {"token": "x"}),
    "POST /v1/accounts": public(201, {"name": "Eve", "password": PASSWORD}),
    "GET /v1/me": mine(200, no_scope=200),
    "PUT /v1/me": mine(200, {"display_name": "Ada"}),
    "PUT /v1/me/password": mine(204, {"password": PASSWORD, "new_password": "battery staple"}),
    "DELETE /v1/me": mine(204),
    "GET /v1/me/listening/minutes": mine(200),
    "GET /v1/listeners/{listener_id:path}/listening/minutes": kept(200),
    "GET /v1/me/player/recently-played": mine(200),
    "GET /v1/me/player/currently-playing": mine(204),
    "GET /v1/me/player": mine(204),
    "GET /v1/tracks/{id}": mine(404, no_scope=404),
    "GET /v1/tracks": mine(200, no_scope=200, query="ids=t"),
    "GET /v1/albums/{id}": mine(404, no_scope=404),
    "GET /v1/albums": mine(200, no_scope=200, query="ids=t"),
    "GET /v1/albums/{id}/tracks": mine(404, no_scope=404),
    "GET /v1/artists/{id}": mine(404, no_scope=404),
    "GET /v1/artists": mine(200, no_scope=200, query="ids=t"),
    "GET /v1/artists/{id}/albums": mine(404, no_scope=404),
    "GET /v1/artists/{id}/top-tracks": mine(404, no_scope=404),
    "POST /v1/catalogue/artists": kept(200, b"{}"),
    "PUT /v1/catalogue/artists/{id}": kept(200, {"name": "Air"}),
    "DELETE /v1/catalogue/artists/{id}": kept(204),
    "POST /v1/catalogue/albums": kept(200, b"{}"),
    "PUT /v1/catalogue/albums/{id}": kept(422, {"name": "Moon Safari", "artists": ["2"]}),
    "DELETE /v1/catalogue/albums/{id}": kept(204),
    "POST /v1/catalogue/tracks": kept(200, b"{}"),
    "PUT /v1/catalogue/tracks/{id}": kept(422, {"name": "Talisman", "artists": ["2"]}),
    "DELETE /v1/catalogue/tracks/{id}": kept(204),
    "GET /v1/search": mine(200, no_scope=200, query="q=a"),
    "GET /v1/suggest": mine(200, no_scope=200, query="q=a"),
    "POST /v1/me/playlists": mine(201, {"name": "Mix"}),
    "POST /v1/users/{user_id}/playlists": kept(201, {"name": "Mix"}),
    "GET /v1/me/playlists": mine(200),
    "PUT /v1/me/library": mine(404, query="uris=heartline:playlist:1"),
    "DELETE /v1/me/library": mine(200, query="uris=heartline:playlist:1"),
    "GET /v1/me/library/contains": mine(200, query="uris=heartline:playlist:1"),
    "GET /v1/users/{user_id}/playlists": mine(200, no_scope=200),
    "GET /v1/users/{user_id}": mine(200, no_scope=200),
    # Of playlists that are there: tests/serve/test_playlist_rights.py.
    "GET /v1/playlists/{id}": mine(404, no_scope=404),
    "PUT /v1/playlists/{id}": mine(404, {"name": "Mix"}),
    "DELETE /v1/playlists/{id}": mine(404),
    **{
        f"{method} /v1/playlists/{{id}}/{name}": row
        for name in ("items", "tracks")
        for method, row in {
            "GET": mine(404, no_scope=404),
            "POST": mine(404, {"uris": ["heartline:track:1"]}),
            "PUT": mine(404, {"uris": []}),
            "DELETE": mine(404, {"items": [{"uri": "heartline:track:1"}]}),
        }.items()
    },
    "POST /v1/playlists/{id}/restore": mine(404, {"snapshot_id": "x"}),
    "PUT /v1/playlists/{id}/followers": mine(404),
    "DELETE /v1/playlists/{id}/followers": mine(200),
    "GET /v1/playlists/{id}/followers/contains": mine(404),
    "POST /v1/playlists/{id}/invites": mine(404, {"role": "view"}),
    "GET /v1/playlists/{id}/invites": mine(404),
    "DELETE /v1/playlists/{id}/invites/{invite}": mine(404),
    "POST /v1/playlists/{id}/collaborators": mine(404, {"token": "1.2.3"}),
    "GET /v1/playlists/{id}/collaborators": mine(404, no_scope=404),
    "DELETE /v1/playlists/{id}/collaborators/{user_id}": mine(404),
    "GET /v1/playlists/{id}/images": mine(404, no_scope=404),
    "PUT /v1/playlists/{id}/images": mine(404, b"x"),
    "GET /v1/playlists/{id}/images/{name}": public(404),
    "GET /v1/playlists/{id}/versions": mine(404, no_scope=404),
    "GET /healthz": public(200),
    "GET /readyz": public(200),
    "GET /v1/status": kept(200),
    "GET /metrics": kept(200),
    "GET /v1/openapi.json": public(200),
    "GET /v1/docs": public(200),
}
KINDS = tuple(Row._fields[:6])


def test_every_endpoint_has_a_row() -> None:
    assert set(TABLE) == set(ENDPOINTS)


def test_every_route_is_an_endpoint_or_the_page(world: World) -> None:
    page = {route.path for route in page_routes()}
    served = {
        route.path
        for app in (world.main, world.hot, door(world))
        for route in app.routes
        if isinstance(route, Route)
    }

    assert served - page == {endpoint.path for endpoint in ENDPOINTS.values()}


def door(world: World) -> Starlette:
    return build_ingest(
        log=RecordingLog(),
        authenticate=Access(world.tokens, world.accounts).authenticate,
        late_limit_days=LATE_LIMIT_DAYS,
        now_ms=world.clock,
    )


def needed(endpoint: Endpoint[Any]) -> Scope:
    """The scope without which the endpoint refuses: of two, the one that the rest does not have."""
    return endpoint.scope or Scope.LISTENER


async def token_of(world: World, kind: str, ada: Account, endpoint: Endpoint[Any]) -> str | None:
    scopes = {Scope.LISTENER, needed(endpoint)}
    match kind:
        case "no_token":
            return None
        case "forged":
            return Tokens(new_key(), now_ms=world.clock).sign(ada.listener_id, Scope)
        case "expired":
            token = world.tokens.sign(ada.listener_id, Scope)
            world.clock.advance(3_600_000)
            return token
        case "others":
            bob = await world.account("bob")
            return world.tokens.sign(bob.listener_id, Scope)
        case "no_scope":
            return world.tokens.sign(
                ada.listener_id, set() if len(scopes) == 1 else {Scope.LISTENER}
            )
        case _:
            return world.tokens.sign(ada.listener_id, scopes)


def client(world: World, endpoint: Endpoint[Any], token: str | None) -> httpx.AsyncClient:
    app = door(world) if endpoint in ingest.ENDPOINTS else world._dispatch
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST, headers=headers)


def how_sent(endpoint: Endpoint[Any], body: Any) -> str:
    if isinstance(body, bytes):
        return "content"
    return "data" if FORM in endpoint.body_types else "json"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TABLE)
async def test_who_may_do_what(world: World, name: str, kind: str) -> None:
    endpoint, row = ENDPOINTS[name], TABLE[name]
    ada = await world.account("ada", *Scope)
    token = await token_of(world, kind, ada, endpoint)
    path = endpoint.path
    for part in ("{listener_id:path}", "{user_id}"):
        path = path.replace(part, ada.listener_id)
    for part in ("{id}", "{invite}", "{name}"):
        path = path.replace(part, "1")
    how = {how_sent(endpoint, row.body): row.body} if row.body else {}

    async with client(world, endpoint, token) as caller:
        answer = await caller.request(endpoint.method, path, params=row.query, **how)

    assert answer.status_code == getattr(row, kind)
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    if kind == "others" and endpoint.path.startswith("/v1/me"):
        assert ada.listener_id not in answer.text
        assert await world.accounts.by_id(ada.listener_id) == ada


@pytest.mark.parametrize("path", sorted({endpoint.path for endpoint in ENDPOINTS.values()}))
async def test_a_method_that_a_path_does_not_have_is_405(world: World, path: str) -> None:
    there = [one for one in ENDPOINTS.values() if one.path == path]
    methods = {one.method for one in there} | {"HEAD" for one in there if one.method == "GET"}

    async with client(world, there[0], None) as caller:
        answers = {
            method: await caller.request(method, path.replace("{listener_id:path}", "somebody"))
            for method in METHODS
            if method not in methods
        }

    for method, answer in answers.items():
        assert answer.status_code == (204 if method == "OPTIONS" else 405)
        assert set(answer.headers["Allow"].split(", ")) == methods
